//! Times of day as people write them.

/// `08:30` is 510; `24:00` is the end of the day.
pub fn minute_of_day(text: &str) -> Option<u32> {
    let number = |digits: &str| -> Option<u32> {
        let is_plain = digits.len() == 2 && digits.bytes().all(|it| it.is_ascii_digit());
        is_plain.then(|| digits.parse().ok()).flatten()
    };
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (number(hour)?, number(minute)?);
    let of_day = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && of_day <= 24 * 60).then_some(of_day)
}

/// Whether it may be the name of an IANA time zone. PostgreSQL would also take abbreviations and rules as `FOO3BAR`, whose
/// digits are an offset: a slip of the pen as `Europe/Lisbon5` is one.
pub fn is_zone_name(name: &str) -> bool {
    let is_rule = name.bytes().any(|it| it.is_ascii_digit()) && !name.starts_with("Etc/GMT");
    name.len() <= 64 && name.is_ascii() && !is_rule && (name == "UTC" || name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_two_digits_each() {
        for (text, minute) in [
            ("00:00", 0),
            ("08:30", 510),
            ("23:59", 1_439),
            ("24:00", 1_440),
        ] {
            assert_eq!(minute_of_day(text), Some(minute), "{text}");
        }
        for wrong in [
            "24:01", "7:30", "07:60", "+7:30", "07:+3", "07:3", "", "07:30:00", "99:00",
        ] {
            assert_eq!(minute_of_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_zone_has_the_name_of_a_place() {
        for name in ["UTC", "Europe/Lisbon", "Etc/GMT+3"] {
            assert!(is_zone_name(name), "{name}");
        }
        for wrong in ["", "Lisbon", "FOO3BAR", "Európe/Lisbon", "Europe/Lisbon5"] {
            assert!(!is_zone_name(wrong), "{wrong}");
        }
    }
}
