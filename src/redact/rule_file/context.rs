//! What surrounds the `find:` of a rule: checks, context words, masks and exceptions.

use super::find::unknown;
use crate::redact::rule::{Allow, AllowTest, Mask, Words};
use crate::redact::validate;
use crate::strict_yaml::{Fields, Node, Problems, Value};
use crate::token::TokenClass;

const FARTHEST_WORD: u64 = 200;
const MOST_WORDS: usize = 200;

/// `check: [names]`
pub(super) fn read_checks(fields: &Fields<'_, '_, '_>) -> Vec<String> {
    let written = fields.texts("check");
    for (name, span) in &written {
        if validate::by_name(name).is_none() {
            unknown(name, validate::names(), "check", span, fields.problems());
        }
    }
    written.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// `near: {words: […], within: 40}`; an empty list of words is none.
pub(super) fn read_words(fields: &Fields<'_, '_, '_>, name: &'static str) -> Option<Words> {
    let problems = fields.problems();
    let node = fields.get(name)?;
    let inner = Fields::of(node, problems)?;
    inner.require("words");
    let written = inner.texts("words");
    if written.len() > MOST_WORDS {
        problems.error(&node.span, format!("{} words, the limit is {MOST_WORDS}", written.len()));
    }
    for (word, span) in &written {
        if word.chars().count() < 2 || *word != word.to_lowercase() {
            let help = "at least two letters, in lower case; letter case of the text does not matter";
            problems.error_with_help(span, format!("'{word}' is no context word"), help);
        }
    }
    let within = inner.number("within", 1..=FARTHEST_WORD).unwrap_or(40) as u32;
    let words: Vec<String> = written.iter().map(|(word, _)| (*word).to_owned()).collect();
    inner.finish();
    (!words.is_empty()).then_some(Words { words, within })
}

/// A key and a keep rule take no evidence but their own: what is written beside them would be ignored.
pub(super) fn refuse_evidence(fields: &Fields<'_, '_, '_>) {
    for name in ["check", "near", "not_near"] {
        if let Some(node) = fields.get(name) {
            let help = "narrow it by a longer key, 'not' or 'value', or use 'regex'";
            fields.problems().error_with_help(
                &node.span,
                format!("'{name}' says nothing beside a key or a keep"),
                help,
            );
        }
    }
}

/// `mask: label`, `mask: {token: em}` or `mask: {keep_last: 4}`; without it the label.
pub(super) fn read_mask(fields: &Fields<'_, '_, '_>) -> Mask {
    let problems = fields.problems();
    let Some(node) = fields.get("mask") else { return Mask::Label };
    if matches!(node.value, Value::Scalar { .. }) {
        return node.read_choice(&[("label", Mask::Label)], problems).unwrap_or(Mask::Label);
    }
    let Some(inner) = Fields::of(node, problems) else { return Mask::Label };
    let token = inner.parsed("token", |name| {
        TokenClass::by_name(name).ok_or_else(|| {
            let known: Vec<&str> = TokenClass::ALL.iter().map(|class| class.short()).collect();
            format!("unknown token class '{name}'; one of: {}", known.join(", "))
        })
    });
    let last = inner.number("keep_last", 1..=4);
    let mask = match (token, last) {
        (Some(class), None) => Mask::Token(class),
        (None, Some(last)) => Mask::KeepLast(last as u8),
        (None, None) => {
            if inner.get("token").is_none() && inner.get("keep_last").is_none() {
                let help = "label | {token: em} | {keep_last: 4}";
                problems.error_with_help(&node.span, "a mask of neither token nor keep_last", help);
            }
            Mask::Label
        }
        (Some(_), Some(_)) => {
            let help = "a token with readable digits shows more than the class allows; choose one";
            problems.error_with_help(&node.span, "token and keep_last together", help);
            Mask::Label
        }
    };
    inner.finish();
    mask
}

/// `allow: [ … ]` of a rule.
pub(super) fn read_allows(fields: &Fields<'_, '_, '_>) -> Vec<Allow> {
    let problems = fields.problems();
    let Some(list) = fields.get("allow").and_then(|node| node.read_list(problems)) else { return Vec::new() };
    list.iter().filter_map(|node| read_allow(node, problems)).collect()
}

/// One exception: `{exact|prefix|suffix|domain: …, reason: …, until: 2027-06-30}`; in the configuration also
/// `rule:`, the only rule it speaks to.
pub fn read_allow(node: &Node, problems: &Problems<'_>) -> Option<Allow> {
    let fields = Fields::of(node, problems)?;
    let tests: Vec<AllowTest> = [
        fields.text("exact").map(|text| AllowTest::Exact(text.to_owned())),
        fields.text("prefix").map(|text| AllowTest::Prefix(text.to_owned())),
        fields.text("suffix").map(|text| AllowTest::Suffix(text.to_owned())),
        fields.text("domain").map(|text| AllowTest::Domain(text.to_ascii_lowercase())),
    ]
    .into_iter()
    .flatten()
    .collect();
    let rule = fields.text("rule").map(str::to_owned);
    let reason = fields.text("reason").map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_none() {
        let help = "add 'reason: …': why these values may stay readable";
        problems.error_with_help(&node.span, "an exception without a reason", help);
    }
    let until = fields.parsed("until", day);
    fields.finish();
    let [test] = tests.try_into().ok().or_else(|| {
        let help = "one of exact, prefix, suffix, domain";
        problems.error_with_help(&node.span, "an exception says exactly one thing", help);
        None
    })?;
    let (AllowTest::Exact(text) | AllowTest::Prefix(text) | AllowTest::Suffix(text) | AllowTest::Domain(text)) = &test;
    if text.len() < 3 {
        problems.error(&node.span, format!("'{text}' is too short for an exception: at least three bytes"));
        return None;
    }
    Some(Allow { test, rule, reason: reason?.to_owned(), until })
}

/// Days since 1970-01-01 of a date such as 2027-06-30.
fn day(text: &str) -> Result<i64, String> {
    let date: jiff::civil::Date = text.parse().map_err(|_| format!("'{text}' is no date; write it as 2027-06-30"))?;
    let span = date.since(jiff::civil::date(1970, 1, 1)).map_err(|_| format!("'{text}' is out of range"))?;
    Ok(i64::from(span.get_days()))
}
