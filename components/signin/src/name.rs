//! The names by which people are found, each a type that cannot hold a wrong one.

use kit::store::{Param, ParameterValue};
use kit::web::Schema;
use serde::Deserialize;
use uuid::Uuid;

/// A value breaks the rule of its type; the text states the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

macro_rules! text_types {
    ($($(#[$attribute:meta])* $name:ident)*) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Schema)]
        #[serde(try_from = "String")]
        $(#[$attribute])*
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Param for &$name {
            fn param(self) -> ParameterValue {
                self.as_str().param()
            }
        }
    )*};
}

text_types! {
    /// A name chosen to sign in with.
    #[schemars(extend("pattern" = "^[A-Za-z0-9_.-]{1,50}$", "examples" = ["ana"]))]
    Login
    /// An e-mail address.
    #[schemars(extend("format" = "email", "maxLength" = 254, "examples" = ["ana@example.org"]))]
    Email
    /// The Brazilian taxpayer number: 11 digits; dots, dashes and blanks between them are dropped.
    #[schemars(extend("examples" = ["529.982.247-25"]))]
    Cpf
    /// One line of text about a person.
    #[schemars(extend("maxLength" = 200, "examples" = ["Ana"]))]
    Text
}

/// The longest that the contracts of the replaced systems allow.
const MAX_LOGIN: usize = 50;
/// RFC 5321 allows 256 including angle brackets.
const MAX_EMAIL: usize = 254;
const MAX_TEXT: usize = 200;

impl TryFrom<String> for Login {
    type Error = Malformed;

    /// Never with an `@`: a login must not look like another person's e-mail.
    fn try_from(text: String) -> Result<Self, Malformed> {
        let is_plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.' | b'-');
        if (1..=MAX_LOGIN).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text))
        } else {
            Err(Malformed(
                "a login is 1 to 50 letters, digits, '_', '.' or '-'",
            ))
        }
    }
}

/// Logins that stand for something else: a path (`/users/me`), or an authority that people would trust.
const RESERVED: [&str; 14] = [
    "me",
    "admin",
    "administrator",
    "root",
    "superuser",
    "system",
    "support",
    "security",
    "staff",
    "moderator",
    "wharf",
    "nobody",
    "null",
    "undefined",
];

impl Login {
    /// Whether people cannot choose it.
    pub fn is_reserved(&self) -> bool {
        RESERVED.iter().any(|it| self.0.eq_ignore_ascii_case(it))
    }

    /// Whether it also fits the narrower rule of the parking clients.
    pub fn is_word(&self) -> bool {
        self.0.len() >= 3
            && self
                .0
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || it == b'_')
    }
}

/// The login of an account that is not meant to sign in.
impl From<Uuid> for Login {
    fn from(id: Uuid) -> Self {
        Self(id.to_string())
    }
}

/// A person who chose no login signs in by e-mail alone.
impl From<&Email> for Login {
    fn from(email: &Email) -> Self {
        Self(email.0.clone())
    }
}

impl TryFrom<String> for Email {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        const WRONG: Malformed = Malformed("an e-mail looks like name@example.org");
        let (local, domain) = text.split_once('@').ok_or(WRONG)?;
        let local_is_fine = (1..=64).contains(&local.len())
            && local
                .bytes()
                .all(|it| it.is_ascii_graphic() && !b"@\"(),:;<>[\\]".contains(&it))
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let label_is_fine = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|it| it.is_ascii_alphanumeric() || it == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let domain_is_fine = domain.contains('.') && domain.split('.').all(label_is_fine);
        if text.len() <= MAX_EMAIL && local_is_fine && domain_is_fine {
            Ok(Self(text))
        } else {
            Err(WRONG)
        }
    }
}

impl TryFrom<String> for Cpf {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        let digits: String = text
            .chars()
            .filter(|it| !matches!(it, '.' | '-' | ' '))
            .collect();
        if digits.len() == 11 && digits.bytes().all(|it| it.is_ascii_digit()) {
            Ok(Self(digits))
        } else {
            Err(Malformed("a CPF is 11 digits"))
        }
    }
}

impl Cpf {
    /// Whether the last two digits are the check digits of the first nine.
    pub fn has_valid_check_digits(&self) -> bool {
        let digits: Vec<u32> = self.0.bytes().map(|it| u32::from(it - b'0')).collect();
        let check = |known: usize| {
            let sum: u32 = digits
                .iter()
                .take(known)
                .zip((2..=known as u32 + 1).rev())
                .map(|(digit, weight)| digit * weight)
                .sum();
            sum * 10 % 11 % 10
        };
        let all_the_same = digits.windows(2).all(|it| it.first() == it.last());
        !all_the_same && digits.get(9) == Some(&check(9)) && digits.get(10) == Some(&check(10))
    }
}

impl TryFrom<String> for Text {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        if text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control) {
            Ok(Self(text))
        } else {
            Err(Malformed("at most 200 characters on one line"))
        }
    }
}

/// A person's id at Telegram; 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Schema)]
#[serde(try_from = "i64")]
#[schemars(extend("minimum" = 0, "examples" = [0]))]
pub struct TelegramId(Option<i64>);

impl TelegramId {
    pub fn get(self) -> Option<i64> {
        self.0
    }
}

impl TryFrom<i64> for TelegramId {
    type Error = Malformed;

    fn try_from(id: i64) -> Result<Self, Malformed> {
        match id {
            0 => Ok(Self(None)),
            1.. => Ok(Self(Some(id))),
            _ => Err(Malformed("a telegram_id is positive, or 0 for none")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Result<Email, Malformed> {
        Email::try_from(text.to_owned())
    }

    fn cpf(text: &str) -> Result<Cpf, Malformed> {
        Cpf::try_from(text.to_owned())
    }

    #[test]
    fn a_login_is_never_an_email() {
        assert!(Login::try_from("ana@example.org".to_owned()).is_err());
        assert!(Login::try_from(String::new()).is_err());
        assert!(Login::try_from("ana.b-1_".to_owned()).is_ok());
        assert!(!Login::try_from("ana.b".to_owned()).unwrap().is_word());
    }

    #[test]
    fn an_email_has_a_name_and_a_domain() {
        for fine in ["a@b.co", "ana+tag@sub.example.org", "o'neil@example.org"] {
            assert!(email(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "", "@", "a@b", "a@@b.co", "a b@c.de", "a@-b.co", ".a@b.co", "a@b..co", "é@b.co",
            "a@b.co\n",
        ] {
            assert!(email(wrong).is_err(), "{wrong}");
        }
        assert!(email(&format!("a@{}.co", "b.".repeat(130))).is_err());
    }

    #[test]
    fn a_cpf_loses_its_punctuation_and_may_be_checked() {
        assert_eq!(cpf("001.001.001-11").unwrap().as_str(), "00100100111");
        assert!(cpf("1234567890").is_err());
        assert!(cpf("1234567890a").is_err());
        assert!(cpf("529.982.247-25").unwrap().has_valid_check_digits());
        assert!(!cpf("529.982.247-26").unwrap().has_valid_check_digits());
        assert!(!cpf("00000000000").unwrap().has_valid_check_digits());
    }

    #[test]
    fn telegram_id_zero_means_none() {
        assert_eq!(TelegramId::try_from(0).unwrap().get(), None);
        assert_eq!(TelegramId::try_from(7).unwrap().get(), Some(7));
        assert!(TelegramId::try_from(-1).is_err());
    }
}
