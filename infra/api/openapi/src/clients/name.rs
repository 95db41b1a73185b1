//! Names in the case of a language.

/// `multi-level`, `status code`, `dateFrom` → their words in lower case.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in text.chars() {
        let begins = !letter.is_alphanumeric() || (letter.is_uppercase() && was_small);
        if begins {
            words.push(String::new());
        }
        was_small = letter.is_lowercase() || letter.is_numeric();
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|it| !it.is_empty());
    words
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.as_str().chars()).collect()
}

/// A name does not begin with a digit, and is not empty.
fn as_name(name: String) -> String {
    match name.chars().next() {
        None => "empty".to_owned(),
        Some(first) if first.is_numeric() => format!("_{name}"),
        Some(_) => name,
    }
}

pub fn snake(text: &str) -> String {
    as_name(words(text).join("_"))
}

pub fn pascal(text: &str) -> String {
    let name: String = words(text).iter().map(|it| capitalised(it)).collect();
    capitalised(&as_name(name))
}

pub fn camel(text: &str) -> String {
    let words = words(text);
    let mut name = String::new();
    for word in &words {
        name.push_str(&if name.is_empty() {
            word.clone()
        } else {
            capitalised(word)
        });
    }
    as_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_takes_the_case_of_its_language() {
        for (text, small, joined, large) in [
            ("date_from", "date_from", "dateFrom", "DateFrom"),
            ("multi-level", "multi_level", "multiLevel", "MultiLevel"),
            ("status code", "status_code", "statusCode", "StatusCode"),
            (
                "If-None-Match",
                "if_none_match",
                "ifNoneMatch",
                "IfNoneMatch",
            ),
            (
                "BookingsNewPlace",
                "bookings_new_place",
                "bookingsNewPlace",
                "BookingsNewPlace",
            ),
            ("2fa", "_2fa", "_2fa", "_2fa"),
            ("", "empty", "empty", "Empty"),
        ] {
            assert_eq!(snake(text), small);
            assert_eq!(camel(text), joined);
            assert_eq!(pascal(text), large);
        }
    }
}
