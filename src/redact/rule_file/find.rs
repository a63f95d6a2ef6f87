//! The `find:` of a rule: which of the five forms it is, and whether it can be run cheaply.

use crate::redact::expression::Expression;
use crate::redact::key::{KeyFind, KeyTable, Place, ValueKind};
use crate::redact::rule::{Alphabet, AnchorFind, Find, RegexFind, ShortAnchorFind};
use crate::redact::shape;
use crate::strict_yaml::{Fields, Node, Problems, nearest};
use std::ops::Range;

/// The alphabets and their names.
pub(super) const ALPHABETS: &[(&str, Alphabet)] = &[
    ("digits", Alphabet::Digits),
    ("hex", Alphabet::Hex),
    ("hex-any", Alphabet::HexAny),
    ("base36", Alphabet::Base36),
    ("base36-upper", Alphabet::Base36Upper),
    ("base32", Alphabet::Base32),
    ("base62", Alphabet::Base62),
    ("base64url", Alphabet::Base64Url),
    ("base64", Alphabet::Base64),
    ("token-dots", Alphabet::TokenDots),
    ("token", Alphabet::Token),
];
pub(in crate::redact) const VALUE_KINDS: &[(&str, ValueKind)] = &[
    ("any", ValueKind::Any),
    ("opaque", ValueKind::Opaque),
    ("password", ValueKind::Password),
    ("text", ValueKind::Text),
    ("digits", ValueKind::Digits),
    ("code", ValueKind::Code),
    ("number", ValueKind::Number),
    ("date", ValueKind::Date),
    ("authorization", ValueKind::Authorization),
    ("cookie", ValueKind::Cookie),
    ("set-cookie", ValueKind::SetCookie),
    ("scheme", ValueKind::Scheme),
    ("basic", ValueKind::Basic),
    ("command", ValueKind::Command),
    ("vendor", ValueKind::Vendor),
    ("random", ValueKind::Random),
    ("service", ValueKind::Service),
    ("person", ValueKind::Person),
    ("full-name", ValueKind::FullName),
    ("given-name", ValueKind::GivenName),
    ("name-part", ValueKind::NamePart),
    ("pair", ValueKind::Pair),
];
pub(super) const PLACES: &[(&str, Place)] =
    &[("any", Place::Any), ("query", Place::Query), ("compound", Place::Compound)];

/// Shortest literal of an anchor or regex, bytes.
pub(super) const SHORTEST_ANCHOR: usize = 4;
/// Widest window of a regex on either side, bytes.
pub(super) const WIDEST_WINDOW: u64 = 4096;
const LONGEST_TOKEN: u64 = 65_536;
const FORMS: [&str; 5] = ["anchor", "short_anchor", "key", "shape", "regex"];

/// Reads the value of `find:`.
pub(super) fn read(node: &Node, trusted: bool, problems: &Problems<'_>) -> Option<Find> {
    let fields = Fields::of(node, problems)?;
    let forms: Vec<&str> = FORMS.into_iter().filter(|form| fields.get(form).is_some()).collect();
    let found = match forms[..] {
        ["anchor"] => read_anchor(&fields).map(Find::Anchor),
        ["short_anchor"] => read_short_anchor(&fields).map(Find::ShortAnchor),
        ["key"] => read_key(&fields).map(Find::Key),
        ["shape"] => read_shape(&fields).map(Find::Shape),
        ["regex"] => read_regex(&fields, trusted).map(Find::Regex),
        [] => {
            let help = "add one of anchor, short_anchor, key, shape, regex";
            problems.error_with_help(&node.span, "nothing to find", help);
            None
        }
        _ => {
            let help = "keep one of them; two ways to find the same thing are two rules";
            problems.error_with_help(&node.span, format!("more than one form: {}", forms.join(", ")), help);
            return None;
        }
    };
    fields.finish();
    found
}

fn read_anchor(fields: &Fields<'_, '_, '_>) -> Option<AnchorFind> {
    let anchor = literals(fields, "anchor");
    let alphabet = require_alphabet(fields);
    let (min, max) = read_lengths(fields);
    let find = AnchorFind {
        anchor: anchor?,
        alphabet: alphabet?,
        min: min?,
        max,
        before: fields.number("before", 0..=LONGEST_TOKEN).unwrap_or(0) as u32,
        keep_anchor: fields.flag("keep_anchor").unwrap_or(false),
        boundary: fields.flag("boundary").unwrap_or(false),
        any_case: fields.flag("any_case").unwrap_or(false),
    };
    if find.keep_anchor && find.before > 0 {
        let help = "remove 'keep_anchor' or 'before'";
        fields.problems().error_with_help(fields.span(), "an anchor inside a token cannot stay readable", help);
        return None;
    }
    Some(find)
}

fn read_short_anchor(fields: &Fields<'_, '_, '_>) -> Option<ShortAnchorFind> {
    let problems = fields.problems();
    let written = some_texts(fields, "short_anchor");
    for (text, span) in &written {
        if !(2..=12).contains(&text.len()) || !text.is_ascii() {
            let help = "two to twelve ASCII characters; longer ones are an 'anchor'";
            problems.error_with_help(span, format!("'{text}' is no short anchor"), help);
        }
    }
    let alphabet = require_alphabet(fields);
    let (min, max) = read_lengths(fields);
    let at = fields.number("at", 0..=256).unwrap_or(0) as u32;
    let short_anchor: Vec<String> = written.iter().map(|(text, _)| (*text).to_owned()).collect();
    let find = ShortAnchorFind { short_anchor, at, alphabet: alphabet?, min: min?, max };
    let shortest = written.iter().map(|(text, _)| text.len()).min()?;
    if shortest as u64 + u64::from(find.at) + u64::from(find.min) < 16 {
        let help = "the whole token needs at least 16 characters: raise 'min'";
        problems.error_with_help(fields.span(), "too short for a short anchor", help);
        return None;
    }
    Some(find)
}

fn read_key(fields: &Fields<'_, '_, '_>) -> Option<KeyFind> {
    let problems = fields.problems();
    let own = |list: &[(&str, Range<usize>)]| list.iter().map(|(text, _)| (*text).to_owned()).collect();
    let (keys, not) = (some_texts(fields, "key"), fields.texts("not"));
    let find = KeyFind {
        key: own(&keys),
        not: own(&not),
        value: fields.choice("value", VALUE_KINDS).unwrap_or_default(),
        place: fields.choice("place", PLACES).unwrap_or_default(),
        prose: fields.flag("prose").unwrap_or(false),
    };
    let mut fine = !keys.is_empty();
    for (text, span) in keys.iter().chain(&not) {
        if let Err(error) = KeyTable::check(text) {
            problems.error(span, error.to_string());
            fine = false;
        }
    }
    fine.then_some(find)
}

fn read_shape(fields: &Fields<'_, '_, '_>) -> Option<String> {
    let name = fields.text("shape")?;
    if shape::by_name(name).is_some() {
        return Some(name.to_owned());
    }
    let span = fields.get("shape").map_or(fields.span(), |node| &node.span);
    unknown(name, shape::names(), "shape", span, fields.problems());
    None
}

/// Notes an unknown name with the nearest known one.
pub(super) fn unknown<'k>(
    name: &str,
    known: impl Iterator<Item = &'k str>,
    what: &str,
    span: &Range<usize>,
    problems: &Problems<'_>,
) {
    let known: Vec<&str> = known.collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("known: {}", known.join(", ")),
    };
    problems.error_with_help(span, format!("unknown {what} '{name}'"), help);
}

fn read_regex(fields: &Fields<'_, '_, '_>, trusted: bool) -> Option<RegexFind> {
    let problems = fields.problems();
    let regex = fields.text("regex");
    let span = fields.get("regex").map_or(fields.span(), |node| &node.span);
    let regex =
        regex.and_then(|text| if trusted { Some(Expression::known(text)) } else { compile(text, span, problems) });
    let literals = match fields.get("literals") {
        Some(_) => literals(fields, "literals"),
        None => {
            let help = "add 'literals: […]': texts of at least four bytes of which every match has one";
            problems.error_with_help(span, "the expression has no anchor", help);
            None
        }
    };
    let window = match fields.get("window") {
        Some(node) => read_window(node, problems),
        None => {
            let help = "add 'window: {before: 0, after: 200}': bytes around the literal";
            problems.error_with_help(span, "the expression has no bounded window", help);
            None
        }
    };
    let ((before, after), literals) = (window?, literals?);
    Some(RegexFind { regex: regex?, literals, before, after })
}

fn read_window(node: &Node, problems: &Problems<'_>) -> Option<(u32, u32)> {
    let fields = Fields::of(node, problems)?;
    let before = fields.number("before", 0..=WIDEST_WINDOW);
    let after = fields.require("after").and_then(|node| node.read_number(1..=WIDEST_WINDOW, problems));
    let read = (before.unwrap_or(0) as u32, after? as u32);
    fields.finish();
    Some(read)
}

/// An expression the engine can run; notes why there is none.
fn compile(text: &str, span: &Range<usize>, problems: &Problems<'_>) -> Option<Expression> {
    let (what, help) = match Expression::new(text) {
        Ok(expression) if !expression.compiled().regex.is_match(b"") => return Some(expression),
        Ok(_) => ("the expression matches nothing at all".to_owned(), "make one part of it mandatory"),
        Err(regex::Error::CompiledTooBig(limit)) => {
            (format!("the expression needs more than {limit} bytes"), "shorten counted repeats such as {1,500}")
        }
        Err(error) => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or("not an expression").trim_start_matches("error: ");
            let help = "no look-around and no back-references; use near, not_near or check instead";
            (format!("the expression does not compile: {reason}"), help)
        }
    };
    problems.error_with_help(span, what, help);
    None
}

fn require_alphabet(fields: &Fields<'_, '_, '_>) -> Option<Alphabet> {
    fields.require("alphabet").and_then(|node| node.read_choice(ALPHABETS, fields.problems()))
}

fn read_lengths(fields: &Fields<'_, '_, '_>) -> (Option<u32>, Option<u32>) {
    let problems = fields.problems();
    let min = fields.require("min").and_then(|node| node.read_number(0..=LONGEST_TOKEN, problems));
    let max = fields.number("max", 1..=LONGEST_TOKEN);
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        problems.error(fields.span(), format!("min {min} is more than max {max}"));
    }
    (min.map(|min| min as u32), max.map(|max| max as u32))
}

/// A list of texts that a rule cannot do without.
fn some_texts<'n>(fields: &Fields<'n, '_, '_>, name: &'static str) -> Vec<(&'n str, Range<usize>)> {
    let written = fields.texts(name);
    if written.is_empty() {
        fields.problems().error(fields.span(), format!("'{name}' is empty"));
    }
    written
}

/// The literals of an anchor or a regex, strong enough to start work on.
fn literals(fields: &Fields<'_, '_, '_>, name: &'static str) -> Option<Vec<String>> {
    let problems = fields.problems();
    let written = some_texts(fields, name);
    let mut strong = !written.is_empty();
    for (text, span) in &written {
        if let Some((message, help)) = weakness(text) {
            problems.error_with_help(span, message, help);
            strong = false;
        }
    }
    strong.then(|| written.iter().map(|(text, _)| (*text).to_owned()).collect())
}

/// Why a literal cannot start the search of a rule.
fn weakness(text: &str) -> Option<(String, &'static str)> {
    if text.len() < SHORTEST_ANCHOR {
        return Some((
            format!("'{text}' is shorter than {SHORTEST_ANCHOR} bytes"),
            "lengthen it, or use 'short_anchor' when it begins an opaque token",
        ));
    }
    is_plain_word(text).then(|| {
        (
            format!("'{text}' is a plain word and stands in ordinary lines"),
            "add the separator that follows it, or use 'key' or 'near' with that word",
        )
    })
}

/// Letters only, as prose writes them: `token`, `Slack`.
pub(super) fn is_plain_word(text: &str) -> bool {
    let mut letters = text.chars();
    let first = letters.next().is_some_and(char::is_alphabetic);
    first && letters.all(char::is_lowercase)
}
