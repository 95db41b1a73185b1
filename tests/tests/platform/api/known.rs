//! Names of things that were seen, by the parameter of the path that names them: what was created for one
//! caller is asked for by all.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;
use wharf_openapi::{Operation, Place};
use wharf_tests::Dice;

/// The most recent names that are kept for a parameter.
const KEPT: usize = 40;

#[derive(Default)]
pub struct Known(Mutex<BTreeMap<String, Vec<String>>>);

impl Known {
    /// One of the names that fit there, if any was seen.
    pub fn pick(
        &self,
        operation: &Operation<'_>,
        parameter: &str,
        dice: &mut Dice,
    ) -> Option<String> {
        let known = self.0.lock().unwrap();
        let names = known.get(place_of(operation.path, parameter))?;
        Some(names[dice.index(names.len())].clone())
    }

    fn add(&self, place: &str, name: &str) {
        let mut known = self.0.lock().unwrap();
        let names = known.entry(place.to_owned()).or_default();
        if !name.is_empty() && !names.iter().any(|it| it == name) {
            names.push(name.to_owned());
        }
        if names.len() > KEPT {
            names.remove(0);
        }
    }

    /// Remembers what a `Location` names.
    pub fn learn_location(&self, operations: &[Operation<'_>], location: &str) {
        let segments: Vec<_> = location
            .split(['?', '#'])
            .next()
            .unwrap()
            .split('/')
            .collect();
        for it in operations {
            let template: Vec<_> = it.path.split('/').collect();
            let pairs = || template.iter().zip(&segments);
            let fits = template.len() == segments.len()
                && pairs().all(|(like, it)| like == it || like.starts_with('{'));
            for (like, segment) in pairs().filter(|_| fits) {
                if let Some(name) = like.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
                    self.add(place_of(it.path, name), segment);
                }
            }
        }
    }

    /// Remembers what a list names: `GET /parking` shows what `/parking/{parking_id}` takes.
    pub fn learn_list(&self, operations: &[Operation<'_>], from: &Operation<'_>, body: &Value) {
        for it in operations {
            for parameter in it.parameters.iter().filter(|it| it.place == Place::Path) {
                let place = place_of(it.path, parameter.name);
                if place.trim_end_matches('/') == from.path {
                    for row in rows(body) {
                        if let Some(name) = named(row, parameter.name) {
                            self.add(place, &name);
                        }
                    }
                }
            }
        }
    }
}

/// The path up to the parameter: `/booking/` for `booking_id` in `/booking/{booking_id}/end`.
fn place_of<'a>(path: &'a str, parameter: &str) -> &'a str {
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
    [parameter, last, "id"]
        .iter()
        .find_map(|it| match row.get(it)? {
            Value::String(name) => Some(name.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
}
