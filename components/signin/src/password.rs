//! Passwords: what one may be. Hashing is the function `passwords`' work ([`crate::calls::passwords`]).

use std::fmt;

use kit::web::Schema;
use serde::Deserialize;

use crate::name::Malformed;

/// A password that a person may choose: 8 to 128 characters.
#[derive(Clone, Deserialize, Schema)]
#[serde(try_from = "String")]
#[schemars(extend("minLength" = 8, "maxLength" = 128, "format" = "password", "examples" = ["Correct-Horse-1"]))]
pub struct Password(String);

pub const MAX_CHARACTERS: usize = 128;

/// The cores of the passwords that lead every published list.
const COMMON: [&str; 55] = [
    "password",
    "passwort",
    "passw",
    "pass",
    "senha",
    "contrasena",
    "parol",
    "qwerty",
    "qwertyuiop",
    "azerty",
    "asdf",
    "asdfgh",
    "asdfghjkl",
    "zxcvbn",
    "zxcvbnm",
    "abc",
    "abcd",
    "abcdef",
    "admin",
    "administrator",
    "root",
    "user",
    "guest",
    "test",
    "login",
    "welcome",
    "hello",
    "letmein",
    "iloveyou",
    "loveyou",
    "love",
    "monkey",
    "dragon",
    "master",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "batman",
    "shadow",
    "michael",
    "jordan",
    "starwars",
    "trustno",
    "whatever",
    "secret",
    "changeme",
    "default",
    "computer",
    "internet",
    "flower",
    "summer",
    "winter",
    "qazwsx",
];

/// The letter that a digit or a mark stands for in passwords as `P@ssw0rd`.
fn plain(letter: char) -> char {
    match letter {
        '@' => 'a',
        '0' => 'o',
        '$' => 's',
        other => other,
    }
}

/// Neighbours on the keyboard or in counting, as `12345678` or `qwertyui`, in either direction.
fn is_row(text: &str) -> bool {
    const ROWS: [&str; 5] = [
        "012345678901234567890",
        "abcdefghijklmnopqrstuvwxyz",
        "qwertyuiop",
        "asdfghjkl",
        "1qaz2wsx3edc4rfv5tgb",
    ];
    let backwards: String = text.chars().rev().collect();
    text.len() >= 4
        && ROWS
            .iter()
            .any(|it| it.contains(text) || it.contains(&backwards))
}

/// A piece of four characters at most, again and again: `aaaaaaaa`, `12121212`.
fn is_repeated(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    (1..=4).any(|length| {
        letters.len() >= 2 * length
            && letters
                .iter()
                .zip(letters.iter().skip(length))
                .all(|(a, b)| a == b)
    })
}

impl TryFrom<String> for Password {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        if (8..=MAX_CHARACTERS).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(Malformed("a password is 8 to 128 characters"))
        }
    }
}

impl Password {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of the first guesses of every attacker: a common word with digits or marks around it, a
    /// row of the keyboard, or a short piece repeated.
    pub fn is_common(&self) -> bool {
        let typed = self.0.to_lowercase();
        let plain: String = typed.chars().map(plain).collect();
        let core = |text: &str| {
            let core = text.trim_matches(|it: char| !it.is_alphabetic());
            COMMON.contains(&core) || is_row(core)
        };
        core(&typed) || core(&plain) || is_row(&typed) || is_repeated(&typed)
    }

    /// Whether it is the login or the e-mail, the first guess of every attacker.
    pub fn is_name(&self, login: &str, email: Option<&str>) -> bool {
        let is_same = |name: &str| name.eq_ignore_ascii_case(&self.0);
        is_same(login) || email.is_some_and(is_same)
    }
}

/// Keeps passwords out of logs.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_password_counts_characters_and_takes_any() {
        let fits = |text: &str| Password::try_from(text.to_owned()).is_ok();
        assert!(fits("ãçéíõú☃𝄞"));
        assert!(!fits("1234567"));
        assert!(fits(&"☃".repeat(128)));
        assert!(!fits(&"x".repeat(129)));
    }

    #[test]
    fn the_first_guesses_of_attackers_are_common() {
        for common in [
            "Password123",
            "P@ssw0rd",
            "password",
            "Passw0rd!",
            "qwertyuiop",
            "12345678",
            "1234567890",
            "87654321",
            "aaaaaaaa",
            "abcabcabc",
            "iloveyou",
            "Welcome2024!",
            "admin123",
            "Senha@123",
            "letmein1",
            "qwerty123",
            "11111111",
            "1qaz2wsx",
        ] {
            assert!(password(common).is_common(), "{common}");
        }
        for fine in [
            "Correct-Horse-1",
            "Another-Horse-2",
            "Newpassword456",
            "tr0ub4dor&3",
            "ãçéíõú☃𝄞",
        ] {
            assert!(!password(fine).is_common(), "{fine}");
        }
    }

    #[test]
    fn a_login_or_email_is_no_password() {
        let (login, email) = ("ana_maria", Some("ana@example.org"));
        assert!(password("Ana_Maria").is_name(login, email));
        assert!(password("ana@example.org").is_name(login, email));
        assert!(!password("ana_maria1").is_name(login, None));
    }
}
