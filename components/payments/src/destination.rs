//! Destinations and cash-outs of wallets to them. An account's number is checked by its form and its check digits. No
//! I/O in this file.

use jiff::Timestamp;
use kit::Word;
use kit::money::Currency;
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Kind {
    /// A Pix key: CPF, CNPJ, phone, e-mail or random key.
    Pix,
    Iban,
    /// Routing number and account number.
    UsBank,
}

impl Kind {
    /// The currency of the account: money is never converted.
    pub fn currency(self) -> Currency {
        match self {
            Self::Pix => Currency::Brl,
            Self::Iban => Currency::Eur,
            Self::UsBank => Currency::Usd,
        }
    }
}

/// A well-formed account number, in its canonical spelling.
#[derive(Debug, PartialEq, Eq)]
pub struct Account {
    pub text: String,
    /// The masked form, which its owner sees from then on.
    pub mask: String,
}

impl Account {
    /// `routing` is needed for accounts in the United States and for no others.
    pub fn parse(kind: Kind, text: &str, routing: Option<&str>) -> Option<Self> {
        let text = match (kind, routing) {
            (Kind::Pix, None) => pix_key(text)?,
            (Kind::Iban, None) => iban(text)?,
            (Kind::UsBank, Some(routing)) => us_account(routing, text)?,
            (Kind::Pix | Kind::Iban, Some(_)) | (Kind::UsBank, None) => return None,
        };
        let mask = mask(&text);
        Some(Self { text, mask })
    }
}

/// The last four characters; for an e-mail address, its first letter and its host.
fn mask(text: &str) -> String {
    if let Some((name, host)) = text.split_once('@') {
        let first: String = name.chars().take(1).collect();
        return format!("{first}***@{host}");
    }
    let hidden = text.chars().count().saturating_sub(4);
    let last: String = text.chars().skip(hidden).collect();
    format!("****{last}")
}

/// The digits of a text that may be grouped by spaces and punctuation.
fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars()
        .filter(|it| !matches!(it, ' ' | '.' | '-' | '/' | '(' | ')'))
        .map(|it| it.to_digit(10))
        .collect()
}

fn written(digits: &[u32]) -> String {
    digits
        .iter()
        .filter_map(|it| char::from_digit(*it, 10))
        .collect()
}

fn pix_key(text: &str) -> Option<String> {
    let text = text.trim();
    if text.contains('@') {
        return is_email(text).then(|| text.to_lowercase());
    }
    if let Ok(random) = Uuid::parse_str(text) {
        return Some(random.to_string());
    }
    if let Some(phone) = text.strip_prefix('+') {
        let phone = digits(phone)?;
        let fits = phone.starts_with(&[5, 5]) && matches!(phone.len(), 12 | 13);
        return fits.then(|| format!("+{}", written(&phone)));
    }
    let digits = digits(text)?;
    let fits = match digits.len() {
        11 => has_check_digits(&digits, 11),
        14 => has_check_digits(&digits, 9),
        _ => false,
    };
    fits.then(|| written(&digits))
}

fn is_email(text: &str) -> bool {
    text.len() <= 77
        && !text
            .chars()
            .any(|it| it.is_whitespace() || it.is_control() || !it.is_ascii())
        && matches!(text.split_once('@'), Some((name, host))
            if !name.is_empty() && host.contains('.') && !host.contains('@'))
}

/// Whether the last two of the digits of a CPF or CNPJ are its check digits. Weights grow from 2 at the end and begin
/// again after `highest`.
fn has_check_digits(digits: &[u32], highest: u32) -> bool {
    let is_one_digit = digits.iter().all(|it| digits.first() == Some(it));
    let fits = |length: usize| {
        let weights = (2..=highest).cycle();
        let body = digits.iter().take(length).rev();
        let sum: u32 = body
            .zip(weights)
            .map(|(digit, weight)| digit * weight)
            .sum();
        let check = match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        };
        digits.get(length) == Some(&check)
    };
    let length = digits.len();
    !is_one_digit && fits(length.saturating_sub(2)) && fits(length.saturating_sub(1))
}

/// ISO 13616: the country and two check digits first; moved to the end, all is 1 modulo 97.
fn iban(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|it| *it != ' ').collect();
    let text = text.to_ascii_uppercase();
    let has_form = (15..=34).contains(&text.len())
        && text.chars().all(|it| it.is_ascii_alphanumeric())
        && text.chars().take(2).all(|it| it.is_ascii_uppercase())
        && text.chars().skip(2).take(2).all(|it| it.is_ascii_digit());
    let turned = text.chars().skip(4).chain(text.chars().take(4));
    let rest = turned
        .filter_map(|it| it.to_digit(36))
        .fold(0, |rest, value| match value {
            0..=9 => (rest * 10 + value) % 97,
            _ => (rest * 100 + value) % 97,
        });
    (has_form && rest == 1).then_some(text)
}

/// The routing number of the American Bankers Association has a check digit; an account number has 4 to 17 digits.
fn us_account(routing: &str, account: &str) -> Option<String> {
    let (routing, account) = (digits(routing)?, digits(account)?);
    let weights = [3, 7, 1].into_iter().cycle();
    let sum: u32 = routing.iter().zip(weights).map(|(it, by)| it * by).sum();
    let fits = routing.len() == 9 && sum > 0 && sum.is_multiple_of(10);
    (fits && (4..=17).contains(&account.len()))
        .then(|| format!("{}/{}", written(&routing), written(&account)))
}

/// The name of an account's holder, as a bank takes it: 2 to 140 printable characters.
pub fn holder_name(text: &str) -> Option<&str> {
    let text = text.trim();
    let fits = (2..=140).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// A destination that its owner added.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Destination {
    pub id: Uuid,
    pub kind: Kind,
    /// The currency that can be sent there.
    pub currency: String,
    pub holder_name: String,
    /// Masked.
    #[row(column = "mask")]
    pub account: String,
    pub is_usable: bool,
    pub usable_at: Timestamp,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum PayoutState {
    /// No admin has approved it.
    Open,
    /// It is being paid at the bank.
    Approved,
    Paid,
    /// It could not be paid: the money is back.
    Returned,
    /// By its owner: the money is back.
    Cancelled,
}

/// Money on its way from a wallet to a destination.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct CashOut {
    pub id: Uuid,
    /// Grows with every cash-out: pages go by it.
    pub seq: i64,
    /// Minor units.
    pub amount: i64,
    pub currency: String,
    pub state: PayoutState,
    #[row(column = "destination")]
    pub destination_id: Uuid,
    /// Masked.
    #[row(column = "mask")]
    pub destination: String,
    pub created_at: Timestamp,
    pub approved_at: Option<Timestamp>,
    pub paid_at: Option<Timestamp>,
    pub returned_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(kind: Kind, text: &str) -> Option<String> {
        Account::parse(kind, text, None).map(|it| it.text)
    }

    #[test]
    fn one_account_has_one_spelling() {
        for (kind, given, kept) in [
            (Kind::Pix, "529.982.247-25", "52998224725"),
            (Kind::Pix, "11.222.333/0001-81", "11222333000181"),
            (Kind::Pix, "+55 (11) 91234-5678", "+5511912345678"),
            (Kind::Pix, " Ana@Example.com ", "ana@example.com"),
            (
                Kind::Pix,
                "123E4567-E89B-12D3-A456-426614174000",
                "123e4567-e89b-12d3-a456-426614174000",
            ),
            (
                Kind::Iban,
                "de89 3704 0044 0532 0130 00",
                "DE89370400440532013000",
            ),
            (
                Kind::Iban,
                "GB82 WEST 1234 5698 7654 32",
                "GB82WEST12345698765432",
            ),
        ] {
            assert_eq!(text(kind, given).as_deref(), Some(kept), "{given}");
        }
        let account = Account::parse(Kind::UsBank, "123-456789", Some("021000021")).unwrap();
        assert_eq!(account.text, "021000021/123456789");
        assert_eq!(account.mask, "****6789");
    }

    #[test]
    fn an_account_that_cannot_exist_is_refused() {
        for (kind, wrong) in [
            (Kind::Pix, "52998224726"),
            (Kind::Pix, "11111111111"),
            (Kind::Pix, "11222333000182"),
            (Kind::Pix, "+1 202 555 0100"),
            (Kind::Pix, "ana@localhost"),
            (Kind::Pix, "a b@example.com"),
            (Kind::Pix, ""),
            (Kind::Iban, "DE89370400440532013001"),
            (Kind::Iban, "8937DE0400440532013000"),
            (Kind::Iban, "DE89"),
            (Kind::UsBank, "123456789"),
        ] {
            assert_eq!(text(kind, wrong), None, "{wrong}");
        }
        for (routing, account) in [
            ("021000022", "123456789"),
            ("000000000", "123456789"),
            ("02100002", "123456789"),
            ("021000021", "123"),
            ("021000021", "123456789012345678"),
            ("021000021", "12a4567"),
        ] {
            let parsed = Account::parse(Kind::UsBank, account, Some(routing));
            assert_eq!(parsed, None, "{routing} {account}");
        }
        let with_routing = Account::parse(Kind::Iban, "DE89370400440532013000", Some("021000021"));
        assert_eq!(with_routing, None);
    }

    #[test]
    fn a_mask_shows_no_more_than_its_owner_needs_to_tell_accounts_apart() {
        assert_eq!(mask("DE89370400440532013000"), "****3000");
        assert_eq!(mask("ana@example.com"), "a***@example.com");
    }

    proptest! {
        /// One wrong digit never passes for a right one.
        #[test]
        fn a_mistyped_digit_is_seen(at in 0_usize..22, by in 1_u32..10) {
            let right = "DE89370400440532013000";
            let wrong: String = right.chars().enumerate().map(|(place, it)| match it.to_digit(10) {
                Some(digit) if place == at => char::from_digit((digit + by) % 10, 10).unwrap(),
                _ => it,
            }).collect();
            prop_assume!(wrong != right);
            prop_assert_eq!(iban(&wrong), None);
        }

        #[test]
        fn any_text_is_read_or_refused(given in ".{0,60}", routing in prop::option::of(".{0,12}")) {
            for kind in Kind::ALL {
                if let Some(account) = Account::parse(kind, &given, routing.as_deref()) {
                    prop_assert!(account.text.is_ascii() && account.text.len() <= 77);
                }
            }
        }
    }
}
