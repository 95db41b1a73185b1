//! Manifests that differ a little from the one that is shipped.

use toml::{Table, Value};

use crate::{Failure, Result};

/// The manifest with an addition: tables are joined, lists go on, other values are replaced.
pub fn extend_manifest(manifest: &str, addition: &str) -> Result<String> {
    edit_manifest(manifest, |manifest| {
        let addition = parse(addition)?;
        join(manifest, addition);
        Ok(())
    })
}

/// The manifest without its clock and without its Redis triggers.
pub fn remove_listeners(manifest: &str) -> Result<String> {
    edit_manifest(manifest, |manifest| {
        for (path, name) in [
            (&["trigger"][..], "redis"),
            (&["application", "tool", "wharf"][..], "cron"),
        ] {
            let table = path.iter().try_fold(&mut *manifest, |table, name| {
                table.get_mut(*name).and_then(Value::as_table_mut)
            });
            if let Some(table) = table {
                table.remove(name);
            }
        }
        Ok(())
    })
}

fn edit_manifest(manifest: &str, edit: impl FnOnce(&mut Table) -> Result<()>) -> Result<String> {
    let mut manifest = parse(manifest)?;
    edit(&mut manifest)?;
    toml::to_string(&manifest).map_err(Failure::doing("write a manifest"))
}

fn parse(text: &str) -> Result<Table> {
    text.parse().map_err(Failure::doing("read a manifest"))
}

fn join(table: &mut Table, addition: Table) {
    for (name, value) in addition {
        match (table.get_mut(&name), value) {
            (Some(Value::Table(table)), Value::Table(addition)) => join(table, addition),
            (Some(Value::Array(list)), Value::Array(addition)) => list.extend(addition),
            (_, value) => {
                table.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_addition_continues_what_is_there() {
        let manifest = "[trigger]\nhttp = [{ route = \"/a\" }]\n[component.a]\nsource = \"a\"\n";
        let addition =
            "[[trigger.http]]\nroute = \"/b\"\n[component.a.tool.wharf]\nmemory_mb = 1\n";
        let both: Table = extend_manifest(manifest, addition)
            .unwrap()
            .parse()
            .unwrap();
        let routes = both["trigger"]["http"].as_array().unwrap();
        assert_eq!(routes.len(), 2);
        assert_eq!(both["component"]["a"]["source"].as_str(), Some("a"));
        assert!(both["component"]["a"].get("tool").is_some());
    }

    #[test]
    fn a_quiet_manifest_has_no_clock_and_no_channels() {
        let manifest = "[application.tool.wharf]\ncron = []\n[trigger]\nhttp = []\nredis = []\n";
        let quiet = remove_listeners(manifest).unwrap();
        assert!(
            !quiet.contains("cron") && !quiet.contains("redis"),
            "{quiet}"
        );
        assert!(quiet.contains("http"));
    }
}
