//! `jwt`: JSON web tokens by their header. `uuid`: device ids under a key or beside a word.

use super::ShapeHit;
use super::edge::{word_after, word_before};
use crate::redact::validate::{Verdict, content, jwt};

/// How an encoded JSON header starts: `{"a`, `{"t`, `{"k`, …, `{ "`, and a line break after the brace.
pub(super) const HEADERS: &[&str] = &[
    "eyJh", "eyJ0", "eyJr", "eyJl", "eyJj", "eyJ6", "eyJi", "eyJp", "eyJ4", "eyJu", "eyJ1", "eyJ2", "eyAi", "ewog",
    "ewoi",
];

/// Longest encoded header, in characters.
const HEADER_MAX: usize = 680;

/// The whole token to the end of its alphabet, dots included.
pub(super) fn json_web(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let glued = at > floor && (text[at - 1].is_ascii_alphanumeric() || matches!(text[at - 1], b'+' | b'/'));
    if glued && !has_payload(text, at) {
        return None;
    }
    // The header ends soon: without a dot there this is no token, and long runs are not read again and again.
    let header = text[at..]
        .iter()
        .take(HEADER_MAX)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'='))
        .count();
    if header < 8 || text.get(at + header) != Some(&b'.') || jwt::check(&text[at..at + header]) == Verdict::Refutes {
        return None;
    }
    let is_token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b'/' | b'=');
    let mut end = at + text[at..].iter().take_while(|b| is_token(b)).count();
    while text[end - 1] == b'.' {
        end -= 1;
    }
    // Where only the header's start can be told, the form of a token is left for a word or key to confirm.
    let verdict = jwt::check(&text[at..end]);
    (!glued || verdict == Verdict::Proves).then(|| ShapeHit::new(at, end, verdict))
}

/// Whether a second object follows the header: such a token is one wherever it begins, right behind another token too.
fn has_payload(text: &[u8], at: usize) -> bool {
    let dot = memchr::memchr(b'.', &text[at..text.len().min(at + HEADER_MAX)]);
    dot.is_some_and(|dot| text[at + dot + 1..].starts_with(b"eyJ"))
}

/// A UUID standing free; never more than silent.
pub(super) fn uuid(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if text.get(at + 8) != Some(&b'-')
        || word_before(text, at, floor)
        || word_after(text, at + 36)
        || text.get(at + 36) == Some(&b'-')
    {
        return None;
    }
    let candidate = text.get(at..at + 36)?;
    (content::uuid(candidate) != Verdict::Refutes).then(|| ShapeHit::new(at, at + 36, Verdict::Silent))
}
