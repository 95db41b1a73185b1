//! Products and categories of a menu. No I/O in this file.

use jiff::Timestamp;
use jiff::civil::Time;
use kit::Word;
use kit::money::decimal;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Category {
    pub id: i64,
    pub name: String,
    pub enabled: bool,
    pub shop_id: i64,
}

/// Where a product is prepared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Word)]
pub enum Station {
    #[default]
    Kitchen,
    Bar,
}

#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Product {
    pub id: i64,
    pub name: String,
    /// BRL.
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    pub price: i64,
    pub category_id: i64,
    pub enabled: bool,
    /// The category's name.
    pub category: String,
    pub description: String,
    pub allergens: Vec<String>,
    pub station: Station,
    /// When it is served; always when empty.
    #[row(json)]
    pub hours: Vec<Hours>,
    /// How many are left; `null` when the product is not counted.
    pub stock: Option<i32>,
    /// It can be ordered now.
    pub available: bool,
    #[row(json)]
    pub options: Vec<Group>,
    /// The path of the first of its photos.
    pub photo: Option<String>,
    /// The paths of its photos, in their order. A path leads to the bytes.
    pub photos: Vec<String>,
    pub shop_id: i64,
}

/// A window of the week. A window whose end is before its begin goes on after midnight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
pub struct Hours {
    /// 1 is Monday, 7 is Sunday.
    #[schemars(example = &[1, 2, 3, 4, 5])]
    pub days: Vec<u8>,
    #[schemars(example = &"06:30")]
    pub from: String,
    #[schemars(example = &"11:00")]
    pub to: String,
}

/// A question that comes with a product, as its size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
pub struct Group {
    #[schemars(example = &"Size")]
    pub name: String,
    /// How many choices have to be made.
    #[serde(default)]
    #[schemars(example = 1)]
    pub at_least: i32,
    /// How many choices can be made.
    #[serde(default = "one")]
    #[schemars(example = 1)]
    pub at_most: i32,
    pub choices: Vec<Choice>,
}

fn one() -> i32 {
    1
}

/// A possible answer, and its extra price. A choice is known by its name: when it is sent again it keeps its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
pub struct Choice {
    #[serde(default)]
    pub id: Option<i64>,
    #[schemars(example = &"Large")]
    pub name: String,
    #[serde(default, with = "decimal")]
    #[schemars(with = "f64", example = 2.5)]
    pub price: i64,
    pub stock: Option<i32>,
}

/// Why a stock changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Reason {
    /// An order reserved it.
    Order,
    /// An order was called off before it was prepared.
    Release,
    /// More was delivered.
    Delivery,
    /// A person counted the stock.
    Count,
}

/// A change of a stock.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Movement {
    pub id: i64,
    pub choice_id: Option<i64>,
    pub change: i32,
    /// The stock afterwards.
    pub stock: Option<i32>,
    pub reason: Reason,
    pub order_id: Option<i64>,
    pub actor: Option<Uuid>,
    pub created_at: Timestamp,
}

const MAX_PRICE: i64 = 100_000_000;
pub const MAX_STOCK: i32 = 1_000_000;
const MAX_GROUPS: usize = 20;
const MAX_CHOICES: usize = 50;

pub fn check_name(name: &str, longest: usize) -> Result<String, Error> {
    let name = name.trim();
    match name.chars().count() {
        1.. if name.chars().count() <= longest && !name.chars().any(char::is_control) => {
            Ok(name.to_owned())
        }
        _ => Err(Error::InvalidName(longest)),
    }
}

pub fn check_price(price: i64) -> Result<i64, Error> {
    match price {
        0..=MAX_PRICE => Ok(price),
        _ => Err(Error::InvalidPrice),
    }
}

pub fn check_stock(stock: i32) -> Result<i32, Error> {
    match stock {
        0..=MAX_STOCK => Ok(stock),
        _ => Err(Error::InvalidStock),
    }
}

pub fn check_hours(hours: &[Hours]) -> Result<(), Error> {
    let fits = |it: &Hours| {
        let parse = |text: &str| Time::strptime("%H:%M", text).ok();
        let window = (parse(&it.from), parse(&it.to));
        !it.days.is_empty()
            && it.days.iter().all(|day| (1..=7).contains(day))
            && matches!(window, (Some(from), Some(to)) if from != to)
    };
    match hours.len() <= 20 && hours.iter().all(fits) {
        true => Ok(()),
        false => Err(Error::InvalidHours),
    }
}

/// Names are told apart without regard to case, as the database does.
pub fn check_options(groups: &[Group]) -> Result<(), Error> {
    let is_once = |names: Vec<String>| {
        let mut sorted: Vec<_> = names.iter().map(|it| it.to_lowercase()).collect();
        sorted.sort();
        sorted.dedup();
        sorted.len() == names.len()
    };
    let name = |it: &str| check_name(it, 100);
    if groups.len() > MAX_GROUPS {
        return Err(Error::InvalidOptions);
    }
    let mut names = Vec::new();
    for group in groups {
        names.push(name(&group.name)?);
        let choices = group.choices.iter().map(|it| name(&it.name));
        let bounds = 0 <= group.at_least
            && group.at_least <= group.at_most
            && (1..=50).contains(&group.at_most);
        let count = group.choices.len();
        if !bounds
            || !(1..=MAX_CHOICES).contains(&count)
            || usize::try_from(group.at_least).is_ok_and(|least| least > count)
            || !is_once(choices.collect::<Result<_, _>>()?)
        {
            return Err(Error::InvalidOptions);
        }
        for choice in &group.choices {
            check_price(choice.price)?;
            choice.stock.map(check_stock).transpose()?;
        }
    }
    match is_once(names) {
        true => Ok(()),
        false => Err(Error::InvalidOptions),
    }
}

/// A choice as it is stored: prices in minor units.
#[derive(Serialize)]
struct StoredGroup<'a> {
    name: &'a str,
    at_least: i32,
    at_most: i32,
    choices: Vec<StoredChoice<'a>>,
}

#[derive(Serialize)]
struct StoredChoice<'a> {
    name: &'a str,
    price: i64,
    stock: Option<i32>,
}

pub fn stored_options(groups: &[Group]) -> serde_json::Value {
    let stored: Vec<_> = groups
        .iter()
        .map(|group| StoredGroup {
            name: group.name.trim(),
            at_least: group.at_least,
            at_most: group.at_most,
            choices: group
                .choices
                .iter()
                .map(|it| StoredChoice {
                    name: it.name.trim(),
                    price: it.price,
                    stock: it.stock,
                })
                .collect(),
        })
        .collect();
    serde_json::json!(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(days: &[u8], from: &str, to: &str) -> Hours {
        Hours {
            days: days.to_vec(),
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    #[test]
    fn hours_are_days_of_the_week_and_two_times() {
        let window = hours(&[1, 7], "18:00", "02:00");
        assert!(check_hours(&vec![window.clone(); 20]).is_ok());
        assert!(check_hours(&vec![window; 21]).is_err());
        for wrong in [
            hours(&[], "06:00", "11:00"),
            hours(&[0], "06:00", "11:00"),
            hours(&[8], "06:00", "11:00"),
            hours(&[1], "06:00", "06:00"),
            hours(&[1], "6 am", "11:00"),
            hours(&[1], "06:00", "24:00"),
        ] {
            assert!(
                check_hours(std::slice::from_ref(&wrong)).is_err(),
                "{wrong:?}"
            );
        }
    }

    fn group(name: &str, at_least: i32, at_most: i32, choices: &[&str]) -> Group {
        Group {
            name: name.to_owned(),
            at_least,
            at_most,
            choices: choices
                .iter()
                .map(|name| Choice {
                    id: None,
                    name: (*name).to_owned(),
                    price: 0,
                    stock: None,
                })
                .collect(),
        }
    }

    #[test]
    fn options_have_names_of_their_own_and_bounds_that_can_be_met() {
        assert!(check_options(&[group("Size", 1, 1, &["Small", "Large"])]).is_ok());
        for wrong in [
            vec![group("Size", 2, 1, &["Small"])],
            vec![group("Size", -1, 1, &["Small"])],
            vec![group("Size", 2, 2, &["Small"])],
            vec![group("Size", 0, 0, &["Small"])],
            vec![group("Size", 0, 1, &[])],
            vec![group("Size", 0, 1, &["Small", "SMALL"])],
            vec![group("Size", 0, 1, &["S"]), group("size", 0, 1, &["S"])],
            vec![group("Size", 0, 51, &["S"])],
            vec![group(&"x".repeat(101), 0, 1, &["S"])],
        ] {
            assert!(check_options(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn there_are_so_many_options_and_choices_at_most() {
        let names: Vec<String> = (0..51).map(|it| it.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let options = |groups: usize, choices: usize| {
            let groups = &names[..groups];
            let groups = groups.iter().map(|it| group(it, 0, 50, &names[..choices]));
            check_options(&groups.collect::<Vec<_>>()).is_ok()
        };
        assert!(options(20, 50));
        assert!(!options(21, 1) && !options(1, 51));
    }

    #[test]
    fn names_prices_and_stocks_have_bounds() {
        assert_eq!(check_name(" ß ", 1).unwrap(), "ß");
        for wrong in [" ", "ab", "\n", "a\0"] {
            assert!(check_name(wrong, 1).is_err(), "{wrong:?}");
        }
        assert!(check_name("a\tb", 3).is_err());
        for (number, is_right) in [
            (-1, false),
            (0, true),
            (MAX_STOCK, true),
            (MAX_STOCK + 1, false),
        ] {
            assert_eq!(check_stock(number).is_ok(), is_right, "{number}");
        }
        for (price, is_right) in [
            (-1, false),
            (0, true),
            (MAX_PRICE, true),
            (MAX_PRICE + 1, false),
        ] {
            assert_eq!(check_price(price).is_ok(), is_right, "{price}");
        }
        let mut dear = group("Size", 0, 1, &["Large"]);
        dear.choices[0].price = MAX_PRICE + 1;
        assert!(check_options(&[dear]).is_err());
        let mut many = group("Size", 0, 1, &["Large"]);
        many.choices[0].stock = Some(-1);
        assert!(check_options(&[many]).is_err());
    }
}
