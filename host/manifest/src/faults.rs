//! Faults of a file: the position, the message and a hint. All faults of a file are reported together.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    pub file: PathBuf,
    /// `None` for a fault of the file as a whole.
    pub place: Option<Place>,
}

/// The part of a line that a fault is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// In characters, at least 1.
    pub width: usize,
    pub line_text: String,
}

/// All faults of a file, in the order of their lines. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults(Vec<Fault>);

impl Fault {
    /// A fault of the file as a whole.
    pub fn of_file(file: &Path, message: impl Into<String>) -> Fault {
        Fault {
            message: message.into(),
            hint: None,
            file: file.to_owned(),
            place: None,
        }
    }
}

impl Place {
    pub(crate) fn of(text: &str, span: Range<usize>) -> Place {
        let start = text.floor_char_boundary(span.start);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let line_text = rest.lines().next().unwrap_or_default();
        let marked = text
            .get(start..text.floor_char_boundary(span.end))
            .unwrap_or_default();
        Place {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            width: marked
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .count()
                .max(1),
            line_text: line_text.to_owned(),
        }
    }
}

impl Faults {
    /// `None` when there are none.
    pub(crate) fn of(mut faults: Vec<Fault>) -> Option<Faults> {
        faults.sort_by_key(|fault| fault.place.as_ref().map(|place| (place.line, place.column)));
        faults.dedup();
        (!faults.is_empty()).then_some(Faults(faults))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Faults {
        Faults(vec![fault])
    }
}

/// `spin.toml:12:5: unknown key …`, then the line with its faulty part underlined, then the hint.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(place) = &self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {}", self.message.replace('\n', "\n  "))?;
        if let Some(place) = &self.place {
            let line = place.line.to_string();
            let gutter = " ".repeat(line.len());
            let indent = " ".repeat(place.column.saturating_sub(1));
            let mark = "^".repeat(place.width);
            write!(
                f,
                "\n  {line} | {}\n  {gutter} | {indent}{mark}",
                place.line_text
            )?;
            if let Some(hint) = &self.hint {
                write!(f, " {hint}")?;
            }
        } else if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

/// The known word that `word` most likely misspells.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // More than one edit in three letters makes another word.
    let max_edits = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(edits, _)| *edits <= max_edits)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or all known words if none is close and the list is short.
pub(crate) fn suggest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    /// A longer list hides the message.
    const MAX_LISTED: usize = 16;
    if let Some(meant) = closest(word, known.clone()) {
        return Some(format!("did you mean `{meant}`?"));
    }
    let known: Vec<&str> = known.into_iter().collect();
    (1..=MAX_LISTED)
        .contains(&known.len())
        .then(|| format!("known here: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_its_line_and_underlines_its_place() {
        let text = "name = \"x\"\nété = { rout = 1 }\n";
        let start = text.find("rout").unwrap();
        let fault = Fault {
            message: "unknown key `rout`".to_owned(),
            hint: Some("did you mean `route`?".to_owned()),
            file: "spin.toml".into(),
            place: Some(Place::of(text, start..start + 4)),
        };
        assert_eq!(
            fault.to_string(),
            "spin.toml:2:9: unknown key `rout`\n  2 | été = { rout = 1 }\n    |         ^^^^ did you mean `route`?"
        );
    }

    #[test]
    fn a_misspelt_word_gets_a_suggestion_and_another_word_gets_the_list() {
        let known = ["route", "component", "executor"];
        for (word, expected) in [
            ("rout", Some("route")),
            ("roete", Some("route")),
            ("compnoent", Some("component")),
            ("path", None),
            ("", None),
        ] {
            assert_eq!(closest(word, known), expected, "{word}");
        }
        assert_eq!(
            suggest("path", known).as_deref(),
            Some("known here: route, component, executor")
        );
        assert_eq!(suggest("path", []), None);
    }

    #[test]
    fn a_span_beyond_the_text_still_has_a_place() {
        for span in [0..0, 5..99, 99..100, 1..2] {
            let place = Place::of("é\nab", span);
            assert!(place.line <= 2 && place.width >= 1, "{place:?}");
        }
    }
}
