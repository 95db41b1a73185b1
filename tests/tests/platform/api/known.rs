//! Names from answers, by the parameter that takes them and the caller that saw them, so that every caller also asks
//! for things that another caller created.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;
use wharf_openapi::{Operation, Place};
use wharf_tests::Dice;

/// How many names are kept for a parameter; the oldest goes first.
const KEPT: usize = 60;

/// Members that name the same thing in every answer.
const SHARED: [&str; 7] = [
    "otp",
    "cpf",
    "reference",
    "refresh_token",
    "payment_id",
    "booking_id",
    "paymentAccountId",
];

#[derive(Default)]
pub struct Known(Mutex<BTreeMap<String, Vec<Seen>>>);

struct Seen {
    by: &'static str,
    name: String,
}

impl Known {
    /// A name that fits the parameter; one that `actor` saw, if that is wanted and there is one.
    pub fn pick(&self, place: &str, actor: Option<&str>, dice: &mut Dice) -> Option<String> {
        let known = self.0.lock().unwrap();
        let all = known.get(place)?;
        let own: Vec<_> = all.iter().filter(|it| Some(it.by) == actor).collect();
        let seen = match own.is_empty() {
            true => &all[dice.index(all.len())],
            false => own[dice.index(own.len())],
        };
        Some(seen.name.clone())
    }

    pub fn add(&self, place: &str, by: &'static str, name: &str) {
        let mut known = self.0.lock().unwrap();
        let names = known.entry(place.to_owned()).or_default();
        if !name.is_empty() && !names.iter().any(|it| it.name == name && it.by == by) {
            let name = name.to_owned();
            names.push(Seen { by, name });
        }
        if names.len() > KEPT {
            names.remove(0);
        }
    }

    /// Remembers what an answer names: rows of a list, links, members that are the same everywhere.
    pub fn learn(
        &self,
        operations: &[Operation<'_>],
        from: &Operation<'_>,
        by: &'static str,
        body: &Value,
    ) {
        for it in operations {
            for parameter in it.parameters.iter().filter(|it| it.place == Place::Path) {
                let place = place_of(it.path, parameter.name);
                // `/payments` lists and `/payments/search` finds what `/payments/{id}` takes.
                let listing = from.path.strip_suffix("search").unwrap_or(from.path);
                if place.trim_end_matches('/') == listing.trim_end_matches('/') {
                    for name in rows(body)
                        .iter()
                        .filter_map(|row| named(row, parameter.name))
                    {
                        self.add(place, by, &name);
                    }
                }
            }
        }
        for row in rows(body) {
            for shared in SHARED {
                if let Some(name) = row.get(shared).and_then(plain) {
                    self.add(shared, by, &name);
                }
            }
            for link in row
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|it| it.1.as_str())
            {
                self.learn_link(operations, by, link);
            }
        }
    }

    /// Remembers what the path of a link names.
    pub fn learn_link(&self, operations: &[Operation<'_>], by: &'static str, link: &str) {
        let path = match link.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
            None => link,
        };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if !path.starts_with('/') {
            return;
        }
        let segments: Vec<_> = path.split('/').collect();
        for it in operations {
            let template: Vec<_> = it.path.split('/').collect();
            let pairs = || template.iter().zip(&segments);
            let fits = template.len() == segments.len()
                && pairs().all(|(like, it)| like == it || like.starts_with('{'));
            for (like, segment) in pairs().filter(|_| fits) {
                if let Some(name) = like.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
                    self.add(place_of(it.path, name), by, segment);
                }
            }
        }
    }
}

/// The path up to the parameter: `/booking/` for `booking_id` in `/booking/{booking_id}/end`.
pub fn place_of<'a>(path: &'a str, parameter: &str) -> &'a str {
    let before = path.split(&format!("{{{parameter}}}")).next();
    before.unwrap_or_default()
}

/// The objects of a list, or of the lists in an object, or the object itself.
fn rows(body: &Value) -> Vec<&Value> {
    match body {
        Value::Array(rows) => rows.iter().collect(),
        Value::Object(members) => {
            let lists = members.values().filter_map(Value::as_array).flatten();
            std::iter::once(body).chain(lists).collect()
        }
        _ => Vec::new(),
    }
}

fn named(row: &Value, parameter: &str) -> Option<String> {
    let last = parameter.rsplit('_').next().unwrap_or(parameter);
    let members = [parameter, last, "paymentAccountId", "id"];
    members.iter().find_map(|it| plain(row.get(it)?))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
