//! Links a core module instead of a component.

fn main() {
    println!("cargo::rustc-link-arg=--skip-wit-component");
}
