//! Paths of files in a version: relative, and safe to unpack on every system a player may have.

use crate::error::Error;

/// Characters of a path: Windows opens so many without a prefix, below a folder of a player's.
const MAX_PATH: usize = 200;
/// Folders within folders.
const MAX_DEPTH: usize = 16;
/// Names that Windows takes for devices, whatever their extension.
const DEVICES: [&str; 24] = [
    "con", "prn", "aux", "nul", "conin$", "conout$", "com1", "com2", "com3", "com4", "com5",
    "com6", "com7", "com8", "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8",
    "lpt9",
];
/// The folder in which `wharf-sync` keeps its state: it refuses every version that has files there.
const RESERVED: &str = ".wharf-sync";

/// The path, if it is one.
pub fn checked(path: &str) -> Result<&str, Error> {
    let segments: Vec<&str> = path.split('/').collect();
    if path.chars().count() > MAX_PATH || segments.len() > MAX_DEPTH {
        return Err(Error::InvalidFile(
            "path has at most 200 characters and 16 folders",
        ));
    }
    if !segments.iter().all(|it| is_name(it)) {
        return Err(Error::InvalidFile(
            "path is relative with `/` between names that every file system takes",
        ));
    }
    let is_reserved = |it: &&str| it.eq_ignore_ascii_case(RESERVED);
    if segments.first().is_some_and(is_reserved) {
        return Err(Error::InvalidFile("the folder .wharf-sync is reserved"));
    }
    Ok(path)
}

/// Whether it is a valid name of a file or folder on every system, and has no other meaning there.
pub fn is_name(name: &str) -> bool {
    let is_plain = |it: char| {
        !it.is_control()
            && !matches!(it, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
            // Invisible characters, and marks that change the direction of the text.
            && !matches!(it, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    !name.is_empty()
        && name.len() <= 255
        && name.chars().all(is_plain)
        && !name.ends_with(['.', ' '])
        && !name.starts_with(' ')
        && !is_device(name)
}

/// Whether Windows opens a device by that name. It ignores spaces before the extension, and reads `¹`, `²` and `³` as
/// digits.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let digits = |it: char| match it {
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        other => other.to_ascii_lowercase(),
    };
    let stem: String = stem.chars().map(digits).collect();
    DEVICES.contains(&stem.as_str())
}

/// The last name of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_stays_below_its_folder_on_every_system() {
        for path in [
            "mods/a.jar",
            "config/b/c.toml",
            "options.txt",
            "мод/é.jar",
            "a/.hidden",
            "mods/.wharf-sync",
            "console.txt",
            "com10",
        ] {
            assert!(checked(path).is_ok(), "{path}");
        }
        for path in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a//b",
            "a/",
            "a\\b",
            "C:/a",
            "a:b",
            "nul",
            "mods/NUL.txt",
            "nul .txt",
            "COM¹",
            "mods/lpt³.jar",
            "CONIN$",
            "mods/conout$.txt",
            ".wharf-sync/state.json",
            ".Wharf-Sync/a",
            "a.",
            "a ",
            " a",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            "a?",
            "a*",
            "a|b",
            "~/a/\u{7f}",
        ] {
            assert!(checked(path).is_err(), "{path:?}");
        }
        assert!(checked(&"a/".repeat(16)).is_err());
        assert!(checked(&"a".repeat(201)).is_err());
    }

    proptest! {
        #[test]
        fn no_path_leaves_its_folder(path in "\\PC{0,40}") {
            if let Ok(path) = checked(&path) {
                let joined = std::path::Path::new("/base").join(path);
                prop_assert!(joined.starts_with("/base"));
                prop_assert!(joined.components().all(|it| it != std::path::Component::ParentDir));
            }
        }
    }
}
