//! The file of variables that every copy of a deployment is given (`--variable @variables.toml`): the
//! operator's own, to which what is missing is added and in which nothing is changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::{Error, Result, kept};

/// Adds these lines to the TOML file, which is made if it is not there. It holds secrets: from then
/// on it is readable by its owner alone.
pub fn add_variables(path: &Path, variables: &BTreeMap<String, String>) -> Result<()> {
    let doing = || Error::io(format!("cannot write {}", path.display()));
    let mut text = kept::read(path).map_err(doing())?.unwrap_or_default();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for (name, value) in variables {
        // TOML writes such a string as JSON does.
        let value = serde_json::Value::from(value.as_str());
        let _ = writeln!(text, "{name} = {value}");
    }
    kept::write(path, &text).map_err(doing())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    use wharf_manifest::variables::{Environment, Sources};

    #[test]
    fn what_was_there_stays_and_the_rest_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("variables.toml");
        std::fs::write(&path, "# mine\nadmin_login = 'root'").unwrap();
        let added = [
            ("key", "-----BEGIN\nabc=\n-----END\n"),
            ("keys", r#"{"keys":[{"kty":"OKP"}]}"#),
            ("odd", r#"a \n 'b' "c" é"#),
        ];
        let added: BTreeMap<_, _> = added
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        add_variables(&path, &added).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("# mine\nadmin_login = 'root'\nkey = "),
            "{text}"
        );
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let flag = [format!("@{}", path.display())];
        let sources = Sources::read(&flag, &[], Environment::default()).unwrap();
        assert_eq!(sources.get("admin_login"), Some("root"));
        for (name, value) in &added {
            assert_eq!(sources.get(name), Some(value.as_str()));
        }
    }
}
