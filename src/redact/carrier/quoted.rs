//! Quoted values: where a string that begins with a quote ends, at any depth of JSON inside JSON.
//!
//! At depth *d* every quote that delimits a string is written with `2^d - 1` backslashes, and an escaped
//! backslash takes `2^(d+1)` of them. So the quote that closes a string opened with `k` backslashes is the
//! first one whose backslash run is `k` modulo `2(k+1)`; one with fewer than `k` ends an outer string.

use super::scope::Scope;

/// A quote at the start of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Quote {
    /// First byte of what is quoted.
    pub(crate) content: usize,
    /// Backslashes before the quote.
    pub(crate) depth: usize,
    /// The closing quote, UTF-8.
    closing: &'static [u8],
}

/// What a quote holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Quoted {
    /// First byte of the content.
    pub(crate) start: usize,
    /// First byte after the content.
    pub(crate) end: usize,
    /// First byte after the closing quote; `end` when it never closes.
    pub(crate) after: usize,
    /// The closing quote was found.
    pub(crate) closed: bool,
}

/// The quote that begins at `at` (with its backslashes), if one does.
pub(crate) fn open(scope: Scope<'_>, at: usize) -> Option<Quote> {
    let depth = scope.backslashes(at);
    let quote = at + depth;
    let (width, closing): (usize, &'static [u8]) = match scope.byte(quote)? {
        b'"' => (1, b"\""),
        b'\'' => (1, b"'"),
        b'`' => (1, b"`"),
        0xC2 if scope.has(quote, "«".as_bytes()) => (2, "»".as_bytes()),
        0xE2 if scope.has(quote, "„".as_bytes()) => (3, "”".as_bytes()),
        0xE2 if scope.has(quote, "“".as_bytes()) => (3, "”".as_bytes()),
        0xE2 if scope.has(quote, "‘".as_bytes()) => (3, "’".as_bytes()),
        0xE2 if scope.has(quote, "‚".as_bytes()) => (3, "’".as_bytes()),
        _ => return None,
    };
    if depth > 0 && width > 1 {
        return None;
    }
    Some(Quote { content: quote + width, depth, closing })
}

/// Reads to the quote that closes `quote`; without one, to the scope's limit.
pub(crate) fn read(scope: Scope<'_>, quote: Quote) -> Quoted {
    let Quote { content: start, depth, closing } = quote;
    let mut at = start;
    while at < scope.limit {
        let Some(found) = find(scope, at, closing) else { break };
        let run = scope.backslashes_before(found, start);
        let after = found + closing.len();
        if closes(scope, closing, depth, run) && !doubled(scope, closing, depth, found) {
            return Quoted { start, end: found - run.min(depth), after, closed: true };
        }
        at = if doubled(scope, closing, depth, found) { after + closing.len() } else { after };
    }
    Quoted { start, end: unterminated_end(scope, start), after: scope.limit, closed: false }
}

fn find(scope: Scope<'_>, at: usize, closing: &[u8]) -> Option<usize> {
    let rest = &scope.text[at..scope.limit];
    let found = match closing {
        [one] => memchr::memchr(*one, rest),
        // German closing quotes also end what „ opened.
        [0xE2, ..] => {
            rest.windows(3).position(|three| three == closing || (closing == "”".as_bytes() && three == "“".as_bytes()))
        }
        several => rest.windows(several.len()).position(|window| window == several),
    };
    found.map(|offset| at + offset)
}

/// Whether a quote after `run` backslashes closes a string opened after `depth` of them.
fn closes(scope: Scope<'_>, closing: &[u8], depth: usize, run: usize) -> bool {
    match closing {
        // Inside a JSON string every backslash of the quoted text is written twice.
        b"'" | b"`" if depth == 0 => (run / if scope.nested { 2 } else { 1 }).is_multiple_of(2),
        [_] => run < depth || run % (2 * (depth + 1)) == depth,
        _ => true,
    }
}

/// SQL's `''` inside a quoted text stands for one quote.
fn doubled(scope: Scope<'_>, closing: &[u8], depth: usize, found: usize) -> bool {
    closing == b"'" && depth == 0 && scope.byte(found + 1) == Some(b'\'')
}

/// A text cut off in the middle ends before a carriage return or NUL padding.
fn unterminated_end(scope: Scope<'_>, start: usize) -> usize {
    let text = &scope.text[start..scope.limit];
    start + text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | 0)).map_or(0, |last| last + 1)
}
