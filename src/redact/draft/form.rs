//! How the values are found: the cheapest form that fits all of them.

use super::choice::Values;
use super::{Refusal, refused};
use std::fmt::Write;

/// Shortest anchor, bytes.
const ANCHOR: usize = 4;
/// Fewest characters of a token that begins with a short anchor.
const SHORT_TOKEN: usize = 16;
/// Fewest characters behind an anchor that say something by themselves.
const LEAST: usize = 8;

/// Alphabets of rules that a draft may use, narrow ones first, with the filler that writes them.
const ALPHABETS: &[(&str, &str, fn(u8) -> bool)] = &[
    ("digits", "digits", |b| b.is_ascii_digit()),
    ("hex", "hex", |b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
    ("base36", "base36", |b| b.is_ascii_digit() || b.is_ascii_lowercase()),
    ("base36-upper", "base36-upper", |b| b.is_ascii_digit() || b.is_ascii_uppercase()),
    ("base62", "base62", |b| b.is_ascii_alphanumeric()),
    ("base64url", "base64url", |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')),
    ("base64", "base64", |b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')),
];

/// A form, ready to be written.
#[derive(Debug)]
pub(super) enum Form {
    /// A telling beginning and a token behind it; `short`: of two or three characters.
    Anchor { start: String, short: bool, alphabet: &'static str, filler: &'static str, min: usize },
    /// A name with a value; the name as the samples write it and as its words.
    Key { name: String, words: String, kind: &'static str, filler: &'static str, length: usize },
    /// A fixed structure behind a literal; `example` has fillers.
    Regex { literal: String, regex: String, after: usize, example: String },
}

/// The form that finds all values.
pub(super) fn of(values: &Values<'_>) -> Result<Form, Refusal> {
    if let Some(name) = values.key {
        return key(name, values);
    }
    let start = &values.start;
    let rests: Vec<&str> = values.texts().map(|value| &value[start.len()..]).collect();
    let min = rests.iter().map(|rest| rest.len()).min().unwrap_or(0);
    let fits = |inside: &fn(u8) -> bool| rests.iter().all(|rest| rest.bytes().all(inside));
    match ALPHABETS.iter().find(|(_, _, inside)| fits(inside)) {
        Some((alphabet, filler, _)) if start.len() >= 2 => {
            let short = start.len() < ANCHOR;
            if min < LEAST || short && start.len() + min < SHORT_TOKEN {
                return refused(format!(
                    "{min} characters behind '{start}' are too few to tell a value from other text"
                ));
            }
            Ok(Form::Anchor { start: start.clone(), short, alphabet, filler, min })
        }
        _ if start.len() >= ANCHOR => structure(start, &values.texts().collect::<Vec<_>>()),
        _ => refused("nothing tells the values from other text: they begin differently and stand under no name"),
    }
}

/// `badgeCode`, `badge_code`, `badge-code`: the words of a name.
fn words(name: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for c in name.chars() {
        match c {
            '_' | '-' | '.' | '/' => words.push(' '),
            c => {
                if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
                    words.push(' ');
                }
                words.push(c.to_ascii_lowercase());
            }
        }
        before = c;
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn key(name: &str, values: &Values<'_>) -> Result<Form, Refusal> {
    let digits = values.texts().all(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    let length = values.texts().map(str::len).min().unwrap_or(0);
    let longest = values.texts().map(str::len).max().unwrap_or(0);
    let (kind, filler) = match digits {
        true if longest <= 8 => ("code", "digits"),
        true => ("digits", "digits"),
        false if length >= 16 => ("opaque", "base62"),
        false => ("any", "base62"),
    };
    Ok(Form::Key { name: name.to_owned(), words: words(name), kind, filler, length })
}

/// A run of one kind of character.
struct Run {
    class: &'static str,
    filler: &'static str,
    least: usize,
    most: usize,
}

fn kind(c: char) -> Option<(&'static str, &'static str)> {
    match c {
        '0'..='9' => Some(("[0-9]", "digits")),
        'A'..='Z' => Some(("[A-Z]", "upper")),
        'a'..='z' => Some(("[a-z]", "lower")),
        _ => None,
    }
}

/// A part of the structure: a run, or a character that stands there in every value.
enum Part {
    Run(Run),
    Fixed(char),
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for c in text.chars() {
        match (kind(c), parts.last_mut()) {
            (Some((class, _)), Some(Part::Run(run))) if run.class == class => {
                (run.least, run.most) = (run.least + 1, run.most + 1);
            }
            (Some((class, filler)), _) => parts.push(Part::Run(Run { class, filler, least: 1, most: 1 })),
            (None, _) => parts.push(Part::Fixed(c)),
        }
    }
    parts
}

fn structure(start: &str, values: &[&str]) -> Result<Form, Refusal> {
    let differ = "the values have no structure in common behind their beginning";
    let mut common = parts(&values[0][start.len()..]);
    for value in &values[1..] {
        let other = parts(&value[start.len()..]);
        if other.len() != common.len() {
            return refused(differ);
        }
        for pair in common.iter_mut().zip(other) {
            match pair {
                (Part::Run(one), Part::Run(two)) if one.class == two.class => {
                    (one.least, one.most) = (one.least.min(two.least), one.most.max(two.most));
                }
                (Part::Fixed(one), Part::Fixed(two)) if *one == two => {}
                _ => return refused(differ),
            }
        }
    }
    let (mut regex, mut example) = (format!("\\b{}", escaped(start)), start.to_owned());
    for part in &common {
        match part {
            Part::Run(run) => {
                let times =
                    if run.least == run.most { run.least.to_string() } else { format!("{},{}", run.least, run.most) };
                let _ = write!(regex, "{}{{{times}}}", run.class);
                let _ = write!(example, "{{{{{}:{}}}}}", run.filler, run.least);
            }
            Part::Fixed(c) => {
                regex.push_str(&escaped(&c.to_string()));
                example.push(*c);
            }
        }
    }
    if matches!(common.last(), Some(Part::Run(_))) {
        regex.push_str("\\b");
    }
    // The window begins at the literal: the longest value and a byte to see its end.
    let longest = values.iter().map(|value| value.len()).max().unwrap_or(0);
    Ok(Form::Regex { literal: start.to_owned(), regex, after: longest.div_ceil(8) * 8, example })
}

/// Escaped for an expression.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | '_' | '/' | ':' | '#' | '@' | '=' | ',' | '%' | '\'' | '"') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

impl Form {
    /// The value of a rule's `find`.
    pub(super) fn written(&self) -> String {
        match self {
            Form::Anchor { start, short, alphabet, min, .. } => {
                let name = if *short { "short_anchor" } else { "anchor" };
                format!("{{{name}: [{}], alphabet: {alphabet}, min: {min}}}", scalar(start))
            }
            Form::Key { words, kind: "any", .. } => format!("{{key: [{words}]}}"),
            Form::Key { words, kind, .. } => format!("{{key: [{words}], value: {kind}}}"),
            Form::Regex { literal, regex, after, .. } => {
                let (regex, literal) = (quoted(regex), scalar(literal));
                format!("{{regex: {regex}, literals: [{literal}], window: {{before: 0, after: {after}}}}}")
            }
        }
    }

    /// A value with fillers.
    pub(super) fn example(&self) -> String {
        match self {
            Form::Anchor { start, filler, min, .. } => format!("{start}{{{{{filler}:{min}}}}}"),
            Form::Key { filler, length, .. } => format!("{{{{{filler}:{length}}}}}"),
            Form::Regex { example, .. } => example.clone(),
        }
    }

    /// Text in which the rule finds nothing.
    pub(super) fn harmless(&self) -> String {
        match self {
            Form::Anchor { start, .. } => format!("the beginning {start} alone is harmless"),
            Form::Key { name, .. } => format!("the {name} is missing"),
            Form::Regex { literal, .. } => format!("the beginning {literal} alone is harmless"),
        }
    }

    /// In words.
    pub(super) fn told(&self) -> String {
        match self {
            Form::Anchor { start, alphabet, min, .. } => {
                format!("'{start}', then at least {min} characters of {alphabet}")
            }
            Form::Key { words, .. } => format!("the value under the name '{words}'"),
            Form::Regex { literal, .. } => format!("the structure behind '{literal}'"),
        }
    }
}

/// Quoted for YAML.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A plain scalar inside a flow list, quoted where YAML would read it otherwise.
fn scalar(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'));
    let word = text.bytes().any(|byte| byte.is_ascii_alphabetic()) && !text.starts_with(['-', '.']);
    if plain && word { text.to_owned() } else { quoted(text) }
}
