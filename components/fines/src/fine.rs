//! Plate checks and fines, as they are shown and requested. No I/O in this file; `migrations/fines/fine.sql` decides the
//! right to issue a fine and its amount due.

use jiff::Timestamp;
use kit::Word;
use kit::money::{Currency, decimal};
use kit::store::FromRow;
use kit::web::Schema;
use plate::Plate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::car::is_on_earth;
use crate::cover::BookedHere;
use crate::error::Error;
use crate::plan::Plan;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Status {
    Issued,
    Paid,
    Cancelled,
}

#[derive(Clone, Debug, Serialize, FromRow, Schema)]
pub struct Fine {
    pub id: i64,
    pub plate: String,
    /// The amount before discounts and surcharges.
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub date: Timestamp,
    pub paid: bool,
    pub zone_id: i64,
    pub currency: Currency,
    pub status: Status,
    /// The amount to pay now.
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub due: i64,
    /// When `due` changes, or until when the next part of the plan is to be paid.
    pub due_until: Option<Timestamp>,
    /// The amount to pay now when the driver gives up the appeal, where the zone offers that.
    pub due_if_waived: Option<Amount>,
    /// The amount that was paid so far.
    pub paid_amount: Option<Amount>,
    pub code: Option<String>,
    pub place: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub note: Option<String>,
    /// The status of its appeal.
    pub appeal: Option<AppealStatus>,
    /// Absent unless it is paid in parts.
    #[row(json)]
    pub plan: Option<Plan>,
    /// The secret by which the fine can be seen and paid without an account.
    pub reference: String,
    /// Its place in the driver's feed: `since` of the next poll.
    #[row(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<i64>,
}

/// An amount of at most two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, Schema)]
#[serde(transparent)]
pub struct Amount(
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub i64,
);

impl kit::store::Column for Amount {
    fn column(value: &kit::store::DbValue) -> Option<Self> {
        i64::column(value).map(Self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum AppealStatus {
    Open,
    Accepted,
    Rejected,
    Withdrawn,
}

/// A plate that is looked for, as plates are kept. A text that cannot be one is the plate of no car.
pub fn wanted_plate(text: String) -> String {
    match Plate::try_from(text) {
        Ok(plate) => plate.as_str().to_owned(),
        Err(_) => "-".to_owned(),
    }
}

/// Which fines a list has.
#[derive(Debug, Deserialize, Schema)]
pub struct Wanted {
    /// However it is written.
    pub plate: Option<String>,
    pub status: Option<Status>,
    /// `true`: only those with an open appeal.
    #[serde(default)]
    pub appealed: bool,
}

impl Wanted {
    /// With the plate as plates are kept.
    pub fn bare(self) -> Self {
        Self {
            plate: self.plate.map(wanted_plate),
            ..self
        }
    }
}

/// A fine as a controller writes it. Old clients send a plate and an amount only.
#[derive(Debug, Deserialize, Schema)]
pub struct NewFine {
    pub plate: Plate,
    /// The amount of the code when absent.
    #[schemars(range(min = 0.01, max = 1_000_000), example = 20)]
    pub amount: Option<Amount>,
    /// A code of the catalogue of violations.
    #[schemars(length(min = 1, max = 32))]
    pub code: Option<String>,
    #[schemars(length(max = 500))]
    pub place: Option<String>,
    #[schemars(range(min = -90, max = 90))]
    pub latitude: Option<f64>,
    #[schemars(range(min = -180, max = 180))]
    pub longitude: Option<f64>,
    #[schemars(length(max = 2000))]
    pub note: Option<String>,
    /// The reason why it is issued although a ticket, a booking or the grace after it covers the car. Only an admin of the
    /// zone may give one.
    #[schemars(length(max = 500))]
    pub override_reason: Option<String>,
}

/// Minor units of the largest fine.
const MAX_FINE: i64 = 100_000_000;

impl NewFine {
    pub fn check(&self) -> Result<(), Error> {
        match self.amount {
            Some(Amount(amount)) if !(1..=MAX_FINE).contains(&amount) => {
                return Err(Error::InvalidFine("amount is 0.01 to 1000000"));
            }
            None if self.code.is_none() => {
                return Err(Error::InvalidFine("a fine has an amount or a code"));
            }
            Some(_) | None => {}
        }
        let is_place = match (self.latitude, self.longitude) {
            (None, None) => true,
            (Some(latitude), Some(longitude)) => is_on_earth(latitude, longitude),
            _ => false,
        };
        if !is_place {
            return Err(Error::InvalidFine("latitude and longitude do not fit"));
        }
        let texts = [
            (&self.place, 500),
            (&self.note, 2000),
            (&self.override_reason, 500),
        ];
        let fits = |text: &Option<String>, most| {
            text.as_ref()
                .is_none_or(|it| it.chars().count() <= most && !it.contains('\0'))
        };
        if !texts.iter().all(|(text, most)| fits(text, *most)) {
            return Err(Error::InvalidFine(
                "place and override_reason have at most 500 characters, note 2000",
            ));
        }
        Ok(())
    }

    /// A reason that is more than blanks.
    pub fn reason(&self) -> Option<&str> {
        self.override_reason
            .as_deref()
            .map(str::trim)
            .filter(|it| !it.is_empty())
    }
}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 24 random letters and digits in groups of six: 120 bits, which cannot be guessed.
pub fn reference(random: Uuid, more: Uuid) -> String {
    // The low 62 bits of a UUID are random; the version and the variant above them are not.
    let low = |it: Uuid| it.as_u128() & ((1 << 62) - 1);
    let bits = low(random) << 62 | low(more);
    let mut text = String::with_capacity(27);
    for at in 0..24 {
        if at > 0 && at % 6 == 0 {
            text.push('-');
        }
        let digit = usize::try_from((bits >> (at * 5)) & 31).unwrap_or_default();
        text.push(ALPHABET.get(digit).copied().map_or('0', char::from));
    }
    text
}

/// Where the code on the paper of a fine leads.
pub fn payment_address(public_url: &str, reference: &str) -> String {
    let origin = public_url.trim_end_matches('/');
    format!("{origin}/api/v1/fines/references/{reference}/pay")
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum CheckResult {
    /// A ticket is valid, or a booking of a place in the zone.
    Valid,
    /// The ticket or booking ended, and during the grace no fine is issued.
    Grace,
    /// The ticket or booking ended within the last half hour, and the grace is over.
    Expired,
    None,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct PlateCheck {
    pub id: i64,
    pub zone_id: i64,
    pub plate: String,
    pub checked_at: Timestamp,
    pub result: CheckResult,
    /// The ticket that the result is about.
    pub ticket_id: Option<i64>,
    /// The end of what covers or covered the car: that ticket, or the booking.
    pub valid_until: Option<Timestamp>,
    pub grace_minutes: i32,
    /// The booking of the car that was found; asked for when no ticket is valid.
    #[row(json)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking: Option<BookedHere>,
}

#[derive(Debug, Deserialize, Schema)]
pub struct CheckedPlate {
    pub plate: Plate,
}

/// A line of the catalogue: what can be fined.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Violation {
    pub code: String,
    pub title: String,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub amount: i64,
    pub currency: Currency,
}

#[derive(Debug, Deserialize, Schema)]
pub struct NewViolation {
    #[schemars(length(min = 1, max = 200), example = &"Parking without a ticket")]
    pub title: String,
    #[schemars(range(min = 0.01, max = 1_000_000), example = 30)]
    pub amount: Amount,
    pub currency: Currency,
}

impl NewViolation {
    pub fn check(&self, code: &str) -> Result<(), Error> {
        let is_word = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit();
        let rest = |it: char| is_word(it) || "._-".contains(it);
        if code.len() > 32 || !code.starts_with(is_word) || !code.chars().all(rest) {
            return Err(Error::InvalidFine(
                "a code is 1 to 32 capital letters, digits and ._-",
            ));
        }
        if !(1..=MAX_FINE).contains(&self.amount.0) {
            return Err(Error::InvalidFine("amount is 0.01 to 1000000"));
        }
        let length = self.title.trim().chars().count();
        if !(1..=200).contains(&length) || self.title.contains(char::is_control) {
            return Err(Error::InvalidFine(
                "title has 1 to 200 printable characters",
            ));
        }
        Ok(())
    }
}

/// A line of the history of a fine.
#[derive(Debug, Serialize, Deserialize, FromRow, Schema)]
pub struct HistoryLine {
    pub at: Timestamp,
    pub kind: String,
    /// The user who did it; absent for a change that came with time.
    pub actor: Option<Uuid>,
    pub data: Value,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn fine(amount: Option<i64>) -> NewFine {
        NewFine {
            plate: Plate::try_from("AA123BB".to_owned()).unwrap(),
            amount: amount.map(Amount),
            code: None,
            place: None,
            latitude: None,
            longitude: None,
            note: None,
            override_reason: None,
        }
    }

    #[test]
    fn a_code_leads_to_one_address_with_and_without_a_slash_after_the_platforms() {
        for platform in ["https://wharf.test", "https://wharf.test/"] {
            assert_eq!(
                payment_address(platform, "AAAAAA-BBBBBB"),
                "https://wharf.test/api/v1/fines/references/AAAAAA-BBBBBB/pay"
            );
        }
    }

    #[test]
    fn a_fine_has_an_amount_within_the_bound_or_a_code() {
        for (amount, is_right) in [
            (0, false),
            (1, true),
            (MAX_FINE, true),
            (MAX_FINE + 1, false),
        ] {
            assert_eq!(fine(Some(amount)).check().is_ok(), is_right, "{amount}");
        }
        assert!(fine(None).check().is_err());
        let mut with_code = fine(None);
        with_code.code = Some("NO-TICKET".to_owned());
        assert!(with_code.check().is_ok());
    }

    #[test]
    fn the_fields_of_a_fine_are_bounded() {
        let right: [fn(&mut NewFine); 3] = [
            |it| (it.latitude, it.longitude) = (Some(-90.0), Some(180.0)),
            |it| it.note = Some("ж".repeat(2000)),
            |it| (it.place, it.override_reason) = (Some("x".repeat(500)), Some("x".repeat(500))),
        ];
        for change in right {
            let mut it = fine(Some(1));
            change(&mut it);
            assert!(it.check().is_ok());
        }
        let wrong: [fn(&mut NewFine); 6] = [
            |it| it.latitude = Some(0.0),
            |it| (it.latitude, it.longitude) = (Some(90.5), Some(0.0)),
            |it| it.note = Some("x".repeat(2001)),
            |it| it.place = Some("x".repeat(501)),
            |it| it.override_reason = Some("x".repeat(501)),
            |it| it.note = Some("\0".to_owned()),
        ];
        for change in wrong {
            let mut it = fine(Some(1));
            change(&mut it);
            assert!(it.check().is_err());
        }
        let mut blank = fine(Some(1));
        blank.override_reason = Some(" ".to_owned());
        assert_eq!(blank.reason(), None);
    }

    #[test]
    fn a_line_of_the_catalogue_has_a_code_a_title_and_an_amount() {
        let line = |title: &str, amount| NewViolation {
            title: title.to_owned(),
            amount: Amount(amount),
            currency: Currency::Eur,
        };
        let longest = "X".repeat(32);
        for code in ["A", "7", "NO-TICKET.2_B", &longest] {
            assert!(line("x", 1).check(code).is_ok(), "{code}");
        }
        let too_long = "X".repeat(33);
        for code in ["", "-A", "no", "A B", &too_long] {
            assert!(line("x", 1).check(code).is_err(), "{code}");
        }
        for (amount, is_right) in [(0, false), (MAX_FINE, true), (MAX_FINE + 1, false)] {
            assert_eq!(line("x", amount).check("A").is_ok(), is_right, "{amount}");
        }
        assert!(line(&"é".repeat(200), 1).check("A").is_ok());
        for title in [" ", "a\nb", &"x".repeat(201)] {
            assert!(line(title, 1).check("A").is_err(), "{title}");
        }
    }

    #[test]
    fn every_digit_of_a_reference_varies() {
        let drawn: Vec<String> = (0..400)
            .map(|_| reference(Uuid::new_v4(), Uuid::new_v4()))
            .collect();
        assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len());
        for at in (0..27).filter(|it| it % 7 != 6) {
            let digits: BTreeSet<u8> = drawn.iter().map(|it| it.as_bytes()[at]).collect();
            assert!(
                digits.len() > 25,
                "digit {at} takes {} values",
                digits.len()
            );
        }
    }
}
