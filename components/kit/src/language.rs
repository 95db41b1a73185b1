//! The languages of notices and letters. Their texts stand in each component.

use kit_derive::Word;

use crate::money::Currency;

/// Named by its ISO 639-1 code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Word)]
pub enum Language {
    #[default]
    En,
    Ru,
    Pt,
}

impl Language {
    /// `12.50 USD`, with the language's own decimal mark.
    pub fn money(self, cents: i64, currency: Currency) -> String {
        let mark = match self {
            Self::En => '.',
            Self::Ru | Self::Pt => ',',
        };
        let sign = if cents < 0 { "-" } else { "" };
        let cents = cents.unsigned_abs();
        let code = currency.name();
        format!("{sign}{}{mark}{:02} {code}", cents / 100, cents % 100)
    }
}

/// At most `longest` units of UTF-16, as other systems count. A text that is cut ends with `…`.
pub fn shortened(text: &str, longest: usize) -> String {
    if text.encode_utf16().count() <= longest {
        return text.to_owned();
    }
    let mut room = longest.saturating_sub(1);
    let mut short: String = text
        .chars()
        .take_while(|it| {
            let fits = it.len_utf16() <= room;
            room = room.saturating_sub(it.len_utf16());
            fits
        })
        .collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_language_is_found_by_its_code() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.name()), Some(language));
        }
        assert_eq!(Language::parse("de"), None);
    }

    #[test]
    fn money_is_written_as_the_language_writes_it() {
        assert_eq!(Language::En.money(1205, Currency::Usd), "12.05 USD");
        assert_eq!(Language::Pt.money(-7, Currency::Brl), "-0,07 BRL");
    }

    proptest! {
        #[test]
        fn what_is_shortened_fits_and_is_a_beginning(
            text in "(?s).{0,50}", times in 1..20_usize, longest in 1..200_usize
        ) {
            let text = text.repeat(times);
            let short = shortened(&text, longest);
            prop_assert!(short.encode_utf16().count() <= longest);
            if text.encode_utf16().count() <= longest {
                prop_assert_eq!(short, text);
            } else {
                prop_assert!(text.starts_with(short.strip_suffix('…').unwrap_or_default()));
                prop_assert!(short.encode_utf16().count() + 1 >= longest);
            }
        }
    }
}
