fn main() {
    println!("cargo::rustc-link-arg=--skip-wit-component");
}
