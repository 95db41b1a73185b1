//! `[[application.tool.wharf.cron]]`: messages that the host publishes on a schedule.

use std::time::Duration;

use crate::document::{Table, Text};
use crate::faults;

use super::super::trigger::RedisTrigger;

/// A scheduled message, delivered to the components whose Redis trigger has this channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    pub when: When,
    pub channel: String,
    pub payload: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    Every(Duration),
    /// A cron expression: \[second\] minute hour day month weekday \[year\].
    Schedule(String),
}

impl Cron {
    pub(super) fn read(table: &Table, redis: &[RedisTrigger]) -> Option<Cron> {
        let when = match (table.text("every"), table.text("schedule")) {
            (Some(every), None) => read_every(&every),
            (None, Some(schedule)) => read_schedule(&schedule),
            (None, None) | (Some(_), Some(_)) => {
                table.fault(
                    "a cron entry needs exactly one of `every` and `schedule`",
                    None,
                );
                None
            }
        };
        let channel = table.require_text("channel");
        if let Some(channel) = &channel {
            warn_of_unheard_channel(channel, redis);
        }
        let payload = table.string("payload");
        table.refuse_unknown_keys();
        Some(Cron {
            when: when?,
            channel: channel?.to_string(),
            payload,
        })
    }
}

fn read_every(text: &Text) -> Option<When> {
    let every = parse_duration(text).filter(|every| !every.is_zero());
    if every.is_none() {
        text.fault(
            "a duration is a number and a unit: 500ms, 1s, 5m, 2h, 1d",
            None,
        );
    }
    every.map(When::Every)
}

fn parse_duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit)?;
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

fn read_schedule(text: &Text) -> Option<When> {
    if !(5..=7).contains(&text.split_whitespace().count()) {
        text.fault(
            "a schedule has five to seven fields, as in `0 */5 * * * *`: every five minutes",
            None,
        );
        return None;
    }
    Some(When::Schedule(text.to_string()))
}

fn warn_of_unheard_channel(channel: &Text, redis: &[RedisTrigger]) {
    let literal: Vec<&str> = redis
        .iter()
        .map(|trigger| trigger.channel.source())
        .collect();
    // The value of a channel with variables is not known yet: it may be this one.
    let is_heard =
        redis.iter().any(|trigger| !trigger.channel.is_literal()) || literal.contains(&&**channel);
    if !is_heard {
        let hint = faults::suggest(channel, literal.iter().copied());
        channel.warn(
            format!("no [[trigger.redis]] has the channel `{}`", &**channel),
            hint,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("1s", Some(1_000)),
            ("5m", Some(300_000)),
            ("2h", Some(7_200_000)),
            ("1d", Some(86_400_000)),
            ("1", None),
            ("s", None),
            ("", None),
            ("1.5s", None),
            ("-1s", None),
            ("1 s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(
                parse_duration(text),
                expected.map(Duration::from_millis),
                "{text}"
            );
        }
    }
}
