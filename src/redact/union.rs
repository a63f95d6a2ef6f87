//! From findings to masks: the union of all spans, one label each.
//!
//! Invariants: no byte of any finding stays readable; a span never begins or ends inside an escape or a
//! multi-byte character; the label of a union is the most severe finding's, of equal severity the longest's.

use super::finding::Span;
use super::rule::{RuleIndex, Severity};
use crate::token::Token;

/// What a mask shows beside its label.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// `[label]`
    Label,
    /// `[label-1111]`
    Last([u8; 4]),
    /// The token itself.
    Token(Token),
}

/// A finding mapped to the raw record.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub(super) span: Span,
    pub(super) rule: RuleIndex,
    pub(super) severity: Severity,
    pub(super) shown: Shown,
    /// Which view it was found in (0: the raw record); decides how quotes are written.
    pub(super) view: u16,
    /// The value is a bare number of JSON in the text where it was found.
    pub(super) number: bool,
    /// The span is a whole base64 or hex run.
    pub(super) run: bool,
}

/// Merges overlapping claims in place; what is left is sorted and disjoint.
pub(super) fn merge(claims: &mut Vec<Claim>) {
    claims.sort_unstable_by_key(|claim| (claim.span.start, u32::MAX - claim.span.end));
    let mut kept = 0;
    for place in 0..claims.len() {
        let next = claims[place];
        if kept > 0 && next.span.start < claims[kept - 1].span.end {
            let into = claims[kept - 1];
            claims[kept - 1] = joined(into, next);
        } else {
            claims[kept] = next;
            kept += 1;
        }
    }
    claims.truncate(kept);
}

fn joined(one: Claim, two: Claim) -> Claim {
    let span = Span { start: one.span.start, end: one.span.end.max(two.span.end) };
    // Text found both raw and in a view is described best by the raw finding: it comes first in the order.
    let stronger = (two.severity, two.span.len()) > (one.severity, one.span.len());
    let mut claim = if stronger { two } else { one };
    if one.run && two.run && one.span == two.span && one.shown != two.shown {
        // Several values in one run: a token would speak for one of them only.
        claim.shown = Shown::Label;
    } else if one.span != two.span && claim.span != span {
        // The union is wider than the value that was recognised: its token or last digits would lie.
        claim.shown = Shown::Label;
    }
    // A union is a bare number only when all of it is.
    let number = (one.number || two.number) && claim.span == span;
    Claim { span, number, ..claim }
}

/// Moves the ends of a raw span out of escapes and multi-byte characters.
pub(super) fn on_boundaries(raw: &[u8], span: Span, floor: usize, limit: usize) -> Span {
    let (mut start, mut end) = (span.start as usize, span.end as usize);
    if start > floor && odd_backslashes(raw, start, floor) {
        // The first byte is the escaped character of an escape that began before: `\n` + value.
        let unicode = raw[start] == b'u'
            && raw.get(start + 1..start + 5).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        start = (start + if unicode { 5 } else { 1 }).min(end);
    }
    end = before_quote(raw, start, end, limit);
    while end > start && odd_backslashes(raw, end, floor) && end < limit {
        end -= 1;
    }
    while start > floor && raw.get(start).is_some_and(|byte| byte & 0xC0 == 0x80) {
        start -= 1;
    }
    while end < limit && raw[end] & 0xC0 == 0x80 {
        end += 1;
    }
    Span::new(start, end.max(start))
}

/// Leaves a closing quote to the carrier: one that the span took without its partner, and the backslashes
/// that belong to a quote right behind it (1, 3, 7: as many as a quote has in nested strings).
fn before_quote(raw: &[u8], start: usize, end: usize, limit: usize) -> usize {
    let taken = raw[start..end].iter().rev().take_while(|byte| **byte == b'\\').count();
    let ahead = raw[end..limit].iter().take_while(|byte| **byte == b'\\').count();
    if taken > 0 && ahead > 0 && raw.get(end + ahead) == Some(&b'"') && (taken + ahead + 1).is_power_of_two() {
        return end - taken;
    }
    if raw[start..end].last() != Some(&b'"') || odd_backslashes(raw, end - 1, start) {
        return end;
    }
    let real = memchr::memchr_iter(b'"', &raw[start..end]).filter(|at| !odd_backslashes(raw, start + at, start));
    if real.count() % 2 == 1 { end - 1 } else { end }
}

/// True when an odd number of backslashes stands right before `at`.
fn odd_backslashes(raw: &[u8], at: usize, floor: usize) -> bool {
    raw[floor..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The backslashes of the quote behind `before` that belong to it; the others are escaped ones of what it closes.
fn quote_depth(before: &[u8]) -> usize {
    let run = before.iter().rev().take_while(|byte| **byte == b'\\').count();
    [0, 1, 3, 7, 15].into_iter().find(|own| run >= *own && (run - own).is_multiple_of(2 * (own + 1))).unwrap_or(run)
}

/// True when `span` is a whole bare JSON number of `text`: between a key's colon, a bracket or a comma and
/// the end of a value, in something that is JSON there. Also gives the number of backslashes before the
/// quotes of that JSON.
pub(super) fn bare_number(text: &[u8], span: Span, floor: usize, limit: usize) -> Option<usize> {
    let value = span.of(text);
    if !value.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)) || value.is_empty() {
        return None;
    }
    let mut before = span.start as usize;
    let lowest = before.saturating_sub(4096).max(floor);
    let after = text[span.end as usize..limit].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
    if !matches!(after, None | Some(b',' | b'}' | b']')) {
        return None;
    }
    // Left over blanks, and over earlier elements of an array, to what introduces the value.
    loop {
        while before > lowest && matches!(text[before - 1], b' ' | b'\t') {
            before -= 1;
        }
        match before.checked_sub(1).map(|at| text[at]) {
            _ if before == floor => return None,
            Some(b':') => {
                let mut quote = before - 1;
                while quote > lowest && text[quote - 1] == b' ' {
                    quote -= 1;
                }
                return (quote > floor && text[quote - 1] == b'"').then(|| quote_depth(&text[floor..quote - 1]));
            }
            Some(b'[') => return in_json_array(text, before - 1, floor),
            Some(b',') => {
                before -= 1;
                while before > lowest
                    && (text[before - 1].is_ascii_alphanumeric() || b" +-.\"\\[]".contains(&text[before - 1]))
                {
                    if text[before - 1] == b'[' {
                        return in_json_array(text, before - 1, floor);
                    }
                    before -= 1;
                }
                if before == lowest || !matches!(text[before - 1], b',') {
                    return None;
                }
            }
            _ => return None,
        }
    }
}

/// An opening bracket that begins the record, follows a JSON key or lies in another such array.
fn in_json_array(text: &[u8], bracket: usize, floor: usize) -> Option<usize> {
    let mut at = bracket;
    while at > floor && matches!(text[at - 1], b' ' | b'[' | b',') {
        at -= 1;
    }
    if at == floor {
        return Some(0);
    }
    if text[at - 1] != b':' || at - 1 == floor {
        return None;
    }
    let quote = at - 1;
    (text[quote - 1] == b'"').then(|| text[floor..quote - 1].iter().rev().take_while(|byte| **byte == b'\\').count())
}

/// True when the span lies in a JSON object's key: its string closes and a colon follows.
pub(super) fn in_key_position(raw: &[u8], span: Span, limit: usize) -> bool {
    let tail = &raw[span.end as usize..limit.min(span.end as usize + 256)];
    let Some(quote) = tail.iter().position(|byte| *byte == b'"') else { return false };
    if tail[..quote].iter().any(|byte| matches!(byte, b',' | b'{' | b'}' | b':')) {
        return false;
    }
    let rest = &tail[quote + 1..];
    rest.iter().find(|byte| **byte != b' ') == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span_of(text: &str, part: &str) -> Span {
        let at = text.find(part).unwrap();
        Span::new(at, at + part.len())
    }

    #[test]
    fn bare_numbers_of_json_are_told_from_text() {
        let table = [
            (r#"{"pesel":90010112349,"amount":1}"#, Some(0)),
            (r#"{"m":"{\"pesel\": 90010112349}"}"#, Some(1)),
            (r#"{"ids":[1, 90010112349]}"#, Some(0)),
            (r#"{"pesel\\":90010112349}"#, Some(0)),
            ("[90010112349]", Some(0)),
            ("pesel: 90010112349, next", None),
            ("pesel=90010112349", None),
            (r#"{"pesel":"90010112349"}"#, None),
            ("90010112349", None),
        ];
        for (text, want) in table {
            assert_eq!(bare_number(text.as_bytes(), span_of(text, "90010112349"), 0, text.len()), want, "{text}");
        }
    }

    #[test]
    fn spans_never_cut_an_escape_or_a_character() {
        let text = r#"{"a":"x\njan@example.com"}"#;
        let at = text.find("njan").unwrap();
        let cut = Span::new(at, at + 16);
        assert_eq!(on_boundaries(text.as_bytes(), cut, 0, text.len()).of(text.as_bytes()), b"jan@example.com");
        let text = "ł";
        assert_eq!(on_boundaries(text.as_bytes(), Span::new(1, 2), 0, 2), Span::new(0, 2));
    }
}
