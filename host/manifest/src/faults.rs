//! What is wrong with a file: where, what, and what was probably meant. Always all of it at once.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    /// What to do or what was probably meant.
    pub hint: Option<String>,
    pub file: PathBuf,
    /// `None` when it is about the file as a whole.
    pub place: Option<Place>,
}

/// The part of a line that a fault is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// In characters, at least 1.
    pub width: usize,
    pub line_text: String,
}

/// Everything that is wrong, in the order of the file. Never empty.
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

/// `spin.toml:12:5: unknown key …`, the line itself with the place marked, the hint.
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

/// What `word` was probably meant to be.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One slip in three letters is a slip; more is another word.
    let tolerated = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(slips, _)| *slips <= tolerated)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or the choice when nothing is close and it is short enough to read.
pub(crate) fn suggestion<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    const READABLE: usize = 16;
    if let Some(meant) = closest(word, known.clone()) {
        return Some(format!("did you mean `{meant}`?"));
    }
    let known: Vec<&str> = known.into_iter().collect();
    (1..=READABLE)
        .contains(&known.len())
        .then(|| format!("known here: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_its_line_and_marks_its_place() {
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
    fn a_slip_is_recognised_and_another_word_is_not() {
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
            suggestion("path", known).as_deref(),
            Some("known here: route, component, executor")
        );
        assert_eq!(suggestion("path", []), None);
    }

    #[test]
    fn places_survive_odd_spans() {
        for span in [0..0, 5..99, 99..100, 1..2] {
            let place = Place::of("é\nab", span);
            assert!(place.line <= 2 && place.width >= 1, "{place:?}");
        }
    }
}
