//! A menu as a CSV file (RFC 4180), for spreadsheets. No I/O in this file.

use std::collections::BTreeMap;

use kit::money::decimal;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::product::{
    Group, Hours, Product, Station, check_hours, check_name, check_options, check_price,
    check_stock, stored_options,
};

/// The columns of an export. An import may have them in any order and leave out all but the first three.
const COLUMNS: [&str; 10] = [
    "category",
    "name",
    "price",
    "description",
    "allergens",
    "station",
    "enabled",
    "stock",
    "hours",
    "options",
];

/// Products that one import may have: it is one statement.
const MAX_ROWS: usize = 2_000;

/// A product in a row of the file; absent fields stay as they are.
#[derive(Debug, PartialEq, Serialize)]
pub struct MenuRow {
    category: String,
    name: String,
    price: i64,
    description: Option<String>,
    allergens: Option<Vec<String>>,
    station: Option<Station>,
    enabled: Option<bool>,
    stock: Option<i32>,
    hours: Option<Value>,
    options: Option<Value>,
}

/// The menu as a file.
pub fn write(products: &[Product]) -> String {
    let mut text = COLUMNS.join(",");
    text.push_str("\r\n");
    for it in products {
        let json = |value: Value| match value.as_array() {
            Some(list) if list.is_empty() => String::new(),
            _ => value.to_string(),
        };
        let fields = [
            it.category.clone(),
            it.name.clone(),
            decimal::text(it.price),
            it.description.clone(),
            it.allergens.join(";"),
            it.station.name().to_owned(),
            it.enabled.to_string(),
            it.stock.map(|it| it.to_string()).unwrap_or_default(),
            json(json!(it.hours)),
            json(json!(it.options)),
        ];
        let fields: Vec<_> = fields.iter().map(|it| quoted(it)).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A field of a row, quoted where it has to be.
pub fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

/// The products of a file. A row that does not fit is named by its line.
pub fn read(text: &str) -> Result<Vec<MenuRow>, Error> {
    let mut records = parse(text.trim_start_matches('\u{feff}'))?.into_iter();
    let head = records
        .next()
        .ok_or(Error::InvalidFile(1, "the file is empty"))?;
    let head: Vec<_> = head
        .fields
        .iter()
        .map(|it| it.trim().to_lowercase())
        .collect();
    if head.iter().any(|it| !COLUMNS.contains(&it.as_str())) {
        return Err(Error::InvalidFile(1, "a column is unknown"));
    }
    let rows: Vec<_> = records
        .filter(|it| it.fields.iter().any(|it| !it.trim().is_empty()))
        .map(|it| row(&head, it))
        .collect::<Result<_, _>>()?;
    match rows.len() <= MAX_ROWS {
        true => Ok(rows),
        false => Err(Error::InvalidFile(
            MAX_ROWS,
            "the file has more than 2000 products",
        )),
    }
}

fn row(head: &[String], record: Record) -> Result<MenuRow, Error> {
    let line = record.line;
    let wrong = |what: &'static str| Error::InvalidFile(line, what);
    if record.fields.len() != head.len() {
        return Err(wrong("a row has as many fields as the first one"));
    }
    let fields: BTreeMap<_, _> = head.iter().map(String::as_str).zip(record.fields).collect();
    let field = |name: &str| {
        fields
            .get(name)
            .map(|it| it.trim())
            .filter(|it| !it.is_empty())
    };
    let name = |column: &str, longest: usize| {
        check_name(field(column).unwrap_or_default(), longest)
            .map_err(|_| wrong("category and name have 1 to 100 and 1 to 200 printable characters"))
    };
    let price = field("price")
        .and_then(decimal::parse)
        .and_then(|it| check_price(it).ok())
        .ok_or_else(|| wrong("price is an amount like 25.50"))?;
    let stock = field("stock")
        .map(|it| it.parse().ok().and_then(|it| check_stock(it).ok()))
        .map(|it| it.ok_or_else(|| wrong("stock is a number up to 1000000")))
        .transpose()?;
    let hours = field("hours")
        .map(|it| {
            let hours: Vec<Hours> = serde_json::from_str(it).ok()?;
            check_hours(&hours).ok()?;
            Some(json!(hours))
        })
        .map(|it| it.ok_or_else(|| wrong("hours are a list, as an export has it")))
        .transpose()?;
    let options = field("options")
        .map(|it| {
            let groups: Vec<Group> = serde_json::from_str(it).ok()?;
            check_options(&groups).ok()?;
            Some(stored_options(&groups))
        })
        .map(|it| it.ok_or_else(|| wrong("options are a list, as an export has it")))
        .transpose()?;
    let allergens = field("allergens").map(|it| it.split(';').map(|it| it.trim().to_owned()));
    let allergens: Option<Vec<_>> = allergens.map(Iterator::collect);
    let description = field("description").map(str::to_owned);
    let is_long = description
        .as_ref()
        .is_some_and(|it| it.chars().count() > 2_000)
        || allergens.as_ref().is_some_and(|it| it.len() > 30);
    if is_long || record.has_nul {
        return Err(wrong("a text is too long or not printable"));
    }
    Ok(MenuRow {
        category: name("category", 100)?,
        name: name("name", 200)?,
        price,
        description,
        allergens,
        station: field("station")
            .map(|it| Station::parse(it).ok_or_else(|| wrong("station is kitchen or bar")))
            .transpose()?,
        enabled: field("enabled")
            .map(|it| it.parse().map_err(|_| wrong("enabled is true or false")))
            .transpose()?,
        stock,
        hours,
        options,
    })
}

struct Record {
    /// Of its first field, from 1.
    line: usize,
    fields: Vec<String>,
    has_nul: bool,
}

fn parse(text: &str) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    let mut line = 1;
    let mut record = Record {
        line,
        fields: vec![String::new()],
        has_nul: false,
    };
    let mut letters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        line += usize::from(letter == '\n');
        record.has_nul |= letter == '\0';
        let Some(field) = record.fields.last_mut() else {
            break;
        };
        match letter {
            '"' if is_quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if is_quoted => is_quoted = false,
            '"' if field.is_empty() => is_quoted = true,
            ',' if !is_quoted => record.fields.push(String::new()),
            '\r' if !is_quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !is_quoted => {
                let next = Record {
                    line,
                    fields: vec![String::new()],
                    has_nul: false,
                };
                records.push(std::mem::replace(&mut record, next));
            }
            letter => field.push(letter),
        }
    }
    if is_quoted {
        return Err(Error::InvalidFile(record.line, "a quote is not closed"));
    }
    if record.fields.iter().any(|it| !it.is_empty()) {
        records.push(record);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            fields in prop::collection::vec("[^\0\u{feff}]{1,20}", 1..5)
        ) {
            let line = fields.iter().map(|it| quoted(it)).collect::<Vec<_>>().join(",");
            let records = parse(&format!("{line}\r\n")).unwrap();
            prop_assert_eq!(records.len(), 1);
            prop_assert_eq!(&records[0].fields, &fields);
        }
    }

    #[test]
    fn a_row_needs_a_category_a_name_and_a_price() {
        let read = |text: &str| read(text).map(|it| it.len());
        assert_eq!(
            read("category,name,price\nPizzas,Margherita,39.90\n").unwrap(),
            1
        );
        assert_eq!(
            read("price,name,category\r\n5,Tea,Drinks\r\n\r\n").unwrap(),
            1
        );
        for wrong in [
            "",
            "category,name,colour\nA,B,red",
            "category,name,price\nA,B",
            "category,name,price\nA,,5",
            "category,name,price\nA,B,5.001",
            "category,name,price\nA,B,-5",
            "category,name,price\nA,\"B,5",
            "category,name,price,stock\nA,B,5,many",
            "category,name,price,hours\nA,B,5,always",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let error = super::read("category,name,price\nA,B,5\nA,C,free").unwrap_err();
        assert!(matches!(error, Error::InvalidFile(3, _)), "{error}");
    }
}
