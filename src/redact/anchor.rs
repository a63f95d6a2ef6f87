//! Anchors: what a literal is the head of, read in the rule's alphabet.
//!
//! Many literals may stand in one run; the run is read once for each rule and remembered.

use super::finding::Span;
use super::prefilter::Hit;
use super::rule::{Alphabet, AnchorFind, ShortAnchorFind};
use super::steps;
use std::ops::Range;

/// A run of an anchor's alphabet.
#[derive(Clone, Copy, Default)]
pub(super) struct AnchorRun {
    from: usize,
    /// First byte behind the run.
    to: usize,
    /// The same without punctuation at its end.
    trimmed: usize,
}

/// The span of an anchor hit and how far was read.
pub(super) fn anchored(
    text: &[u8],
    record: &Range<usize>,
    hit: Hit,
    anchor: &AnchorFind,
    glued: bool,
    run: &mut AnchorRun,
) -> Option<(Span, u32)> {
    let (start, end) = (hit.start() as usize, hit.end() as usize);
    if anchor.boundary && !glued && start > record.start && text[start - 1].is_ascii_alphanumeric() {
        return None;
    }
    let alphabet = anchor.alphabet;
    if !(run.from <= end && end <= run.to) {
        *run = AnchorRun::read(text, end, record.end, alphabet);
    }
    let read = run.to;
    let mut stop = run.trimmed.max(end);
    let mut length = stop - end;
    if alphabet == Alphabet::Base64 {
        stop += text[stop..record.end].iter().take(2).take_while(|byte| **byte == b'=').count();
        length = stop - end;
    }
    if length < anchor.min as usize || anchor.max.is_some_and(|max| length > max as usize) {
        return None;
    }
    let mut from = if anchor.keep_anchor { end } else { start };
    if anchor.before > 0 {
        let lowest = start.saturating_sub(512).max(record.start);
        let run = text[lowest..start].iter().rev().take_while(|byte| alphabet.holds(**byte)).count();
        if run < anchor.before as usize {
            return None;
        }
        from = start - run;
    }
    (from < stop).then(|| (Span::new(from, stop), read as u32))
}

impl AnchorRun {
    fn read(text: &[u8], from: usize, limit: usize, alphabet: Alphabet) -> AnchorRun {
        let mut to = from;
        loop {
            to += text[to..limit].iter().take_while(|byte| alphabet.holds(**byte) && **byte != b'%').count();
            if to == limit || text[to] != b'%' || !alphabet.holds(b'%') || ends_encoded(&text[to..limit]) {
                break;
            }
            to += 1;
        }
        steps::add(to - from);
        let trailing = text[from..to].iter().rev().take_while(|byte| alphabet.trails(**byte)).count();
        AnchorRun { from, to, trimmed: to - trailing }
    }
}

/// Whether the percent sign that `text` begins with writes, maybe several times over, what parts texts: `%20`, `%2522`.
fn ends_encoded(text: &[u8]) -> bool {
    let mut code = &text[1..];
    while let Some(inner) = code.strip_prefix(b"25") {
        code = inner;
    }
    let digit = |place: usize| code.get(place).and_then(|byte| char::from(*byte).to_digit(16));
    let (Some(high), Some(low)) = (digit(0), digit(1)) else { return false };
    matches!((high * 16 + low) as u8, 0..=b' ' | b'"' | b'\'' | b'&' | b',' | b';' | b'<' | b'>')
}

/// One literal of a short anchor at its place of an opaque run. The token behind it is cut at characters outside
/// the rule's alphabet.
pub(super) fn short_anchored(
    text: &[u8],
    record: &Range<usize>,
    run: Range<usize>,
    short: &ShortAnchorFind,
    literal: u16,
) -> Option<Span> {
    let start = run.start + short.at as usize;
    let literal = short.short_anchor[usize::from(literal)].as_bytes();
    let after = start + literal.len();
    if after > run.end || !text[start..].starts_with(literal) {
        return None;
    }
    let mut stop = after + text[after..record.end].iter().take_while(|byte| short.alphabet.holds(**byte)).count();
    steps::add(stop - after);
    while stop > after && short.alphabet.trails(text[stop - 1]) {
        stop -= 1;
    }
    let length = stop - after;
    let fits = length >= short.min as usize && short.max.is_none_or(|max| length <= max as usize);
    fits.then(|| Span::new(run.start, stop))
}

impl Alphabet {
    /// Whether a token of this alphabet may hold the byte.
    pub fn holds(self, byte: u8) -> bool {
        match self {
            Alphabet::Digits => byte.is_ascii_digit(),
            Alphabet::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Alphabet::HexAny => byte.is_ascii_hexdigit(),
            Alphabet::Base36 => byte.is_ascii_digit() || byte.is_ascii_lowercase(),
            Alphabet::Base36Upper => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Alphabet::Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
            Alphabet::Base62 => byte.is_ascii_alphanumeric(),
            Alphabet::Base64Url => byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-',
            Alphabet::Base64 => byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/',
            Alphabet::TokenDots => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Alphabet::Token => byte.is_ascii_alphanumeric() || b"_-.~+/=%:".contains(&byte),
        }
    }

    /// Whether a token may go on where an opaque run ends.
    pub(super) fn runs_on(self) -> bool {
        matches!(self, Alphabet::Base64 | Alphabet::TokenDots | Alphabet::Token)
    }

    /// Punctuation of the sentence around a token rather than its last character.
    fn trails(self, byte: u8) -> bool {
        matches!((self, byte), (Alphabet::TokenDots | Alphabet::Token, b'.' | b':'))
    }
}
