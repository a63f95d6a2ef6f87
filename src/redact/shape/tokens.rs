//! `jwt`: JSON web tokens by their header. `uuid`: device ids under a key or beside a word.

use super::ShapeHit;
use super::edge::{word_after, word_before};
use crate::redact::validate::{Verdict, content, jwt};

/// How an encoded JSON header starts: `{"a`, `{"t`, `{"k`, …, `{ "`, and a line break after the brace.
pub(super) const HEADERS: &[&str] = &[
    "eyJh", "eyJ0", "eyJr", "eyJl", "eyJj", "eyJ6", "eyJi", "eyJp", "eyJ4", "eyJu", "eyJ1", "eyJ2", "eyAi", "ewog",
    "ewoi",
];

/// The whole token to the end of its alphabet, dots included.
pub(super) fn json_web(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if at > floor && (text[at - 1].is_ascii_alphanumeric() || matches!(text[at - 1], b'+' | b'/')) {
        return None;
    }
    let is_token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b'/' | b'=');
    let mut end = at + text[at..].iter().take_while(|b| is_token(b)).count();
    while text[end - 1] == b'.' {
        end -= 1;
    }
    let dot = text[at..end].iter().position(|b| *b == b'.')?;
    match jwt::check(&text[at..end]) {
        Verdict::Refutes => None,
        // Only the header can be told: three segments are a token all the same.
        Verdict::Silent if dot < 8 => None,
        verdict => Some(ShapeHit::new(at, end, verdict)),
    }
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
