//! The file of variables for all copies of a deployment (`--variable @variables.toml`). The operator
//! owns the file: missing variables are added, existing lines stay unchanged.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::error::{Error, Result};
use crate::private_file;

/// Adds the variables to the TOML file, which is created if it is missing. Only its owner may read it
/// from then on: it contains secrets.
pub fn add_variables(path: &Path, variables: &BTreeMap<String, String>) -> Result<()> {
    let doing = || Error::io(format!("cannot write {}", path.display()));
    let mut text = private_file::read(path)
        .map_err(doing())?
        .unwrap_or_default();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for (name, value) in variables {
        // A JSON string is also a TOML basic string.
        let value = serde_json::Value::from(value.as_str());
        let _ = writeln!(text, "{name} = {value}");
    }
    private_file::write(path, &text).map_err(doing())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    use wharf_manifest::variables::{Environment, Sources};

    #[test]
    fn existing_lines_stay_and_added_variables_are_readable() {
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
