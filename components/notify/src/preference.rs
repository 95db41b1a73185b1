//! How and when a person wants to be told.

use kit::store::FromRow;
use kit::web::Schema;
use kit::{Language, is_zone_name, minute_of_day};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The channels by which a person is told about activity, and when. Notices about security ignore them.
#[derive(Debug, PartialEq, Serialize, Deserialize, FromRow, Schema)]
pub struct Preferences {
    pub language: Language,
    #[schemars(example = true)]
    pub telegram: bool,
    /// E-mails go to a verified address only.
    #[schemars(example = true)]
    pub email: bool,
    #[schemars(example = true)]
    pub webhook: bool,
    /// The IANA time zone of the quiet hours and the digest.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64), example = &"Europe/Lisbon")]
    pub time_zone: String,
    /// In these hours Telegram and e-mail wait; webhooks do not.
    #[serde(default)]
    #[row(json)]
    pub quiet_hours: Option<QuietHours>,
    /// The time of day at which the notices of a day come as one e-mail. Notices that cannot wait, as that a parking ends
    /// soon, still come at once.
    #[serde(default)]
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"), example = &"08:00")]
    pub digest_at: Option<String>,
}

/// Hours of every day. They may pass midnight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
pub struct QuietHours {
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"), example = &"22:00")]
    pub from: String,
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"), example = &"07:30")]
    pub until: String,
}

impl Preferences {
    pub fn checked(self) -> Result<Self, Error> {
        if !is_zone_name(&self.time_zone) {
            return Err(Error::UnknownTimeZone);
        }
        let hours = self.quiet_hours.as_ref();
        let are_times = hours
            .into_iter()
            .flat_map(|it| [&it.from, &it.until])
            .chain(&self.digest_at)
            .all(|it| minute_of_day(it).is_some_and(|it| it < 24 * 60));
        if !are_times {
            return Err(Error::InvalidHours("a time of day is written as 08:00"));
        }
        if hours.is_some_and(|it| it.from == it.until) {
            return Err(Error::InvalidHours(
                "quiet hours end at another time than they begin",
            ));
        }
        Ok(self)
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Without a choice, every channel is used at once.
impl Default for Preferences {
    fn default() -> Self {
        Self {
            language: Language::default(),
            telegram: true,
            email: true,
            webhook: true,
            time_zone: utc(),
            quiet_hours: None,
            digest_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(zone: &str, from: &str, until: &str, digest: &str) -> bool {
        let preferences = Preferences {
            time_zone: zone.to_owned(),
            quiet_hours: Some(QuietHours {
                from: from.to_owned(),
                until: until.to_owned(),
            }),
            digest_at: Some(digest.to_owned()),
            ..Preferences::default()
        };
        preferences.checked().is_ok()
    }

    #[test]
    fn times_are_times_of_a_day_in_a_zone() {
        assert!(chosen("Europe/Lisbon", "22:00", "07:30", "08:00"));
        assert!(chosen("UTC", "00:00", "23:59", "00:00"));
        for wrong in [
            "24:00", "7:30", "07:60", "+7:30", "07:3", "", "07:30:00", "0x:00",
        ] {
            assert!(!chosen("UTC", "22:00", wrong, "08:00"), "{wrong}");
            assert!(!chosen("UTC", "22:00", "07:00", wrong), "{wrong}");
        }
        assert!(!chosen("UTC", "22:00", "22:00", "08:00"), "no hours at all");
        for wrong in ["", "Lisbon", "FOO3BAR", "Európe/Lisbon"] {
            assert!(!chosen(wrong, "22:00", "07:00", "08:00"), "{wrong}");
        }
    }
}
