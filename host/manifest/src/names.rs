//! The shapes of names: component ids, variables, labels. Spin's rules, in Spin's words.

/// `all-lower` or `SOME-upper` words joined by `separator`, each beginning with a letter.
fn words(name: &str, separator: char) -> Result<(), String> {
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

/// A component id, a part of a package name: `parking-bot`.
pub fn kebab(name: &str) -> Result<(), String> {
    words(name, '-')
}

/// A variable in the manifest: `redis_url`.
pub fn lower_snake(name: &str) -> Result<(), String> {
    words(name, '_')?;
    if name.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(format!(
            "Lower-case identifiers must be all lowercase; got {name:?}"
        ));
    }
    Ok(())
}

/// A key-value store: kebab or snake.
pub fn label(name: &str) -> Result<(), String> {
    words(name, '-')
        .or_else(|_| words(name, '_'))
        .map_err(|_| "expected kebab-case or snake_case".to_owned())
}

/// A name a guest asks a variable by. More is allowed than in the manifest, and then nothing is found.
pub fn variable_key(name: &str) -> Result<(), String> {
    let odd = |c: &char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_');
    let reason = if name.is_empty() {
        "must not be empty".to_owned()
    } else if let Some(odd) = name.chars().find(odd) {
        format!(
            "invalid character {odd:?}. Variable names may contain only lower-case letters, numbers, and underscores."
        )
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lowercase ASCII letter".to_owned()
    } else if name.ends_with('_') {
        "must end with a lowercase ASCII letter or digit".to_owned()
    } else if name.contains("__") {
        "must not contain multiple consecutive underscores".to_owned()
    } else {
        return Ok(());
    };
    Err(format!("{name:?}: {reason}"))
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
                kebab,
                &["a", "parking-bot", "s3", "HTTP-api", "x9-y"],
                &[
                    "", "-a", "a-", "a--b", "a_b", "9a", "a-9", "aB", "Ab", "a.b", "é",
                ],
            ),
            (
                "lower_snake",
                lower_snake,
                &["a", "redis_url", "s3_key"],
                &["", "a-b", "_a", "a__b", "URL", "a_9", "aB"],
            ),
            (
                "label",
                label,
                &["default", "my-store", "my_store"],
                &["", "my-odd_store", "9"],
            ),
            (
                "key",
                variable_key,
                &["a", "a_1", "a1_2b"],
                &["", "A", "_a", "a_", "a__b", "1a", "a-b", "é"],
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
