//! The rules of a zone: how a stay is counted, how cars are checked, and what becomes of fines.

use askama::Template;
use axum::response::Response;
use kit::money::decimal;
use kit::web::{Dialect, Path, Problem, Routes};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Zone, zones};
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{again, go_to, page};
use crate::visitor::{Me, Visitor};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/control/zones/{id}/rules", show_rules, |it| it)
        .post("/control/zones/{id}/rules", change_rules, |it| it)
}

/// As fines has them. What is absent is as fines says.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Rules {
    pub pricing: Pricing,
    pub control: Control,
    pub fines: Schedule,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Pricing {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free_minutes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_stay_minutes: Option<i64>,
    /// In minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    daily_maximum: Option<i64>,
    rates: Vec<Rate>,
    holidays: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Rate {
    days: Vec<String>,
    from: String,
    to: String,
    percent: i64,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Control {
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_minutes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_minutes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<i64>,
    refund_early_end: bool,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Schedule {
    discounts: Vec<Step>,
    surcharges: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiver_percent: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appeal_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_parts: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_days: Option<i64>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Step {
    days: i64,
    percent: i64,
}

impl Rate {
    fn parse(line: &str) -> Result<Self, Error> {
        let mut words = line.split_whitespace();
        let parts = words.next().zip(words.next()).zip(words.next());
        let read = parts.and_then(|((days, hours), percent)| {
            let (from, to) = hours.split_once('-')?;
            Some(Self {
                days: days.split(',').map(str::to_lowercase).collect(),
                from: from.to_owned(),
                to: to.to_owned(),
                percent: percent.trim_end_matches('%').parse().ok()?,
            })
        });
        read.filter(|_| words.next().is_none()).ok_or_else(|| {
            Error::refused(format!("\"{line}\" is no rate as mon,tue 08:00-20:00 100%"))
        })
    }

    fn text(&self) -> String {
        let days = self.days.join(",");
        format!("{days} {}-{} {}%", self.from, self.to, self.percent)
    }
}

impl Step {
    fn parse(line: &str) -> Result<Self, Error> {
        let mut words = line.split_whitespace();
        let parts = words.next().zip(words.next());
        let read = parts.and_then(|(days, percent)| {
            Some(Self {
                days: days.parse().ok()?,
                percent: percent.trim_end_matches('%').parse().ok()?,
            })
        });
        read.filter(|_| words.next().is_none())
            .ok_or_else(|| Error::refused(format!("\"{line}\" is no days and percent as 5 30%")))
    }

    fn text(&self) -> String {
        format!("{} {}%", self.days, self.percent)
    }
}

fn lines<T>(text: &str, parse: impl Fn(&str) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
    lines.map(parse).collect()
}

fn joined<T>(rows: &[T], text: impl Fn(&T) -> String) -> String {
    rows.iter().map(text).collect::<Vec<_>>().join("\n")
}

impl Rules {
    fn read(form: &Fields) -> Result<Self, Error> {
        let holidays = form.text("holidays").split_whitespace();
        Ok(Self {
            pricing: Pricing {
                timezone: form.optional("timezone").map(str::to_owned),
                free_minutes: form.number("free_minutes")?,
                max_stay_minutes: form.number("max_stay_minutes")?,
                daily_maximum: form.cents("daily_maximum")?,
                rates: lines(form.text("rates"), Rate::parse)?,
                holidays: holidays.map(str::to_owned).collect(),
            },
            control: Control {
                grace_minutes: form.number("grace_minutes")?,
                duplicate_minutes: form.number("duplicate_minutes")?,
                capacity: form.number("capacity")?,
                refund_early_end: form.has("refund_early_end", "true"),
            },
            fines: Schedule {
                discounts: lines(form.text("discounts"), Step::parse)?,
                surcharges: lines(form.text("surcharges"), Step::parse)?,
                waiver_percent: form.number("waiver_percent")?,
                appeal_days: form.number("appeal_days")?,
                plan_parts: form.number("plan_parts")?,
                plan_days: form.number("plan_days")?,
            },
        })
    }

    fn form(&self) -> Fields {
        let (pricing, control, fines) = (&self.pricing, &self.control, &self.fines);
        Fields::fresh()
            .with_some("timezone", pricing.timezone.as_ref())
            .with_some("free_minutes", pricing.free_minutes)
            .with_some("max_stay_minutes", pricing.max_stay_minutes)
            .with_some("daily_maximum", pricing.daily_maximum.map(decimal::text))
            .with("rates", joined(&pricing.rates, Rate::text))
            .with("holidays", pricing.holidays.join(" "))
            .with_some("grace_minutes", control.grace_minutes)
            .with_some("duplicate_minutes", control.duplicate_minutes)
            .with_some("capacity", control.capacity)
            .with("refund_early_end", control.refund_early_end)
            .with("discounts", joined(&fines.discounts, Step::text))
            .with("surcharges", joined(&fines.surcharges, Step::text))
            .with_some("waiver_percent", fines.waiver_percent)
            .with_some("appeal_days", fines.appeal_days)
            .with_some("plan_parts", fines.plan_parts)
            .with_some("plan_days", fines.plan_days)
    }

    /// What people should know of them.
    pub fn told(&self) -> Vec<(&'static str, String)> {
        let (pricing, control, fines) = (&self.pricing, &self.control, &self.fines);
        let minutes = |it: Option<i64>| it.filter(|it| *it > 0).map(|it| format!("{it} minutes"));
        let rates = pricing.rates.iter().map(Rate::text);
        let told = [
            ("Free at first", minutes(pricing.free_minutes)),
            ("Longest stay", minutes(pricing.max_stay_minutes)),
            ("A day at most", pricing.daily_maximum.map(decimal::text)),
            ("Costs", Some(rates.collect::<Vec<_>>().join("; "))),
            ("Grace", minutes(control.grace_minutes)),
            (
                "Appeals",
                fines.appeal_days.map(|it| format!("within {it} days")),
            ),
        ];
        let told = told.into_iter().filter_map(|(name, it)| Some((name, it?)));
        told.filter(|it| !it.1.is_empty()).collect()
    }
}

#[derive(Template)]
#[template(path = "control/rules.html")]
struct RulesPage {
    zone: Zone,
    form: Fields,
    refusal: Option<String>,
}

impl RulesPage {
    fn show(&self, me: &Me) -> Result<Response, Problem> {
        let title = format!("Rules of {}", self.zone.name);
        match self.refusal {
            None => page(&title, Some(me), self),
            Some(_) => again(&title, Some(me), self),
        }
    }
}

async fn show_rules(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let zone: Zone = visitor.get("fines", &format!("/api/v1/zones/{id}")).await?;
    let content = RulesPage {
        form: zone.rules.form(),
        zone,
        refusal: None,
    };
    content.show(&visitor.me)
}

async fn change_rules(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    match send_rules(&visitor, id, &form).await {
        Ok(()) => Ok(go_to(&format!("/control/zones/{id}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let zone = visitor.get("fines", &format!("/api/v1/zones/{id}")).await?;
            let content = RulesPage {
                zone,
                form,
                refusal,
            };
            content.show(&visitor.me)
        }
    }
}

async fn send_rules(visitor: &Visitor, id: i64, form: &Fields) -> Result<(), Error> {
    let rules = Rules::read(form)?;
    zones::send_change(visitor, id, &json!({ "rules": rules })).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_were_written() {
        let form = Fields::default()
            .with("timezone", "Europe/Lisbon")
            .with("daily_maximum", "12.50")
            .with(
                "rates",
                "mon,Tue 08:00-20:00 100%\r\n\r\nsat 08:00-14:00 50",
            )
            .with("holidays", "2026-12-25 2027-01-01")
            .with("refund_early_end", "true")
            .with("discounts", "5 30%\n10 10%");
        let rules = Rules::read(&form).unwrap();
        let again = Rules::read(&rules.form()).unwrap();
        assert_eq!(json!(rules), json!(again));
        assert_eq!(
            json!(rules),
            json!({
                "pricing": {
                    "timezone": "Europe/Lisbon",
                    "daily_maximum": 1250,
                    "rates": [
                        { "days": ["mon", "tue"], "from": "08:00", "to": "20:00", "percent": 100 },
                        { "days": ["sat"], "from": "08:00", "to": "14:00", "percent": 50 },
                    ],
                    "holidays": ["2026-12-25", "2027-01-01"],
                },
                "control": { "refund_early_end": true },
                "fines": {
                    "discounts": [{ "days": 5, "percent": 30 }, { "days": 10, "percent": 10 }],
                    "surcharges": [],
                },
            })
        );
    }

    #[test]
    fn a_line_that_is_no_rule_is_refused() {
        for rate in [
            "mon",
            "mon 08:00 100",
            "mon 08:00-20:00",
            "mon 08:00-20:00 a b",
        ] {
            assert!(Rate::parse(rate).is_err(), "{rate}");
        }
        for step in ["5", "five 30", "5 30 1"] {
            assert!(Step::parse(step).is_err(), "{step}");
        }
    }
}
