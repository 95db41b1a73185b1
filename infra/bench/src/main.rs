//! Measures the host beside a native server that runs the same SQL.
fn main() {}
