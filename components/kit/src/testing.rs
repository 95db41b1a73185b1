//! Tests of a component without a host: requests to its router, and what its SQL functions may say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::web::{Refusals, Routes, answer};

/// What a router answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// Null when the body is not JSON.
    pub body: Value,
}

/// Asks a component's router, before any database is needed.
pub async fn ask(routes: Routes, request: Request<Body>) -> Answer {
    let response = answer(&routes.into_router(), request).await;
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.map(|it| it.to_bytes());
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: bytes
            .ok()
            .and_then(|it| serde_json::from_slice(&it).ok())
            .unwrap_or_default(),
    }
}

/// The same for a GET without a token.
pub async fn get(routes: Routes, path: &str) -> Answer {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().unwrap_or_default();
    ask(routes, request).await
}

/// The outcomes in the SQL of `schema` that the table of refusals does not know, each with its file.
/// An outcome is the text that a function returns first (`RETURN QUERY SELECT 'full', …`) or alone, gives first to
/// the function that makes its result (`RETURN refused('full')`), assigns to `outcome` or `refusal`, or what a
/// statement names `AS outcome`.
pub fn unknown_outcomes<E: Refusals>(component: &str, schema: &str) -> BTreeSet<String> {
    let known = |outcome: &str| E::DONE.contains(&outcome) || E::OUTCOMES.contains(&outcome);
    let mut unknown = BTreeSet::new();
    for file in sql_below(&Path::new(component).join("../../migrations").join(schema))
        .into_iter()
        .chain(sql_below(&Path::new(component).join("src")))
    {
        let sql = fs::read_to_string(&file).unwrap_or_default();
        for outcome in outcomes_in(&sql) {
            if !known(&outcome) {
                unknown.insert(format!("{outcome} in {}", file.display()));
            }
        }
    }
    unknown
}

fn sql_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(sql_below(&path));
        } else if path.extension().is_some_and(|it| it == "sql") {
            files.push(path);
        }
    }
    files
}

fn outcomes_in(sql: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let upper = sql.to_ascii_uppercase();
    // RETURN QUERY SELECT 'full', …   RETURN 'full';   'full' AS outcome
    for (start, word) in words_in(sql) {
        let before = upper.get(..start).unwrap_or_default().trim_end();
        let after = upper.get(start + word.len() + 2..).unwrap_or_default();
        let after = after.trim_start();
        let is_returned = before.ends_with("RETURN QUERY SELECT")
            || (before.ends_with("RETURN") && after.starts_with(';'));
        if is_returned || after.starts_with("AS OUTCOME") {
            found.insert(word.to_owned());
        }
    }
    // outcome := …;   refusal := CASE … END;   CASE … END AS outcome
    let assigned = ["OUTCOME :=", "OUTCOME TEXT :=", "REFUSAL :="]
        .iter()
        .flat_map(|it| upper.match_indices(it))
        .map(|(at, name)| {
            let start = at + name.len();
            let length = upper.get(start..).and_then(|it| it.find(';'));
            start..start + length.unwrap_or_default()
        });
    let named = upper.match_indices("END AS OUTCOME").map(|(end, _)| {
        let start = upper.get(..end).and_then(|it| it.rfind("CASE"));
        start.unwrap_or(end)..end
    });
    // RETURN refused('full');   answer := ROW(CASE … END, …);
    let returned = upper.match_indices("RETURN ").filter_map(|(at, name)| {
        let start = at + name.len();
        let length = upper.get(start..)?.find('(')?;
        let maker = upper.get(start..start + length)?;
        let is_name = maker
            .bytes()
            .all(|it| it.is_ascii_uppercase() || it == b'_');
        // The first argument of this one is a member's name.
        (is_name && maker != "JSONB_BUILD_OBJECT").then_some(start + length + 1)
    });
    let made = [":= ROW(", ":= REFUSED("]
        .iter()
        .flat_map(|it| upper.match_indices(it))
        .map(|(at, name)| at + name.len());
    let first_arguments = returned.chain(made).map(|start| {
        let length = upper.get(start..).and_then(|it| it.find([',', ')']));
        start..start + length.unwrap_or_default()
    });
    for range in assigned.chain(named).chain(first_arguments) {
        let part = sql.get(range).unwrap_or_default();
        let upper = part.to_ascii_uppercase();
        for (start, word) in words_in(part) {
            let before = upper.get(..start).unwrap_or_default().trim_end();
            if before.is_empty() || before.ends_with("THEN") || before.ends_with("ELSE") {
                found.insert(word.to_owned());
            }
        }
    }
    found
}

/// The literals of the form `'lower_case'`, and where their first quote stands.
fn words_in(sql: &str) -> Vec<(usize, &str)> {
    let is_word =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    sql.match_indices('\'')
        .filter_map(|(start, _)| {
            let rest = sql.get(start + 1..)?;
            let word = rest.get(..rest.find('\'')?)?;
            is_word(word).then_some((start, word))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_found_wherever_a_function_may_write_them() {
        let sql = "RETURN QUERY SELECT 'full', NULL; RETURN 'removed'; outcome := 'busy';
            RETURN refused(CASE WHEN x THEN 'late' ELSE 'taken' END); answer := ROW('moved', 'name');
            refusal := CASE WHEN status = 'paid' THEN 'over' ELSE 'unknown' END;
            SELECT 'listed' AS outcome, CASE WHEN x THEN 'forbidden' END AS outcome
            FROM y WHERE status = 'paid' AND kind = 'name'";
        let found: Vec<_> = outcomes_in(sql).into_iter().collect();
        assert_eq!(
            found,
            [
                "busy",
                "forbidden",
                "full",
                "late",
                "listed",
                "moved",
                "over",
                "removed",
                "taken",
                "unknown"
            ]
        );
    }
}
