//! The updates of Telegram and the replies to them. Only the text of an update is read. No I/O in this file.

use kit::web::Schema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Schema)]
pub struct Update {
    pub update_id: i64,
    /// Absent in updates of other kinds.
    pub message: Option<Message>,
}

#[derive(Debug, Deserialize, Schema)]
pub struct Message {
    pub message_id: i64,
    pub chat: Chat,
    pub from: Option<Sender>,
    pub text: Option<String>,
}

#[derive(Debug, Deserialize, Schema)]
pub struct Chat {
    pub id: i64,
    #[serde(rename = "type")]
    #[schemars(example = &"private")]
    pub kind: String,
}

#[derive(Debug, Deserialize, Schema)]
pub struct Sender {
    /// As `pt-br`.
    #[schemars(example = &"en")]
    pub language_code: Option<String>,
}

impl Chat {
    /// In other chats other people can read passwords and bookings.
    pub fn is_private(&self) -> bool {
        self.kind == "private"
    }
}

/// A call of the Bot API, as the answer to an update: it saves a round trip, and Telegram repeats the
/// update when the answer was lost. Without a method nothing is called.
#[derive(Debug, Default, Serialize, Schema)]
pub struct Reply {
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Reply {
    pub fn message(chat: i64, text: String) -> Self {
        Self {
            method: Some("sendMessage"),
            chat_id: Some(chat),
            text: Some(text),
        }
    }
}

/// The text of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Command(Command),
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Start,
    Help,
    Login,
    Logout,
    Balance,
    Bookings,
    Parkings,
    /// Look for a place to book.
    Book,
    /// Book this place.
    BookPlace(i64),
    CancelBooking(i64),
    ChangePlace(i64),
    RemovePlace(i64),
    /// Offer a place.
    Add,
    /// Leave the dialogue.
    Stop,
    Unknown,
}

impl Input {
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let Some(command) = text.strip_prefix('/') else {
            return Self::Text(text.to_owned());
        };
        // In `/start payload` and `/start@name_of_the_bot` only the word counts.
        let word = command
            .split(|it: char| it.is_whitespace() || it == '@')
            .next()
            .unwrap_or_default();
        Self::Command(Command::read(&word.to_lowercase()))
    }
}

impl Command {
    fn read(word: &str) -> Self {
        match word {
            "start" => Self::Start,
            "help" => Self::Help,
            "login" => Self::Login,
            "logout" => Self::Logout,
            "balance" => Self::Balance,
            "bookings" => Self::Bookings,
            "parkings" => Self::Parkings,
            "book" => Self::Book,
            "add" => Self::Add,
            "stop" => Self::Stop,
            _ => Self::numbered(word).unwrap_or(Self::Unknown),
        }
    }

    fn numbered(word: &str) -> Option<Self> {
        let (word, number) = word.split_once('_')?;
        let number = number.parse().ok()?;
        match word {
            "book" => Some(Self::BookPlace(number)),
            "cancel" => Some(Self::CancelBooking(number)),
            "edit" => Some(Self::ChangePlace(number)),
            "remove" => Some(Self::RemovePlace(number)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_word_after_a_slash() {
        let command = |text| match Input::read(text) {
            Input::Command(command) => command,
            Input::Text(text) => panic!("{text}"),
        };
        assert_eq!(command("/start"), Command::Start);
        assert_eq!(command(" /Start abc"), Command::Start);
        assert_eq!(command("/help@wharf_bot"), Command::Help);
        assert_eq!(command("/book_17"), Command::BookPlace(17));
        assert_eq!(command("/cancel_5@wharf_bot"), Command::CancelBooking(5));
        assert_eq!(command("/edit_7"), Command::ChangePlace(7));
        assert_eq!(command("/remove_7"), Command::RemovePlace(7));
        for unknown in [
            "/",
            "/dance",
            "/book_",
            "/book_x",
            "/cancel_99999999999999999999",
        ] {
            assert_eq!(command(unknown), Command::Unknown, "{unknown}");
        }
    }

    #[test]
    fn anything_else_is_a_text() {
        assert_eq!(
            Input::read(" São Paulo "),
            Input::Text("São Paulo".to_owned())
        );
        assert_eq!(Input::read(""), Input::Text(String::new()));
    }

    #[test]
    fn an_update_of_another_kind_has_no_message() {
        let update: Update =
            serde_json::from_str(r#"{"update_id":1,"edited_message":{"text":"x"}}"#).unwrap();
        assert!(update.message.is_none());
    }
}
