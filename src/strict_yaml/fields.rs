//! Typed readers over the tree: they take values out and note what does not fit.

use super::nearest::nearest;
use super::problem::Problems;
use super::tree::{Entry, Node, Value};
use std::cell::RefCell;
use std::ops::Range;

/// The fields of one map. Every field a reader asks for becomes known; [`Fields::finish`] reports the rest.
pub struct Fields<'n, 'p, 't> {
    entries: &'n [Entry],
    span: Range<usize>,
    problems: &'p Problems<'t>,
    known: RefCell<Vec<&'static str>>,
}

impl<'n, 'p, 't> Fields<'n, 'p, 't> {
    /// The fields of `node`, which must be a map; anything else is noted and reads as `None`.
    pub fn of(node: &'n Node, problems: &'p Problems<'t>) -> Option<Fields<'n, 'p, 't>> {
        match &node.value {
            Value::Map(entries) => {
                Some(Fields { entries, span: node.span.clone(), problems, known: RefCell::default() })
            }
            _ => {
                problems.error(&node.span, format!("expected fields ('name: value'), found {}", node.kind()));
                None
            }
        }
    }

    /// Where the map stands.
    pub fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// Where mistakes go.
    pub fn problems(&self) -> &'p Problems<'t> {
        self.problems
    }

    /// A field that may be missing. `null` as a whole value counts as missing.
    pub fn get(&self, name: &'static str) -> Option<&'n Node> {
        self.entry(name).map(|entry| &entry.value).filter(|node| !node.is_null())
    }

    /// A field's key and value.
    pub fn entry(&self, name: &'static str) -> Option<&'n Entry> {
        if !self.known.borrow().contains(&name) {
            self.known.borrow_mut().push(name);
        }
        self.entries.iter().find(|entry| entry.key == name)
    }

    /// A field that must be there.
    pub fn require(&self, name: &'static str) -> Option<&'n Node> {
        let found = self.get(name);
        if found.is_none() {
            self.problems.error_with_help(&self.span, format!("field '{name}' is missing"), format!("add '{name}: …'"));
        }
        found
    }

    /// Optional text.
    pub fn text(&self, name: &'static str) -> Option<&'n str> {
        self.get(name).and_then(|node| node.read_text(self.problems))
    }

    /// Required text.
    pub fn require_text(&self, name: &'static str) -> Option<&'n str> {
        self.require(name).and_then(|node| node.read_text(self.problems))
    }

    /// Optional truth value.
    pub fn flag(&self, name: &'static str) -> Option<bool> {
        self.get(name).and_then(|node| node.read_flag(self.problems))
    }

    /// Optional whole number within `range`.
    pub fn number(&self, name: &'static str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        self.get(name).and_then(|node| node.read_number(range, self.problems))
    }

    /// Optional list of text; a single text counts as a list of one.
    pub fn texts(&self, name: &'static str) -> Vec<(&'n str, Range<usize>)> {
        self.get(name).map(|node| node.read_texts(self.problems)).unwrap_or_default()
    }

    /// Optional choice between named values.
    pub fn choice<T: Copy>(&self, name: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.get(name).and_then(|node| node.read_choice(choices, self.problems))
    }

    /// Optional text read by `read`, whose error message is noted at the value.
    pub fn parsed<T>(&self, name: &'static str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let node = self.get(name)?;
        let text = node.scalar(self.problems)?;
        read(text).map_err(|message| self.problems.error(&node.span, message)).ok()
    }

    /// Declares names that exist but were not asked for in this case.
    pub fn also_known(&self, names: &[&'static str]) {
        self.known.borrow_mut().extend(names);
    }

    /// Notes every field nobody asked for, with the nearest known name.
    pub fn finish(self) {
        let known = self.known.into_inner();
        for entry in self.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let help = match nearest(&entry.key, known.iter().copied()) {
                Some(name) => format!("did you mean '{name}'?"),
                None => format!("known fields: {}", known.join(", ")),
            };
            self.problems.error_with_help(&entry.span, format!("unknown field '{}'", entry.key), help);
        }
    }
}

impl Node {
    /// True for an unquoted `null`, `~` or nothing.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if is_null(text))
    }

    /// What stands here, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Map(_) => "fields",
            Value::Scalar { plain: false, .. } => "text",
            Value::Scalar { text, .. } if is_null(text) => "null",
            Value::Scalar { text, .. } if flag(text).is_some() => "a truth value",
            Value::Scalar { text, .. } if is_number(text) => "a number",
            Value::Scalar { .. } => "text",
        }
    }

    /// The scalar's characters, whatever its type.
    pub fn scalar(&self, problems: &Problems<'_>) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => {
                problems.error(&self.span, format!("expected one value, found {}", self.kind()));
                None
            }
        }
    }

    /// Text; an unquoted number, truth value or null is refused.
    pub fn read_text(&self, problems: &Problems<'_>) -> Option<&str> {
        match (&self.value, self.kind()) {
            (Value::Scalar { text, .. }, "text") => Some(text),
            (Value::Scalar { text, .. }, kind) => {
                let help = format!("write it in quotes: '{text}'");
                problems.error_with_help(&self.span, format!("expected text, found {kind}"), help);
                None
            }
            (_, kind) => {
                problems.error(&self.span, format!("expected text, found {kind}"));
                None
            }
        }
    }

    /// `true` or `false`, without quotes.
    pub fn read_flag(&self, problems: &Problems<'_>) -> Option<bool> {
        if let Value::Scalar { text, plain: true } = &self.value
            && let Some(value) = flag(text)
        {
            return Some(value);
        }
        problems.error_with_help(&self.span, format!("expected true or false, found {}", self.kind()), "true | false");
        None
    }

    /// A whole number within `range`; `_` may group digits.
    pub fn read_number(&self, range: std::ops::RangeInclusive<u64>, problems: &Problems<'_>) -> Option<u64> {
        let (low, high) = (*range.start(), *range.end());
        if let Value::Scalar { text, plain: true } = &self.value
            && let Ok(value) = text.replace('_', "").parse::<u64>()
        {
            if range.contains(&value) {
                return Some(value);
            }
            problems.error(&self.span, format!("{value} is out of range: {low} to {high}"));
            return None;
        }
        problems.error(&self.span, format!("expected a whole number from {low} to {high}, found {}", self.kind()));
        None
    }

    /// A list; anything else is noted.
    pub fn read_list(&self, problems: &Problems<'_>) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => {
                problems.error(&self.span, format!("expected a list, found {}", self.kind()));
                None
            }
        }
    }

    /// A list of text, or one text.
    pub fn read_texts(&self, problems: &Problems<'_>) -> Vec<(&str, Range<usize>)> {
        let read = |node: &'_ Node| node.span.clone();
        match &self.value {
            Value::List(items) => {
                items.iter().filter_map(|item| item.read_text(problems).map(|text| (text, read(item)))).collect()
            }
            _ => self.read_text(problems).map(|text| (text, read(self))).into_iter().collect(),
        }
    }

    /// One of some named values.
    pub fn read_choice<T: Copy>(&self, choices: &[(&str, T)], problems: &Problems<'_>) -> Option<T> {
        let written = self.scalar(problems)?;
        let found = choices.iter().find(|(name, _)| *name == written).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let help = match nearest(written, names.iter().copied()) {
                Some(name) => format!("did you mean '{name}'? one of: {}", names.join(", ")),
                None => format!("one of: {}", names.join(", ")),
            };
            problems.error_with_help(&self.span, format!("'{written}' is not known here"), help);
        }
        found
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Numbers of YAML 1.2, and what other readers would take for one.
fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && (digits.replace('_', "").parse::<f64>().is_ok()
            || digits.strip_prefix("0x").is_some_and(|hex| u128::from_str_radix(hex, 16).is_ok())
            || digits.strip_prefix("0o").is_some_and(|octal| u128::from_str_radix(octal, 8).is_ok()))
        || matches!(text, ".inf" | ".nan" | "-.inf" | "+.inf" | ".NaN" | ".Inf")
}
