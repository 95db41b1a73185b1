//! Checks of the paths of a version: a server's answer is not trusted.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use unicode_normalization::UnicodeNormalization;

/// The client's own folder, below the one that it syncs.
pub const OWN: &str = ".wharf-sync";

/// Names that Windows takes for devices, whatever their extension.
const DEVICES: [&str; 24] = [
    "con", "prn", "aux", "nul", "conin$", "conout$", "com1", "com2", "com3", "com4", "com5",
    "com6", "com7", "com8", "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8",
    "lpt9",
];

/// The form in which Windows and macOS compare names.
pub fn folded(path: &str) -> String {
    path.nfkc().collect::<String>().to_lowercase()
}

/// Whether the paths stay below their folder on every system, and name different files on each of them.
pub fn check<'a>(paths: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut files = BTreeMap::new();
    for path in paths {
        ensure!(
            path.len() <= 1_000 && path.split('/').all(is_name),
            "the path {path:?} leaves the folder or is no path on some systems"
        );
        let is_own = path.split('/').next().is_some_and(|it| folded(it) == OWN);
        ensure!(!is_own, "the path {path:?} is reserved");
        if let Some(other) = files.insert(folded(path), path) {
            anyhow::bail!("the paths {other:?} and {path:?} are one file on some systems");
        }
    }
    for (key, path) in &files {
        for (at, _) in key.match_indices('/') {
            let parent = key.get(..at).and_then(|it| files.get(it));
            ensure!(
                parent.is_none(),
                "the path {path:?} is below a file, {parent:?}"
            );
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let is_plain = |it: char| {
        !it.is_control() && !matches!(it, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
    };
    !name.is_empty()
        && name.len() <= 255
        && name.chars().all(is_plain)
        && !name.ends_with(['.', ' '])
        && !name.starts_with(' ')
        && !DEVICES.contains(&folded(stem).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_folder_or_fail_on_some_system_are_refused() {
        assert!(check(["mods/a.jar", "config/b/c.toml", "мод/é.jar", ".x"].into_iter()).is_ok());
        for path in [
            "",
            "/etc/passwd",
            "../a",
            "a/../b",
            "./a",
            "a//b",
            "a/",
            "a\\b",
            "C:/a",
            "mods/NUL.txt",
            "mods/nul .txt",
            "COM¹",
            "mods/CONIN$",
            "conout$.txt",
            "a.",
            "a ",
            "a\0b",
            "a\nb",
            ".wharf-sync/state.json",
            ".WHARF-sync/state.json",
        ] {
            assert!(check([path].into_iter()).is_err(), "{path:?}");
        }
    }

    #[test]
    fn paths_that_collide_on_some_system_are_refused() {
        for pair in [
            ["Mods/a.jar", "mods/A.jar"],
            ["é", "e\u{301}"],
            ["a", "A/b"],
            ["a/b/c", "a/b"],
        ] {
            assert!(check(pair.into_iter()).is_err(), "{pair:?}");
        }
    }
}
