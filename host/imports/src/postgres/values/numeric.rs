//! Converts NUMERIC between its binary form and decimal text, exactly and at any length.
//!
//! The binary form has digits of base 10000: `weight` is the exponent of the first one, `scale` the decimals to show.

use bytes::{BufMut, BytesMut};

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Decimal digits in one digit of base 10000.
const GROUP: usize = 4;
/// The server's limits for digits before and after the decimal point.
const MAX_INTEGER_DIGITS: usize = 131_072;
const MAX_SCALE: usize = 16_383;

pub fn to_text(binary: &[u8]) -> Option<String> {
    let mut words = binary
        .chunks_exact(2)
        .filter_map(|pair| pair.try_into().ok().map(u16::from_be_bytes));
    let count = usize::from(words.next()?);
    let weight = i32::from(words.next()?.cast_signed());
    let sign = words.next()?;
    let scale = usize::from(words.next()?);
    let digits: Vec<u16> = words.collect();
    if digits.len() != count || digits.iter().any(|digit| *digit > 9999) {
        return None;
    }
    let mut text = String::new();
    match sign {
        0 => {}
        NEGATIVE => text.push('-'),
        NAN => return Some("NaN".to_owned()),
        INFINITY => return Some("Infinity".to_owned()),
        NEGATIVE_INFINITY => return Some("-Infinity".to_owned()),
        _ => return None,
    }
    let digit_of = |power: i32| {
        let at = usize::try_from(weight.checked_sub(power)?).ok()?;
        digits.get(at).copied()
    };
    let mut integer = String::new();
    for power in (0..=weight).rev() {
        integer.push_str(&format!("{:04}", digit_of(power).unwrap_or(0)));
    }
    let integer = integer.trim_start_matches('0');
    text.push_str(if integer.is_empty() { "0" } else { integer });
    if scale > 0 {
        let mut decimals = String::new();
        let mut power = -1;
        while decimals.len() < scale {
            decimals.push_str(&format!("{:04}", digit_of(power).unwrap_or(0)));
            power -= 1;
        }
        decimals.truncate(scale);
        text.push('.');
        text.push_str(&decimals);
    }
    Some(text)
}

/// Writes the binary form of plain decimal text: sign, digits, point. `None` for any other text.
pub fn from_text(text: &str, binary: &mut BytesMut) -> Option<()> {
    if let Some(sign) = parse_special(text) {
        return write(binary, &[], 0, sign, 0);
    }
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (NEGATIVE, magnitude),
        None => (0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (integer, decimals) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let only_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !integer.is_empty() || !decimals.is_empty();
    if !has_digits || !only_digits(integer) || !only_digits(decimals) {
        return None;
    }
    let integer = integer.trim_start_matches('0');
    if integer.len() > MAX_INTEGER_DIGITS || decimals.len() > MAX_SCALE {
        return None;
    }
    let lead = (GROUP - integer.len() % GROUP) % GROUP;
    let trail = (GROUP - decimals.len() % GROUP) % GROUP;
    let padded = format!(
        "{}{integer}{decimals}{}",
        "0".repeat(lead),
        "0".repeat(trail)
    );
    let mut digits = Vec::with_capacity(padded.len() / GROUP);
    for group in padded.as_bytes().chunks(GROUP) {
        let group = std::str::from_utf8(group).ok()?;
        digits.push(group.parse::<u16>().ok()?);
    }
    let mut weight = i32::try_from((integer.len() + lead) / GROUP).ok()? - 1;
    let leading_zeros = digits.iter().take_while(|digit| **digit == 0).count();
    digits.drain(..leading_zeros);
    weight -= i32::try_from(leading_zeros).ok()?;
    while digits.last() == Some(&0) {
        digits.pop();
    }
    if digits.is_empty() {
        return write(binary, &[], 0, 0, decimals.len());
    }
    write(binary, &digits, weight, sign, decimals.len())
}

fn parse_special(text: &str) -> Option<u16> {
    match text {
        "NaN" => Some(NAN),
        "Infinity" => Some(INFINITY),
        "-Infinity" => Some(NEGATIVE_INFINITY),
        _ => None,
    }
}

fn write(
    binary: &mut BytesMut,
    digits: &[u16],
    weight: i32,
    sign: u16,
    scale: usize,
) -> Option<()> {
    binary.put_u16(u16::try_from(digits.len()).ok()?);
    binary.put_i16(i16::try_from(weight).ok()?);
    binary.put_u16(sign);
    binary.put_u16(u16::try_from(scale).ok()?);
    for digit in digits {
        binary.put_u16(*digit);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(text: &str) -> Option<String> {
        let mut binary = BytesMut::new();
        from_text(text, &mut binary)?;
        to_text(&binary)
    }

    #[test]
    fn decimal_text_survives_a_round_trip() {
        for (text, back) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.00", "0.00"),
            ("1", "1"),
            ("+1.50", "1.50"),
            (".5", "0.5"),
            ("5.", "5"),
            ("007", "7"),
            ("-12345678.9", "-12345678.9"),
            ("10000", "10000"),
            ("100000000.0001", "100000000.0001"),
            ("0.00001", "0.00001"),
            ("NaN", "NaN"),
            ("-Infinity", "-Infinity"),
            (
                "123456789012345678901234567890123456789.000000000000000000000000000000000001",
                "123456789012345678901234567890123456789.000000000000000000000000000000000001",
            ),
        ] {
            assert_eq!(round_trip(text).as_deref(), Some(back), "{text}");
        }
    }

    #[test]
    fn text_other_than_plain_decimals_is_refused() {
        for text in [
            "", "-", ".", "1e5", "1,5", " 1", "0x10", "--1", "1.2.3", "١",
        ] {
            assert_eq!(round_trip(text), None, "{text}");
        }
    }

    #[test]
    fn an_invalid_binary_form_is_refused() {
        for binary in [
            &[][..],
            &[0, 1, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0x12, 0x34, 0, 0],
            &[0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10],
        ] {
            assert_eq!(to_text(binary), None, "{binary:?}");
        }
    }

    proptest! {
        #[test]
        fn any_decimal_survives_a_round_trip(text in "-?[1-9][0-9]{0,60}\\.[0-9]{1,60}") {
            prop_assert_eq!(round_trip(&text), Some(text));
        }
    }
}
