//! A TOML file that is read value by value. Faults are collected: reading does not stop at the first one.
//!
//! A function that reads a value returns `None` after it reported the fault. A table remembers the keys that were read,
//! so that [`Table::refuse_unknown_keys`] can refuse the others with a suggestion.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::{Deref, Range, RangeInclusive};
use std::path::Path;
use toml::de::{DeTable, DeValue};

use crate::faults::{self, Fault, Faults, Place};

/// Syntax errors that are reported: after recovering from one, the parser often reports others that are not real.
const MAX_SYNTAX_ERRORS: usize = 3;

pub(crate) struct Document<'a> {
    file: &'a Path,
    text: &'a str,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
}

/// A table that remembers which of its keys were read.
pub(crate) struct Table<'a> {
    document: &'a Document<'a>,
    /// For messages: `[component.cart]`.
    pub name: String,
    span: Range<usize>,
    entries: &'a DeTable<'a>,
    read_keys: RefCell<BTreeSet<&'static str>>,
    refused_keys: RefCell<BTreeSet<&'static str>>,
}

#[derive(Clone)]
pub(crate) struct Value<'a> {
    document: &'a Document<'a>,
    /// The key of the value, or of the list that holds it.
    key: &'a str,
    span: Range<usize>,
    value: &'a DeValue<'a>,
}

/// A string or a key, with its position in the file.
#[derive(Clone)]
pub(crate) struct Text<'a> {
    document: &'a Document<'a>,
    span: Range<usize>,
    text: &'a str,
}

impl<'a> Document<'a> {
    pub fn new(file: &'a Path, text: &'a str) -> Document<'a> {
        Document {
            file,
            text,
            faults: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// Parses the file. The caller keeps the syntax tree: tables and values borrow from it.
    pub fn parse(&self) -> Result<DeTable<'a>, Faults> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        let mut faults: Vec<Fault> = errors
            .iter()
            .map(|error| self.located(error.span().unwrap_or_default(), error.message()))
            .collect();
        let line = |fault: &Fault| fault.place.as_ref().map(|place| place.line);
        faults.sort_by_key(line);
        faults.dedup_by_key(|fault| line(fault));
        faults.truncate(MAX_SYNTAX_ERRORS);
        match Faults::of(faults) {
            Some(faults) => Err(faults),
            None => Ok(root.into_inner()),
        }
    }

    pub fn root(&'a self, entries: &'a DeTable<'a>) -> Table<'a> {
        Table {
            document: self,
            name: "the top level".to_owned(),
            span: 0..0,
            entries,
            read_keys: RefCell::default(),
            refused_keys: RefCell::default(),
        }
    }

    /// Reports a fault of the file as a whole.
    pub fn fault(&self, message: impl Into<String>, hint: Option<String>) {
        self.faults.borrow_mut().push(Fault {
            hint,
            ..Fault::of_file(self.file, message)
        });
    }

    /// Returns the value and the warnings, or all faults if there are any.
    pub fn finish<T>(self, read: Option<T>) -> Result<(T, Vec<Fault>), Faults> {
        match (Faults::of(self.faults.into_inner()), read) {
            (Some(faults), _) => Err(faults),
            (None, Some(read)) => Ok((read, self.warnings.into_inner())),
            // A bug: a reading function returned `None` without a report. The file is refused all the same.
            (None, None) => Err(Fault::of_file(self.file, "cannot be read").into()),
        }
    }

    fn located(&self, span: Range<usize>, message: impl Into<String>) -> Fault {
        Fault {
            place: Some(Place::of(self.text, span)),
            ..Fault::of_file(self.file, message)
        }
    }

    fn report(&self, span: &Range<usize>, message: impl Into<String>, hint: Option<String>) {
        let fault = self.located(span.clone(), message);
        self.faults.borrow_mut().push(Fault { hint, ..fault });
    }

    fn report_warning(
        &self,
        span: &Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let warning = self.located(span.clone(), message);
        self.warnings.borrow_mut().push(Fault { hint, ..warning });
    }
}

impl<'a> Table<'a> {
    pub fn get(&self, key: &'static str) -> Option<Value<'a>> {
        self.read_keys.borrow_mut().insert(key);
        let (key, value) = self.entries.get_key_value(key)?;
        Some(Value {
            document: self.document,
            key: key.get_ref(),
            span: value.span(),
            value: value.get_ref(),
        })
    }

    /// The value of a required key.
    pub fn require(&self, key: &'static str) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() {
            self.fault(format!("{} needs `{key}`", self.name), None);
        }
        value
    }

    pub fn text(&self, key: &'static str) -> Option<Text<'a>> {
        self.get(key)?.text()
    }

    pub fn require_text(&self, key: &'static str) -> Option<Text<'a>> {
        self.require(key)?.text()
    }

    /// A string; empty if the key is absent.
    pub fn string(&self, key: &'static str) -> String {
        self.text(key)
            .map(|text| text.to_string())
            .unwrap_or_default()
    }

    pub fn flag(&self, key: &'static str) -> Option<bool> {
        self.get(key)?.flag()
    }

    pub fn number(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        self.get(key)?.number(range)
    }

    /// A list of strings; empty if the key is absent.
    pub fn texts(&self, key: &'static str) -> Vec<Text<'a>> {
        self.get(key).map(|value| value.texts()).unwrap_or_default()
    }

    /// A nested table, called `name` in messages.
    pub fn table(&self, key: &'static str, name: impl Into<String>) -> Option<Table<'a>> {
        self.get(key)?.table(name)
    }

    /// All keys and values, in the order of the file. For tables whose keys are names.
    pub fn entries(&self) -> Vec<(Text<'a>, Value<'a>)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
            .into_iter()
            .map(|(key, value)| {
                let name = Text {
                    document: self.document,
                    span: key.span(),
                    text: key.get_ref(),
                };
                let value = Value {
                    document: self.document,
                    key: key.get_ref(),
                    span: value.span(),
                    value: value.get_ref(),
                };
                (name, value)
            })
            .collect()
    }

    /// Reads each entry of the table under `key`, whose keys are names. Empty if the key is absent.
    pub fn read_each<T>(
        &self,
        key: &'static str,
        mut read: impl FnMut(Text<'a>, Value<'a>) -> Option<T>,
    ) -> Vec<T> {
        let Some(table) = self.table(key, format!("`{key}`")) else {
            return Vec::new();
        };
        let entries = table.entries().into_iter();
        entries
            .filter_map(|(name, value)| read(name, value))
            .collect()
    }

    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub fn fault(&self, message: impl Into<String>, hint: Option<String>) {
        if self.span.is_empty() {
            self.document.fault(message, hint);
        } else {
            self.document.report(&self.span, message, hint);
        }
    }

    pub fn warn(&self, message: impl Into<String>, hint: Option<String>) {
        self.document.report_warning(&self.span, message, hint);
    }

    /// Refuses a key that Spin supports and this host does not.
    pub fn refuse(&self, key: &'static str, why: &str) {
        self.read_keys.borrow_mut().remove(key);
        self.refused_keys.borrow_mut().insert(key);
        if let Some((key, _)) = self.entries.get_key_value(key) {
            self.document.report(&key.span(), why, None);
        }
    }

    /// Reports every key that was not read.
    pub fn refuse_unknown_keys(&self) {
        let (read_keys, refused_keys) = (self.read_keys.borrow(), self.refused_keys.borrow());
        for (key, _) in self.entries() {
            if !read_keys.contains(&*key) && !refused_keys.contains(&*key) {
                let hint = faults::suggest(&key, read_keys.iter().copied());
                key.fault(format!("unknown key `{}` in {}", &*key, self.name), hint);
            }
        }
    }
}

impl<'a> Value<'a> {
    pub fn text(&self) -> Option<Text<'a>> {
        match self.value {
            DeValue::String(text) => Some(Text {
                document: self.document,
                span: self.span.clone(),
                text,
            }),
            _ => self.fault_type("a string"),
        }
    }

    pub fn flag(&self) -> Option<bool> {
        match self.value {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.fault_type("true or false"),
        }
    }

    pub fn number(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let DeValue::Integer(digits) = self.value else {
            return self.fault_type("a whole number");
        };
        let number = u64::from_str_radix(digits.as_str(), digits.radix()).ok();
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = range.into_inner();
            self.fault(
                format!("`{}` must be from {least} to {most}", self.key),
                None,
            );
        }
        number
    }

    pub fn list(&self) -> Option<Vec<Value<'a>>> {
        let DeValue::Array(items) = self.value else {
            return self.fault_type("a list");
        };
        let items = items.iter().map(|item| Value {
            document: self.document,
            key: self.key,
            span: item.span(),
            value: item.get_ref(),
        });
        Some(items.collect())
    }

    /// The strings of a list.
    pub fn texts(&self) -> Vec<Text<'a>> {
        let items = self.list().unwrap_or_default();
        items.iter().filter_map(Value::text).collect()
    }

    /// `"one"` or `["one", "two"]`.
    pub fn one_or_more_texts(&self) -> Vec<Text<'a>> {
        match self.value {
            DeValue::String(_) => self.text().into_iter().collect(),
            DeValue::Array(_) => self.texts(),
            _ => self
                .fault_type("a string or a list of strings")
                .unwrap_or_default(),
        }
    }

    pub fn table(&self, name: impl Into<String>) -> Option<Table<'a>> {
        let DeValue::Table(entries) = self.value else {
            return self.fault_type("a table");
        };
        Some(Table {
            document: self.document,
            name: name.into(),
            span: self.span.clone(),
            entries,
            read_keys: RefCell::default(),
            refused_keys: RefCell::default(),
        })
    }

    pub fn is_text(&self) -> bool {
        self.value.is_str()
    }

    pub fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub fn is_flag(&self) -> bool {
        self.value.is_bool()
    }

    pub fn fault(&self, message: impl Into<String>, hint: Option<String>) {
        self.document.report(&self.span, message, hint);
    }

    pub fn warn(&self, message: impl Into<String>, hint: Option<String>) {
        self.document.report_warning(&self.span, message, hint);
    }

    /// Reports a type other than `expected`.
    pub fn fault_type<T>(&self, expected: &str) -> Option<T> {
        let found = match self.value.type_str() {
            "integer" => "an integer".to_owned(),
            "array" => "a list".to_owned(),
            other => format!("a {other}"),
        };
        self.fault(
            format!("`{}` must be {expected}, not {found}", self.key),
            None,
        );
        None
    }
}

impl Text<'_> {
    pub fn fault(&self, message: impl Into<String>, hint: Option<String>) {
        self.document.report(&self.span, message, hint);
    }

    pub fn warn(&self, message: impl Into<String>, hint: Option<String>) {
        self.document.report_warning(&self.span, message, hint);
    }

    /// Reports a fault of `length` bytes from byte `position` of the text.
    pub fn fault_within(
        &self,
        position: usize,
        length: usize,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let written = self
            .document
            .text
            .get(self.span.clone())
            .unwrap_or_default();
        // A string with escapes differs from its source text: then the whole string is marked.
        match written.find(self.text) {
            Some(quote) => {
                let start = self.span.start + quote + position;
                self.document
                    .report(&(start..start + length), message, hint);
            }
            None => self.fault(message, hint),
        }
    }

    /// Reports a name that is not one of `known`, with a suggestion.
    pub fn fault_unknown<'k>(
        &self,
        message: &str,
        known: impl IntoIterator<Item = &'k str> + Clone,
    ) {
        self.fault(
            format!("{message} `{}`", self.text),
            faults::suggest(self.text, known),
        );
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `read` on the top level and returns the faults, one per line.
    fn faults_of(text: &str, read: impl Fn(&Table)) -> String {
        let document = Document::new(Path::new("t.toml"), text);
        let entries = match document.parse() {
            Ok(entries) => entries,
            Err(faults) => return faults.to_string(),
        };
        read(&document.root(&entries));
        let faults = document.faults.borrow();
        let lines = faults.iter().map(|fault| {
            let (line, column) = fault
                .place
                .as_ref()
                .map_or((0, 0), |place| (place.line, place.column));
            format!(
                "{line}:{column} {} ({})",
                fault.message,
                fault.hint.as_deref().unwrap_or("-")
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_value_of_the_wrong_type_is_reported_with_the_expected_one() {
        let report = faults_of(
            "a = 1\nb = \"x\"\nc = [1, \"y\"]\nd = 70000\ne = 1.5",
            |table| {
                assert!(table.text("a").is_none());
                assert!(table.flag("b").is_none());
                assert_eq!(table.texts("c").len(), 1);
                assert_eq!(table.number("d", 1..=65535), None);
                assert_eq!(table.number("e", 1..=65535), None);
                assert!(table.table("b", "b").is_none());
                assert!(table.require("f").is_none());
            },
        );
        insta::assert_snapshot!(report, @r"
        1:5 `a` must be a string, not an integer (-)
        2:5 `b` must be true or false, not a string (-)
        3:6 `c` must be a string, not an integer (-)
        4:5 `d` must be from 1 to 65535 (-)
        5:5 `e` must be a whole number, not a float (-)
        2:5 `b` must be a table, not a string (-)
        0:0 the top level needs `f` (-)
        ");
    }

    #[test]
    fn keys_that_were_not_read_are_refused() {
        let report = faults_of("[t]\nroute = 1\nrout = 2\nq = 3", |table| {
            let table = table.table("t", "[t]").unwrap();
            table.get("route");
            table.get("component");
            table.refuse_unknown_keys();
        });
        insta::assert_snapshot!(report, @r"
        3:1 unknown key `rout` in [t] (did you mean `route`?)
        4:1 unknown key `q` in [t] (known here: component, route)
        ");
    }

    #[test]
    fn a_fault_within_a_string_marks_its_part_unless_the_string_has_escapes() {
        for (text, place) in [
            ("a = \"xyz\"", "1:7"),
            ("a = \"\"\"\nxyz\"\"\"", "2:2"),
            ("a = \"x\\u0079z\"", "1:5"),
        ] {
            let report = faults_of(text, |table| {
                table.text("a").unwrap().fault_within(1, 1, "here", None);
            });
            assert!(report.starts_with(place), "{text:?} {report}");
        }
    }

    #[test]
    fn only_the_first_syntax_errors_are_reported() {
        let report = faults_of("a = \nb = [1,\nc = 1\nd = 2\ne = 3\n", |_| unreachable!());
        assert_eq!(
            report.matches("t.toml:").count(),
            MAX_SYNTAX_ERRORS,
            "{report}"
        );
        assert!(report.starts_with("t.toml:1:"), "{report}");
    }
}
