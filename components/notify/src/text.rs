//! The texts of notices. One file per language; none of them knows a channel.

mod en;
mod pt;
mod ru;

use kit::Language;

use crate::notice::Notice;

#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    pub subject: String,
    pub text: String,
}

pub fn say(language: Language, notice: &Notice) -> Message {
    match language {
        Language::En => en::say(notice),
        Language::Ru => ru::say(notice),
        Language::Pt => pt::say(notice),
    }
}

pub fn digest_subject(language: Language, count: usize) -> String {
    match language {
        Language::En => format!("Your notices of the day: {count}"),
        Language::Ru => format!("Уведомления за день: {count}"),
        Language::Pt => format!("Os seus avisos do dia: {count}"),
    }
}

/// A subject is one line: it becomes a header of a letter, and what people wrote is part of it.
fn message(subject: impl Into<String>, text: String) -> Message {
    Message {
        subject: subject.into().replace(char::is_control, " "),
        text,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::notice::tests::each;

    #[test]
    fn a_subject_is_one_line() {
        let notify = each()
            .into_iter()
            .find(|it| it.template == "booking_created_owner")
            .unwrap();
        let Ok(Notice::PlaceBooked(mut booking)) = Notice::read(&notify) else {
            panic!("another notice");
        };
        booking.place = "Garage\r\nBcc: all@example.org\u{85}\0".to_owned();
        for language in [Language::En, Language::Ru, Language::Pt] {
            let subject = say(language, &Notice::PlaceBooked(booking.clone())).subject;
            assert!(subject.contains("Garage"), "{subject}");
            assert!(!subject.chars().any(char::is_control), "{subject:?}");
        }
    }

    fn all_in(language: Language) -> String {
        let mut said = String::new();
        for notify in each() {
            let message = say(language, &Notice::read(&notify).unwrap());
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
}
