//! Regions of inline encodings: which part of a text is read anew around encoded characters.
//!
//! A region holds a cluster of encoded characters no more than [`REACH`] apart (for escapes: everything up to
//! the next real quote). It never passes a real double quote, one not escaped by a backslash, so a
//! finding in it cannot join two JSON strings. Copied around it, undecoded: the key in front of its opening quote
//! (`"key":"`) and, where the region is a key itself, the value behind it.

use super::chain::Encoding;
use super::frame::Frame;
use crate::redact::finding::Span;
use memchr::{memchr, memchr_iter, memrchr_iter};

/// An encoding that writes single characters differently.
pub(super) struct Inline {
    /// Its name.
    pub(super) encoding: Encoding,
    /// The bits of [`triggers`] of which one must be set for anything to be found.
    pub(super) triggers: u8,
    /// The first place at or after `from` where an encoded character starts that [`Inline::decode`] reads.
    pub(super) find: fn(text: &[u8], from: usize) -> Option<usize>,
    /// The same inside a region, where a doubtful character counts too.
    pub(super) within: fn(text: &[u8], from: usize) -> Option<usize>,
    /// Appends the character at `at` decoded (perhaps nothing) and returns how many bytes it was written in.
    pub(super) decode: fn(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize,
    /// True when real double quotes bound a region.
    pub(super) quoted: bool,
    /// How far apart encoded characters of one region may be.
    pub(super) reach: usize,
}

/// Which triggers occur in a text, as bits; one pass that compiles to vector code.
pub(super) fn triggers(text: &[u8]) -> u8 {
    let (mut backslash, mut hash, mut percent, mut ampersand, mut equals, mut unseen) = (0, 0, 0, 0, 0, 0);
    for &byte in text {
        backslash |= u8::from(byte == b'\\');
        hash |= u8::from(byte == b'#');
        percent |= u8::from(byte == b'%');
        ampersand |= u8::from(byte == b'&');
        equals |= u8::from(byte == b'=');
        unseen |= u8::from(byte == 0x1b) | u8::from(byte == 0xc2) | u8::from(byte >= 0xe2);
    }
    (backslash * BACKSLASH)
        | (hash * HASH)
        | (percent * PERCENT)
        | (ampersand * AMPERSAND)
        | (equals * EQUALS)
        | (unseen * UNSEEN)
}

/// The first `sign` at or after `from` that begins an encoded character, as `reads` tells.
pub(super) fn first(text: &[u8], from: usize, sign: u8, reads: impl Fn(usize) -> bool) -> Option<usize> {
    memchr_iter(sign, text.get(from..)?).map(|at| from + at).find(|at| reads(*at))
}

pub(super) const BACKSLASH: u8 = 1;
pub(super) const HASH: u8 = 2;
pub(super) const PERCENT: u8 = 4;
pub(super) const AMPERSAND: u8 = 8;
pub(super) const EQUALS: u8 = 16;
/// ESC and the lead bytes of characters that are folded.
pub(super) const UNSEEN: u8 = 32;

/// Usual distance up to which encoded characters belong to one region, and of its context.
pub(super) const REACH: usize = 1024;

/// No region is longer; a longer one is read in parts that overlap by [`REACH`].
const WINDOW: usize = 1 << 20;

/// Longest key copied in front of a region.
const KEY: usize = 64;

/// Most bytes copied of a value behind a region that is a key, where the value is not a string.
const TAIL: usize = 256;

/// Fills `frame` with the next region of `text` at or after `from` that this codec reads, and returns where to
/// go on. A character already readable at the level above is read again only in canonical order.
pub(super) fn decode_next(
    codec: &Inline,
    text: &[u8],
    parent: Option<&Frame>,
    from: usize,
    frame: &mut Frame,
) -> Option<usize> {
    let first = next_readable(codec, text, parent, from, frame)?;
    let start = start_of(codec, text, from, first);
    let first = (codec.within)(text, start).map_or(first, |doubtful| doubtful.min(first));
    let opened = codec.quoted && start > 0 && text[start - 1] == b'"' && !closes_tag(text, start);
    let context = if opened { key_before(text, start - 1) } else { start };
    frame.encoding = Some(codec.encoding);
    frame.whole = None;
    frame.context = start - context;
    frame.text.clear();
    frame.text.extend_from_slice(&text[context..start]);
    frame.map.reset(context);
    frame.map.copy(start - context);
    let end = decode_region(codec, text, start, first, frame);
    let tail = if opened { tail_after(text, end) } else { end };
    frame.text.extend_from_slice(&text[end..tail]);
    frame.map.copy(tail - end);
    Some(if end - start >= WINDOW { end - REACH } else { end })
}

/// The next encoded character that may be read at this level: any in canonical order, else only one the level above
/// could not see, because decoding made it or took something out of it. `frame` is scratch.
fn next_readable(codec: &Inline, text: &[u8], parent: Option<&Frame>, from: usize, frame: &mut Frame) -> Option<usize> {
    let mut first = (codec.find)(text, from)?;
    let Some(parent) = parent.filter(|parent| parent.encoding >= Some(codec.encoding)) else { return Some(first) };
    loop {
        frame.text.clear();
        let width = (codec.decode)(text, first, &mut frame.text);
        if parent.produced_in(Span::new(first, first + width)) {
            return Some(first);
        }
        first = (codec.find)(text, first + 1)?;
    }
}

/// Decodes from `start` (first encoded character at `first`) and returns where the region ends.
fn decode_region(codec: &Inline, text: &[u8], start: usize, first: usize, frame: &mut Frame) -> usize {
    let cap = text.len().min(start + WINDOW);
    let (mut done, mut at) = (start, first);
    loop {
        copy(text, done, at, frame);
        let before = frame.text.len();
        let width = (codec.decode)(text, at, &mut frame.text);
        frame.map.replace(frame.text.len() - before, width);
        done = at + width;
        let limit = done.saturating_add(codec.reach).min(cap).max(done);
        let next = (codec.within)(text, done).unwrap_or(text.len());
        let quote = if codec.quoted { real_quote(text, done, next.min(limit)) } else { None };
        if let Some(quote) = quote {
            copy(text, done, quote, frame);
            return quote;
        }
        if next >= limit {
            let end = token_end(text, limit, cap.max(limit));
            if next >= end {
                copy(text, done, end, frame);
                return end;
            }
        }
        at = next;
    }
}

fn copy(text: &[u8], from: usize, to: usize, frame: &mut Frame) {
    frame.text.extend_from_slice(&text[from..to]);
    frame.map.copy(to - from);
}

/// Where the region around the encoded character at `first` starts: behind the last real quote, or `reach` bytes
/// back at the start of a word.
fn start_of(codec: &Inline, text: &[u8], from: usize, first: usize) -> usize {
    let low = from.max(first.saturating_sub(codec.reach));
    if codec.quoted {
        let real = |&at: &usize| !is_escaped(text, low + at);
        if let Some(quote) = memrchr_iter(b'"', &text[low..first]).find(real) {
            return low + quote + 1;
        }
    }
    if low == from {
        return from;
    }
    text[low..first].iter().position(|&byte| is_edge(byte)).map_or(low, |at| low + at + 1)
}

/// Whether the quote before `start` closed the last attribute of a tag: `<log n="7"><note>`.
fn closes_tag(text: &[u8], start: usize) -> bool {
    let opens = |byte: &u8| matches!(byte, b'=' | b':' | b',' | b'[' | b'{' | b'(' | b' ');
    text.get(start) == Some(&b'>') && start >= 2 && !opens(&text[start - 2])
}

/// The first double quote in `[from, to)` that no backslash escapes.
fn real_quote(text: &[u8], mut from: usize, to: usize) -> Option<usize> {
    while from < to {
        let at = from + memchr(b'"', &text[from..to])?;
        if !is_escaped(text, at) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// True when an odd number of backslashes stands before `at`.
fn is_escaped(text: &[u8], at: usize) -> bool {
    let slashes = text[..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
    slashes % 2 == 1
}

/// The end of the word that reaches over `limit`, at most `cap`.
fn token_end(text: &[u8], limit: usize, cap: usize) -> usize {
    text[limit..cap].iter().position(|&byte| is_edge(byte)).map_or(cap, |at| limit + at)
}

fn is_edge(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b';' | b'"' | b'\'' | b'<' | b'>' | b'|')
}

/// Where the key of the value opened by the quote at `quote` starts; `quote` itself without a key.
fn key_before(text: &[u8], quote: usize) -> usize {
    let low = quote.saturating_sub(KEY);
    let before = text[low..quote].trim_ascii_end();
    let Some((b':' | b'=', name)) = before.split_last() else { return quote };
    let name = name.trim_ascii_end();
    match name.split_last() {
        Some((b'"', inner)) => memchr::memrchr(b'"', inner).map_or(quote, |at| low + at),
        Some(_) => {
            let word = name.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
            low + name.len() - word.count()
        }
        None => quote,
    }
}

/// How far text is copied behind a region that ends at `end`: where a colon follows its closing quote (the region is
/// a key) over the value. A closing quote alone is not copied: decoded backslashes before it would speak for it.
fn tail_after(text: &[u8], end: usize) -> usize {
    if text.get(end) != Some(&b'"') {
        return end;
    }
    let behind = &text[end + 1..text.len().min(end + 1 + WINDOW)];
    let colon = behind.iter().position(|byte| !byte.is_ascii_whitespace());
    let Some(colon) = colon.filter(|&at| behind[at] == b':') else { return end };
    let gap = behind[colon + 1..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let value = end + 1 + colon + 1 + gap;
    match text.get(value) {
        Some(b'"') => {
            let cap = text.len().min(value + WINDOW);
            real_quote(text, value + 1, cap).map_or(cap, |at| at + 1)
        }
        Some(first) => {
            let least = if matches!(first, b'[' | b'{') { TAIL } else { 0 };
            let limit = text.len().min(value + least);
            token_end(text, limit, text.len().min(limit + WINDOW))
        }
        None => text.len(),
    }
}
