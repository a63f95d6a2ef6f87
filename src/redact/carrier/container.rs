//! Arrays and objects under a key: every scalar in them belongs to it.
//!
//! One tolerant reader for JSON at any depth of escaping, JavaScript, Python, Ruby, PHP, Java and Go
//! dumps: brackets nest, a text before `:`, `=` or `=>` is a name, everything else is a value.

use super::carry::Open;
use super::kind::{self, ValueKind};
use super::lines;
use super::member;
use super::quoted;
use super::reader::Reader;
use super::scalar::scalar;
use super::scope::Scope;
use crate::redact::json_number::own_backslashes;

/// Members of a place or a firm that tell nothing of a person.
const PLACE: &[&str] = &["code", "country", "countrycode", "currency", "id", "iso", "locale", "timezone", "tz", "uuid"];

/// Reads the container whose opening bracket stands at `at`; returns the place behind its closing one.
pub(crate) fn read(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) -> usize {
    let end = walk(reader, scope, at, 0, key_quote(scope, at));
    reader.cursor.set_mask(at..end);
    end
}

/// Goes on in a container of which `depth` brackets are open already.
pub(crate) fn resume(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize, depth: u16) -> usize {
    let end = walk(reader, scope, at, depth, None);
    reader.cursor.set_mask(at..end);
    end
}

/// Where the walk is between two tokens.
struct State {
    depth: u16,
    /// Quotes with fewer backslashes end the string around the container.
    quote_depth: Option<usize>,
    /// A separator was seen: what comes next is a value whatever follows it.
    valued: bool,
    /// The name before the separator describes: its value stays.
    described: bool,
}

fn walk(reader: &mut Reader<'_>, scope: Scope<'_>, mut at: usize, depth: u16, quote_depth: Option<usize>) -> usize {
    let start = at;
    let mut state = State { depth, quote_depth, valued: false, described: nameless(reader) };
    while let Some(byte) = scope.byte(at) {
        match byte {
            b'[' if own_mask_end(reader, scope, at).is_some() => {
                at = own_mask_end(reader, scope, at).unwrap_or(at + 1);
                // One of our masks in the place of the container is the whole value.
                if state.depth == 0 {
                    return at;
                }
            }
            b'[' | b'{' | b'(' => {
                state =
                    State { depth: state.depth.saturating_add(1), valued: false, described: nameless(reader), ..state };
                at += 1;
            }
            b']' | b'}' | b')' => {
                state.depth = state.depth.saturating_sub(1);
                at += 1;
                if state.depth == 0 {
                    return at;
                }
            }
            b',' | b';' => {
                (state.valued, state.described) = (false, nameless(reader));
                at += 1;
            }
            b':' | b'=' => {
                state.valued = true;
                at += 1 + usize::from(scope.byte(at + 1) == Some(b'>'));
            }
            byte if byte == b'>' || byte.is_ascii_whitespace() => at += 1,
            _ => match token(reader, scope, at, &mut state) {
                Some(after) => at = after,
                None => return at,
            },
        }
    }
    if !scope.nested && state.depth > 0 {
        lines::leave_open(reader, scope, start, Open::Container(state.depth));
    }
    scope.limit
}

/// Reads one quoted or bare token; `None` where the string around the container ends.
fn token(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize, state: &mut State) -> Option<usize> {
    let (range, after, quoted) = match quoted::open(scope, at) {
        Some(quote) => {
            if quote.depth < *state.quote_depth.get_or_insert(quote.depth) {
                return None;
            }
            let inner = quoted::read(scope, quote);
            (inner.start..inner.end, inner.after, true)
        }
        None if scope.text[at] == b'\\' => {
            // An escaped line end of a pretty-printed container inside a string.
            let escape = at + scope.backslashes(at);
            if matches!(scope.byte(escape), Some(b'n' | b'r' | b't') | None) {
                return Some((escape + 1).min(scope.limit));
            }
            let end = bare_end(reader, scope, escape, state.valued);
            (at..end, end, false)
        }
        None => {
            let end = bare_end(reader, scope, at, state.valued);
            (at..end, end, false)
        }
    };
    let next = scope.byte(scope.skip_space(after));
    if !state.valued && matches!(next, Some(b':' | b'=')) {
        let vendor = nameless(reader) && !member::is_one_of(scope, &range, member::VALUES);
        let place = reader.kind == ValueKind::Text && member::is_one_of(scope, &range, PLACE);
        state.described = vendor || place || member::describes(&scope.text[range]);
    } else if !state.described && !lists_names(reader, &scope.text[range.clone()], quoted) {
        scalar(reader, scope, range, quoted);
    }
    Some(after)
}

/// `secrets: [db-credentials, tls]`: a bare word under a plural.
fn lists_names(reader: &Reader<'_>, word: &[u8], quoted: bool) -> bool {
    reader.plural && !quoted && !kind::looks_secret(word)
}

/// The backslashes of the quote that closes the key before the container at `at`, where it has one: quotes
/// with fewer of them are not the container's.
fn key_quote(scope: Scope<'_>, at: usize) -> Option<usize> {
    const FARTHEST: usize = 32;
    let before = &scope.text[at.saturating_sub(FARTHEST).max(scope.floor)..at];
    let between = |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, b':' | b'=' | b'>');
    let quote = at.checked_sub(before.iter().rev().take_while(between).count() + 1)?;
    if quote < scope.floor || scope.text[quote] != b'"' {
        return None;
    }
    own_backslashes(scope.text, quote, scope.floor)
}

/// The values of a vendor's settings count only under names that say so.
fn nameless(reader: &Reader<'_>) -> bool {
    reader.kind == ValueKind::Vendor
}

/// The end of one of our own labels, which looks like an array.
fn own_mask_end(reader: &Reader<'_>, scope: Scope<'_>, at: usize) -> Option<usize> {
    reader.labels.mask_end(&scope.text[..scope.limit], at)
}

fn bare_end(reader: &Reader<'_>, scope: Scope<'_>, at: usize, valued: bool) -> usize {
    // `[Bearer x, …]`: a scheme and its credential are one text.
    let spaced = reader.kind == ValueKind::Authorization;
    let ends = |byte: &u8| {
        (byte.is_ascii_whitespace() && !(spaced && *byte == b' '))
            || matches!(byte, b',' | b';' | b']' | b'}' | b')' | b'"' | b'\\')
            || (!valued && *byte == b':')
    };
    let first_end = at + 1;
    let end = scope.text[first_end..scope.limit].iter().position(ends).map_or(scope.limit, |length| first_end + length);
    // A mask of ours is a text of its own.
    let mut masks = memchr::memchr_iter(b'[', &scope.text[first_end..end]).map(|length| first_end + length);
    let end = masks.find(|open| own_mask_end(reader, scope, *open).is_some()).unwrap_or(end);
    // A sign of assignment parts a name from its value; at the end it fills base64 up.
    let assigned = scope.text[at..end].iter().position(|byte| *byte == b'=').filter(|_| !valued);
    let padded =
        |from: usize| scope.text[from..end].iter().all(|byte| *byte == b'=') && end - from <= 2 && from > at + 7;
    assigned.map(|length| at + length).filter(|from| *from > at && !padded(*from)).unwrap_or(end)
}
