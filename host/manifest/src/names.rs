//! Checks the syntax of names (component ids, variables, labels) by Spin's rules and with Spin's messages.

/// Words joined by `separator`; each starts with a letter and is all lower case or all upper case.
fn check_words(name: &str, separator: char) -> Result<(), String> {
    let wrong = if separator == '-' { '_' } else { '-' };
    if name.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if name.contains(wrong) {
        return Err(format!(
            "words must be separated with {separator:?}, not {wrong:?}"
        ));
    }
    for word in name.split(separator) {
        let Some(first) = word.chars().next() else {
            return Err(format!("{separator:?}-separated words must not be empty"));
        };
        if !first.is_ascii_alphabetic() {
            return Err(format!(
                "{separator:?}-separated words must start with an ASCII letter; got {first:?}"
            ));
        }
        if let Some(odd) = word.chars().find(|c| !c.is_ascii_alphanumeric()) {
            return Err(format!(
                "{separator:?}-separated words may only contain alphanumeric ASCII; got {odd:?}"
            ));
        }
        let upper = first.is_ascii_uppercase();
        if word
            .chars()
            .any(|c| c.is_ascii_alphabetic() && c.is_ascii_uppercase() != upper)
        {
            return Err(format!(
                "{separator:?}-separated words must be all lowercase or all UPPERCASE; got {word:?}"
            ));
        }
    }
    Ok(())
}

/// A component id or a part of a package name: `parking-bot`.
pub fn check_kebab(name: &str) -> Result<(), String> {
    check_words(name, '-')
}

/// A variable in the manifest: `redis_url`.
pub fn check_variable(name: &str) -> Result<(), String> {
    check_words(name, '_')?;
    if name.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(format!(
            "Lower-case identifiers must be all lowercase; got {name:?}"
        ));
    }
    Ok(())
}

/// The label of a key-value store: kebab-case or snake_case.
pub fn check_label(name: &str) -> Result<(), String> {
    check_words(name, '-')
        .or_else(|_| check_words(name, '_'))
        .map_err(|_| "expected kebab-case or snake_case".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rule = fn(&str) -> Result<(), String>;

    #[test]
    fn names_follow_spins_rules() {
        let table: &[(&str, Rule, &[&str], &[&str])] = &[
            (
                "kebab",
                check_kebab,
                &["a", "parking-bot", "s3", "HTTP-api", "x9-y"],
                &[
                    "", "-a", "a-", "a--b", "a_b", "9a", "a-9", "aB", "Ab", "a.b", "é",
                ],
            ),
            (
                "variable",
                check_variable,
                &["a", "redis_url", "s3_key"],
                &["", "a-b", "_a", "a__b", "URL", "a_9", "aB"],
            ),
            (
                "label",
                check_label,
                &["default", "my-store", "my_store"],
                &["", "my-odd_store", "9"],
            ),
        ];
        for (rule, check, good, bad) in table {
            for name in *good {
                assert_eq!(check(name), Ok(()), "{rule} {name}");
            }
            for name in *bad {
                assert!(check(name).is_err(), "{rule} {name}");
            }
        }
    }
}
