//! How a notice is said. One file per language; none of them knows a channel.

mod en;
mod pt;
mod ru;

use kit::Currency;
use serde::{Deserialize, Serialize};

use crate::notice::Notice;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    Ru,
    Pt,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    pub subject: String,
    pub text: String,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::En, Self::Ru, Self::Pt];

    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
            Self::Pt => "pt",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    pub fn say(self, notice: &Notice) -> Message {
        match self {
            Self::En => en::say(notice),
            Self::Ru => ru::say(notice),
            Self::Pt => pt::say(notice),
        }
    }
}

fn message(subject: impl Into<String>, text: String) -> Message {
    Message {
        subject: subject.into(),
        text,
    }
}

/// `12.50 USD`, with the language's decimal mark. Nothing is worth less than nothing.
fn money(cents: i64, mark: char, currency: Currency) -> String {
    let cents = cents.unsigned_abs();
    format!(
        "{}{mark}{:02} {}",
        cents / 100,
        cents % 100,
        currency.code()
    )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::notice::tests::each;

    fn all_in(language: Language) -> String {
        let mut said = String::new();
        for notify in each() {
            let message = language.say(&Notice::read(&notify).unwrap());
            writeln!(said, "# {}\n{}\n", message.subject, message.text).unwrap();
        }
        said
    }

    #[test]
    fn every_notice_is_said_in_english() {
        insta::assert_snapshot!(all_in(Language::En));
    }

    #[test]
    fn every_notice_is_said_in_russian() {
        insta::assert_snapshot!(all_in(Language::Ru));
    }

    #[test]
    fn every_notice_is_said_in_portuguese() {
        insta::assert_snapshot!(all_in(Language::Pt));
    }

    #[test]
    fn a_language_is_found_by_its_code() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.code()), Some(language));
        }
        assert_eq!(Language::parse("de"), None);
    }
}
