//! Accounts and the names by which people are found. No SQL, no passwords.

use kit::{Role, Roles};
use serde::Deserialize;
use uuid::Uuid;

/// A user, as the platform knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: Uuid,
    pub number: i64,
    pub login: String,
    pub email: Option<String>,
    pub name: Option<String>,
    pub surname: Option<String>,
    pub cpf: Option<String>,
    pub telegram_id: Option<i64>,
    pub roles: Roles,
    pub is_email_verified: bool,
    pub has_totp: bool,
    pub is_disabled: bool,
}

/// Somebody who is about to become a user.
#[derive(Debug)]
pub struct NewAccount {
    pub id: Uuid,
    pub login: Login,
    pub email: Option<Email>,
    pub name: Option<Text>,
    pub surname: Option<Text>,
    pub cpf: Option<Cpf>,
    pub telegram_id: Option<TelegramId>,
    pub roles: Roles,
    pub created_by: Option<Uuid>,
    pub known_as: Option<ForeignName>,
}

/// Who somebody is at another issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignName {
    pub issuer: String,
    pub subject: String,
}

impl NewAccount {
    /// With a role and names; everything else is filled in by whoever knows more.
    pub fn new(login: Login, email: Option<Email>, role: Role) -> Self {
        Self {
            id: Uuid::new_v4(),
            login,
            email,
            name: None,
            surname: None,
            cpf: None,
            telegram_id: None,
            roles: Roles::default().with(role),
            created_by: None,
            known_as: None,
        }
    }

    /// Of somebody who gave nothing to be called by.
    pub fn nameless(role: Role) -> Self {
        let id = Uuid::new_v4();
        Self {
            id,
            ..Self::new(Login::from(id), None, role)
        }
    }
}

/// A value that cannot be what it should; the text tells people what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )*};
}

text_types! {
    /// A name chosen to sign in with, or the person's e-mail in its place.
    Login
    Email
    /// The Brazilian taxpayer number: 11 digits, its punctuation dropped.
    Cpf
    /// A word or a line about a person.
    Text
}

/// Longest of our contracts; more is no name any more.
const LONGEST_LOGIN: usize = 50;
/// RFC 5321 allows 256 with the angle brackets around it.
const LONGEST_EMAIL: usize = 254;
const LONGEST_TEXT: usize = 200;

impl TryFrom<String> for Login {
    type Error = Malformed;

    /// Never with an `@`: nobody may call themselves by another person's e-mail.
    fn try_from(text: String) -> Result<Self, Malformed> {
        let plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.' | b'-');
        if (1..=LONGEST_LOGIN).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err(Malformed(
                "a login is 1 to 50 letters, digits, '_', '.' or '-'",
            ))
        }
    }
}

impl Login {
    /// Whether it also fits the narrower rule of the parking clients.
    pub fn is_word(&self) -> bool {
        self.0.len() >= 3
            && self
                .0
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || it == b'_')
    }
}

/// Somebody who will never sign in has a login all the same.
impl From<Uuid> for Login {
    fn from(id: Uuid) -> Self {
        Self(id.to_string())
    }
}

/// People who chose no login sign in by e-mail alone.
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
        if text.len() <= LONGEST_EMAIL && local_is_fine && domain_is_fine {
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
    pub fn checks(&self) -> bool {
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
        if text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control) {
            Ok(Self(text))
        } else {
            Err(Malformed("at most 200 characters on one line"))
        }
    }
}

/// Clients send 0 where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
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
        assert!(cpf("529.982.247-25").unwrap().checks());
        assert!(!cpf("529.982.247-26").unwrap().checks());
        assert!(!cpf("00000000000").unwrap().checks());
    }

    #[test]
    fn no_telegram_is_zero() {
        assert_eq!(TelegramId::try_from(0).unwrap().get(), None);
        assert_eq!(TelegramId::try_from(7).unwrap().get(), Some(7));
        assert!(TelegramId::try_from(-1).is_err());
    }
}
