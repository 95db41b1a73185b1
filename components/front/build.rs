//! Prepares the API description: compact, compressed, and the groups of its operations for the home page.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::{env, fs};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

/// Relative to this package: the next clone that builds in this folder must not look for changes of this one's file.
const DESCRIPTION: &str = "../../docs/openapi.json";

/// The native build's description. The tool that writes `docs/openapi.json` links this crate, so a native
/// build must not read that file.
const SAMPLE: &str = r#"{
    "openapi": "3.1.0",
    "paths": {
        "/booking": { "get": { "tags": ["Bookings"] }, "post": { "tags": ["Bookings"] } },
        "/parking": { "get": { "tags": ["Parking <places> & more"] } }
    }
}"#;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let text = if env::var("CARGO_CFG_TARGET_FAMILY")? == "wasm" {
        println!("cargo::rerun-if-changed={DESCRIPTION}");
        fs::read_to_string(DESCRIPTION)?
    } else {
        SAMPLE.to_owned()
    };
    let description: Value = serde_json::from_str(&text)?;
    let compact = description.to_string();
    let mut compressed = GzEncoder::new(Vec::new(), Compression::best());
    compressed.write_all(compact.as_bytes())?;

    let folder = env::var("OUT_DIR")?;
    let folder = Path::new(&folder);
    fs::write(folder.join("openapi.json"), compact)?;
    fs::write(folder.join("openapi.json.gz"), compressed.finish()?)?;
    let groups = serde_json::to_string(&groups(&description))?;
    fs::write(folder.join("groups.json"), groups)?;
    Ok(())
}

/// How many operations each tag has.
fn groups(description: &Value) -> BTreeMap<&str, u32> {
    let paths = description.get("paths").and_then(Value::as_object);
    let operations = paths
        .into_iter()
        .flat_map(|it| it.values())
        .filter_map(Value::as_object)
        .flat_map(|it| it.values());
    let tags = operations
        .filter_map(|it| it.get("tags")?.as_array())
        .flatten()
        .filter_map(Value::as_str);
    let mut groups = BTreeMap::new();
    for tag in tags {
        *groups.entry(tag).or_default() += 1;
    }
    groups
}
