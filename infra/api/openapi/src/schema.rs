//! Checks a value against a schema of the description.

use serde_json::Value;

use crate::document::{Document, members};

/// The faults of the value, each with its JSON pointer; empty when it fits.
pub fn faults(document: &Document, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(document, schema, value, "", &mut faults);
    faults
}

/// Keywords that say nothing about whether a value fits.
const REMARKS: [&str; 7] = [
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

fn check(document: &Document, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Value::Bool(is_any) = schema {
        if !is_any {
            faults.push(format!("{at}: nothing is allowed here"));
        }
        return;
    }
    for (keyword, rule) in members(schema) {
        let fits = match keyword {
            "$ref" => {
                match document.resolve(rule.as_str().unwrap_or_default()) {
                    Ok(schema) => check(document, schema, value, at, faults),
                    Err(error) => faults.push(error.to_string()),
                }
                true
            }
            "allOf" => {
                for schema in rule.as_array().into_iter().flatten() {
                    check(document, schema, value, at, faults);
                }
                true
            }
            "anyOf" => alternatives(document, rule, value, at) > 0,
            "oneOf" => alternatives(document, rule, value, at) == 1,
            "type" => match rule {
                Value::Array(kinds) => kinds.iter().any(|it| is_of(value, it)),
                kind => is_of(value, kind),
            },
            "enum" => rule.as_array().is_some_and(|it| it.contains(value)),
            "const" => rule == value,
            "format" => value.as_str().is_none_or(|it| has_format(it, rule)),
            "pattern" => value.as_str().is_none_or(|it| matches(it, rule)),
            "minimum" => number(value, rule).is_none_or(|(it, least)| it >= least),
            "maximum" => number(value, rule).is_none_or(|(it, most)| it <= most),
            "exclusiveMinimum" => number(value, rule).is_none_or(|(it, least)| it > least),
            "exclusiveMaximum" => number(value, rule).is_none_or(|(it, most)| it < most),
            "minLength" => length(value, rule).is_none_or(|(it, least)| it >= least),
            "maxLength" => length(value, rule).is_none_or(|(it, most)| it <= most),
            "minItems" => count(value, rule).is_none_or(|(it, least)| it >= least),
            "maxItems" => count(value, rule).is_none_or(|(it, most)| it <= most),
            "uniqueItems" => value.as_array().is_none_or(|all| {
                let is_new = |at: usize, it| !all.iter().take(at).any(|other| other == it);
                all.iter().enumerate().all(|(at, it)| is_new(at, it))
            }),
            "required" => {
                let names = rule.as_array().into_iter().flatten();
                for name in names.filter_map(Value::as_str) {
                    if value.is_object() && value.get(name).is_none() {
                        faults.push(format!("{at}/{name}: is missing"));
                    }
                }
                true
            }
            "properties" => {
                for (name, schema) in members(rule) {
                    if let Some(value) = value.get(name) {
                        check(document, schema, value, &format!("{at}/{name}"), faults);
                    }
                }
                true
            }
            "additionalProperties" => {
                for (name, value) in members(value) {
                    if schema["properties"].get(name).is_none() {
                        check(document, rule, value, &format!("{at}/{name}"), faults);
                    }
                }
                true
            }
            "items" => {
                let first = schema["prefixItems"].as_array().map_or(0, Vec::len);
                let items = value.as_array().into_iter().flatten().enumerate();
                for (index, item) in items.skip(first) {
                    check(document, rule, item, &format!("{at}/{index}"), faults);
                }
                true
            }
            "prefixItems" => {
                let items = value.as_array().into_iter().flatten();
                let schemas = rule.as_array().into_iter().flatten();
                for (index, (schema, item)) in schemas.zip(items).enumerate() {
                    check(document, schema, item, &format!("{at}/{index}"), faults);
                }
                true
            }
            remark if REMARKS.contains(&remark) => true,
            unknown => {
                faults.push(format!("{at}: the keyword {unknown} is not known here"));
                true
            }
        };
        if !fits {
            faults.push(format!("{at}: {value} breaks {keyword}: {rule}"));
        }
    }
}

/// How many of the schemas the value fits.
fn alternatives(document: &Document, schemas: &Value, value: &Value, at: &str) -> usize {
    let schemas = schemas.as_array().into_iter().flatten();
    schemas
        .filter(|schema| {
            let mut faults = Vec::new();
            check(document, schema, value, at, &mut faults);
            faults.is_empty()
        })
        .count()
}

fn is_of(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap_or_default() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// Formats whose texts are recognised by their form; the rest are remarks.
fn has_format(text: &str, format: &Value) -> bool {
    match format.as_str().unwrap_or_default() {
        "uuid" => {
            text.len() == 36
                && text.char_indices().all(|(at, it)| match at {
                    8 | 13 | 18 | 23 => it == '-',
                    _ => it.is_ascii_hexdigit(),
                })
        }
        "date" => is_shaped(text, "0000-00-00"),
        "date-time" => {
            let (moment, zone) = text.split_at_checked(19).unwrap_or((text, ""));
            let zone = zone.trim_start_matches(|it: char| it == '.' || it.is_ascii_digit());
            is_shaped(moment, "0000-00-00T00:00:00")
                && (zone.eq_ignore_ascii_case("Z")
                    || is_shaped(zone, "+00:00")
                    || is_shaped(zone, "-00:00"))
        }
        _ => true,
    }
}

/// A `0` of the pattern stands for any digit.
fn is_shaped(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text
            .chars()
            .zip(pattern.chars())
            .all(|(it, like)| match like {
                '0' => it.is_ascii_digit(),
                like => it.eq_ignore_ascii_case(&like),
            })
}

fn matches(text: &str, pattern: &Value) -> bool {
    let pattern = regex_lite::Regex::new(pattern.as_str().unwrap_or_default());
    pattern.is_ok_and(|it| it.is_match(text))
}

fn number(value: &Value, rule: &Value) -> Option<(f64, f64)> {
    value.as_f64().zip(rule.as_f64())
}

fn length(value: &Value, rule: &Value) -> Option<(u64, u64)> {
    let length = value.as_str()?.chars().count();
    u64::try_from(length).ok().zip(rule.as_u64())
}

fn count(value: &Value, rule: &Value) -> Option<(u64, u64)> {
    u64::try_from(value.as_array()?.len())
        .ok()
        .zip(rule.as_u64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fits(schema: &Value, value: &Value) -> bool {
        let document = Document::new(json!({
            "components": { "schemas": { "Word": { "type": "string", "maxLength": 3 } } }
        }));
        faults(&document, schema, value).is_empty()
    }

    #[test]
    fn a_fault_in_a_value_names_its_place() {
        let word = json!({ "$ref": "#/components/schemas/Word" });
        let schema = json!({
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": { "type": "integer", "minimum": 1 },
                "words": { "type": "array", "items": word, "uniqueItems": true },
                "kind": { "type": "string", "pattern": "^[a-z]+$" },
                "maybe": { "anyOf": [word, { "type": "null" }] },
                "since": { "type": ["string", "null"], "format": "date-time" },
            },
            "additionalProperties": { "type": "boolean" }
        });
        for (value, is_right) in [
            (json!({ "id": 1 }), true),
            (json!({ "id": 0 }), false),
            (json!({ "id": 1.5 }), false),
            (json!({}), false),
            (json!([]), false),
            (
                json!({ "id": 1, "words": ["a", "é!é"], "other": true }),
                true,
            ),
            (json!({ "id": 1, "words": ["a", "a"] }), false),
            (json!({ "id": 1, "words": ["long"] }), false),
            (json!({ "id": 1, "other": 1 }), false),
            (json!({ "id": 1, "kind": "a" }), true),
            (json!({ "id": 1, "kind": "A" }), false),
            (json!({ "id": 1, "maybe": null, "since": null }), true),
            (json!({ "id": 1, "maybe": 1 }), false),
            (json!({ "id": 1, "since": "2026-01-31T10:00:00Z" }), true),
            (
                json!({ "id": 1, "since": "2026-01-31T10:00:00.5+01:00" }),
                true,
            ),
            (json!({ "id": 1, "since": "2026-01-31" }), false),
        ] {
            assert_eq!(fits(&schema, &value), is_right, "{value}");
        }
    }

    #[test]
    fn an_unknown_keyword_is_a_fault() {
        assert!(!fits(&json!({ "not": {} }), &json!({})));
    }
}
