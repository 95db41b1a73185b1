//! What `wharf up` prints once the application serves: for a person, or for a program.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::json;
use wharf_manifest::manifest::Manifest;
use wharf_stores::Addresses;

/// Lists the routes as Spin does, and suggests a first request.
pub fn print_text(
    manifest: &Manifest,
    base_url: &str,
    passwords: &BTreeMap<String, String>,
    data_dir: &Path,
) {
    println!("\nServing {base_url}");
    println!("Available Routes:");
    for trigger in &manifest.http {
        let Some(route) = &trigger.route else {
            continue;
        };
        let name = trigger.answer.component().unwrap_or(&trigger.id);
        println!("  {name}: {base_url}{route}");
        let description = trigger
            .answer
            .component()
            .and_then(|id| manifest.components.get(id));
        if let Some(component) = description.filter(|component| !component.description.is_empty()) {
            println!("    {}", component.description);
        }
    }
    if !passwords.is_empty() {
        println!("\nGenerated passwords:");
        for (name, password) in passwords {
            println!("  {name} = {password}");
        }
        println!(
            "Stored in {}; `wharf keys --secrets` shows them again.",
            data_dir.join("values.json").display()
        );
    }
    println!("\nTry it:  curl -i {base_url}/.well-known/spin/health");
}

/// One line of JSON, for the program that started this host.
pub fn print_json(manifest: &Manifest, base_url: &str, stores_file: &Path) {
    let routes: Vec<_> = manifest
        .http
        .iter()
        .filter_map(|trigger| {
            let route = trigger.route.as_ref()?;
            let component = trigger.answer.component();
            let description = component
                .and_then(|id| manifest.components.get(id))
                .map(|c| &c.description);
            let mut line = json!({
                "id": component.unwrap_or(&trigger.id),
                "route": format!("{base_url}{}", route.path()),
                "wildcard": route.is_wildcard(),
            });
            if let (Some(line), Some(text)) = (
                line.as_object_mut(),
                description.filter(|text| !text.is_empty()),
            ) {
                line.insert("description".to_owned(), json!(text));
            }
            Some(line)
        })
        .collect();
    println!(
        "{}",
        json!({ "base_url": base_url, "routes": routes, "stores_file": stores_file })
    );
}

/// Writes the addresses of the stores, with their secrets, to a file that only its owner may read: output is often kept in
/// logs that many may read.
pub fn write_stores(stores: &Addresses, file: &Path) -> io::Result<()> {
    let s3 = stores.s3.as_ref().map(|s3| {
        json!({
            "endpoint": s3.endpoint,
            "access_key": s3.access_key,
            "secret_key": s3.secret_key,
            "bucket": s3.bucket,
            "region": s3.region,
        })
    });
    let stores =
        json!({ "postgres_url": stores.postgres_url, "redis_url": stores.redis_url, "s3": s3 });
    wharf_stores::write_private_file(file, &stores.to_string())
}
