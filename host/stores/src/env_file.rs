//! The `.env` file with which `spin up` runs the application on the embedded stores.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use wharf_manifest::variables::WRITTEN_BY_SERVICES;

use crate::error::{Error, Result};
use crate::private_file;

/// The file exists as long as the stores run: dropping this removes it.
#[derive(Debug)]
pub struct EnvFile(PathBuf);

impl EnvFile {
    /// Writes a line `SPIN_VARIABLE_<NAME>="value"` for each variable. Only the owner may read the file:
    /// it contains passwords.
    pub fn write<'a>(
        path: &Path,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self> {
        let mut text = format!(
            "{WRITTEN_BY_SERVICES}; `spin up` reads it. Removed when they stop, and not read by `wharf`.\n"
        );
        for (name, value) in variables {
            let _ = writeln!(
                text,
                "SPIN_VARIABLE_{}=\"{}\"",
                name.to_ascii_uppercase(),
                escape(value)
            );
        }
        private_file::write(path, &text)
            .map_err(Error::io(format!("cannot write {}", path.display())))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for EnvFile {
    fn drop(&mut self) {
        if let Err(cause) = private_file::remove(&self.0) {
            tracing::warn!("cannot remove {}: {cause}", self.0.display());
        }
    }
}

/// Escapes the characters with a meaning inside double quotes for dotenvy, which Spin uses.
fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\\' | '"' | '$' => text.extend(['\\', letter]),
            '\n' => text.push_str("\\n"),
            _ => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotenvy_reads_the_written_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let variables = [
            (
                "jwt_private_key",
                "-----BEGIN PRIVATE KEY-----\nabc=\n-----END PRIVATE KEY-----\n",
            ),
            ("jwt_public_keys", r#"{"keys":[{"kty":"OKP"}]}"#),
            ("odd", r#" a $HOME ${x} \n 'b' "c" # d "#),
        ];
        let file = EnvFile::write(&path, variables).unwrap();
        let read: Vec<_> = dotenvy::from_path_iter(&path)
            .unwrap()
            .map(|entry| entry.unwrap())
            .collect();
        let expected: Vec<_> = variables
            .iter()
            .map(|(name, value)| {
                (
                    format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase()),
                    (*value).to_owned(),
                )
            })
            .collect();
        assert_eq!(read, expected);
        drop(file);
        assert!(!path.exists());
    }
}
