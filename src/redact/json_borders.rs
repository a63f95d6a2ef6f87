//! Masks stay inside the tokens of JSON: what was JSON is JSON afterwards, and so is JSON in its strings.
//!
//! Readers of text do not always see where a string of JSON ends: a key at the end of one string takes what stands
//! behind it for its value. Here the claims on a record that holds JSON are cut to the strings and numbers they
//! cover; quotes, brackets, colons, commas and the words `true`, `false` and `null` stay.
//!
//! Invariants: of a claim nothing becomes readable but those; claims stay sorted and disjoint; a record that is no JSON keeps its
//! claims as they are. Only records with a claim that could cross a border are read, once a level.

use super::eight;
use super::finding::Span;
use super::steps;
use super::union::{Claim, Quotes, Shown};
use memchr::{memchr, memchr2};
use std::ops::Range;

/// JSON in strings of JSON is followed so deep.
const DEEPEST: u32 = 4;

/// Where in JSON a searched text begins.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Begins {
    /// The text is a whole record.
    #[default]
    Record,
    /// The record is no JSON.
    Text,
    /// Between two tokens of JSON.
    Token,
    /// Inside a string of JSON.
    String,
}

/// Cuts the claims of one record; scratch that is reused.
#[derive(Default)]
pub(super) struct Borders {
    cut: Vec<Claim>,
}

impl Borders {
    /// Cuts `claims`, sorted and disjoint, on the record `text[floor..limit]` at the borders of JSON in it.
    /// A text that is only a window of a record says how it `begins`.
    pub(super) fn respect(&mut self, text: &[u8], record: Range<usize>, begins: Begins, claims: &mut Vec<Claim>) {
        let Range { start: floor, end: limit } = record;
        if begins == Begins::Text || !claims.iter().any(|claim| may_cross(text, claim, floor)) {
            return;
        }
        if begins != Begins::Record {
            self.cut.clear();
            let mut walk = Walk { claims, cut: &mut self.cut };
            if walk.tokens(Level { text, limit, depth: 0 }, floor, begins == Begins::String).is_some() {
                std::mem::swap(claims, &mut self.cut);
            }
            return;
        }
        for start in starts(&text[floor..limit]).into_iter().flatten() {
            self.cut.clear();
            let start = floor + start;
            // A value that begins before it is none of its parts.
            let inside = |claim: &Claim| (claim.span.start as usize) < start && start < claim.span.end as usize;
            if claims.iter().any(inside) {
                continue;
            }
            let mut walk = Walk { claims, cut: &mut self.cut };
            walk.keep(floor, start);
            if let Some(end) = walk.document(Level { text, limit, depth: 0 }, start) {
                walk.keep(end, limit);
                std::mem::swap(claims, &mut self.cut);
                return;
            }
        }
    }
}

/// Where JSON may begin: at the record's start, or behind what a logger wrote before it.
fn starts(record: &[u8]) -> [Option<usize>; 2] {
    let first = record.iter().position(|byte| !byte.is_ascii_whitespace());
    let first = first.filter(|at| matches!(record[*at], b'{' | b'['));
    let brace = memchr(b'{', record).filter(|at| Some(*at) != first);
    [first, brace]
}

/// Whether a claim could reach over a token of JSON, as far as its own bytes tell: outside of strings
/// stand few characters.
fn may_cross(text: &[u8], claim: &Claim, floor: usize) -> bool {
    let bytes = claim.span.of(text);
    let outside = |byte: &u8| byte.is_ascii_digit() || b" \t\r\n{}[]:,+-.eEtrufalsn\\".contains(byte);
    if memchr(b'"', bytes).is_some() || eight::find(bytes, b'u', |at| bytes[at..].starts_with(b"u0022")).is_some() {
        return true;
    }
    let start = claim.span.start as usize;
    // The first of a string's characters; behind a closing quote stands a sign.
    let opened = start > floor && text[start - 1] == b'"' && !b":,]} \t\r\n".contains(&bytes[0]);
    !opened && bytes.iter().all(outside)
}

/// A text of JSON that lies so many strings deep in the record.
#[derive(Clone, Copy)]
struct Level<'t> {
    text: &'t [u8],
    limit: usize,
    depth: u32,
}

impl Level<'_> {
    /// The character at `at` as JSON of this depth reads it, and the place behind it. What is not ASCII counts as
    /// a letter.
    fn unit(&self, at: usize) -> Option<(u8, usize)> {
        self.unit_at(at, self.depth)
    }

    fn unit_at(&self, at: usize, depth: u32) -> Option<(u8, usize)> {
        if depth == 0 {
            return (at < self.limit).then(|| (self.text[at], at + 1));
        }
        let (byte, after) = self.unit_at(at, depth - 1)?;
        if byte != b'\\' {
            return Some((byte, after));
        }
        let (letter, mut after) = self.unit_at(after, depth - 1)?;
        let byte = match letter {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            b'u' => {
                let mut code = 0u32;
                for _ in 0..4 {
                    let (digit, next) = self.unit_at(after, depth - 1)?;
                    code = code << 4 | char::from(digit).to_digit(16)?;
                    after = next;
                }
                u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(0xFF)
            }
            other => other,
        };
        Some((byte, after))
    }

    /// The place of the quote that closes a string whose content begins at `at`, and the place behind it.
    fn string_end(&self, mut at: usize) -> Option<(usize, usize)> {
        loop {
            if self.depth == 0 {
                at += memchr2(b'"', b'\\', self.text.get(at..self.limit)?)?;
            }
            let (byte, after) = self.unit(at)?;
            match byte {
                b'"' => return Some((at, after)),
                b'\\' => at = self.unit(after)?.1,
                _ => at = after,
            }
        }
    }

    /// The place behind the number or word that begins at `at`, and whether it is a word; `None` for anything else.
    fn bare_end(&self, mut at: usize) -> Option<(usize, bool)> {
        const WORDS: [&[u8]; 3] = [b"true", b"false", b"null"];
        let (mut held, mut length, mut number) = ([0u8; 5], 0, true);
        while let Some((byte, after)) = self.unit(at) {
            if matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'}' | b']' | b':') {
                break;
            }
            number &= byte.is_ascii_digit() || b"+-.eE".contains(&byte);
            if let Some(place) = held.get_mut(length) {
                *place = byte;
            }
            length += 1;
            at = after;
        }
        let word = held.get(..length).is_some_and(|held| WORDS.contains(&held));
        (word || number && length > 0).then_some((at, word))
    }
}

/// What may stand next.
#[derive(Clone, Copy)]
enum Next {
    Value,
    ValueOrClose,
    Key,
    KeyOrClose,
    Colon,
    /// A comma, or the bracket that closes.
    Sign,
}

/// The brackets that are open, the last in the lowest bit: set for an object. Those deeper than a machine
/// word count as arrays.
#[derive(Default)]
struct Brackets {
    count: u32,
    objects: u128,
}

impl Brackets {
    fn push(&mut self, object: bool) -> Next {
        self.count += 1;
        self.objects = self.objects << 1 | u128::from(object);
        if object { Next::KeyOrClose } else { Next::ValueOrClose }
    }

    fn pop(&mut self) -> Next {
        self.count -= 1;
        self.objects >>= 1;
        Next::Sign
    }

    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

/// The claims still ahead, and what was made of those behind.
struct Walk<'c> {
    claims: &'c [Claim],
    cut: &'c mut Vec<Claim>,
}

impl Walk<'_> {
    /// Reads one object or array from `at` on; the place behind it. `None` when it is no JSON.
    fn document(&mut self, level: Level<'_>, start: usize) -> Option<usize> {
        let (mut at, mut open, mut next) = (start, Brackets::default(), Next::Value);
        loop {
            let from = at;
            let (byte, after) = level.unit(from)?;
            at = after;
            next = match (byte, next) {
                (b' ' | b'\t' | b'\r' | b'\n', next) => next,
                (b'{' | b'[', Next::Value | Next::ValueOrClose) => open.push(byte == b'{'),
                (b'}', Next::KeyOrClose | Next::Sign) if open.in_object() => open.pop(),
                (b']', Next::ValueOrClose | Next::Sign) if !open.in_object() => open.pop(),
                (b',', Next::Sign) => {
                    if open.in_object() {
                        Next::Key
                    } else {
                        Next::Value
                    }
                }
                (b':', Next::Colon) => Next::Value,
                (b'"', Next::Colon | Next::Sign) => return None,
                (b'"', wanted) => {
                    let (end, behind) = level.string_end(after)?;
                    self.string(level, after, end);
                    at = behind;
                    if matches!(wanted, Next::Key | Next::KeyOrClose) { Next::Colon } else { Next::Sign }
                }
                (_, Next::Value | Next::ValueOrClose) => {
                    let (end, word) = level.bare_end(from)?;
                    self.bare(level, from, end, word);
                    at = end;
                    Next::Sign
                }
                _ => return None,
            };
            self.skip(at);
            if open.count == 0 {
                steps::add(at - start);
                return Some(at);
            }
        }
    }

    /// Reads the tokens of a part of JSON, whatever brackets are open in it.
    fn tokens(&mut self, level: Level<'_>, mut at: usize, in_string: bool) -> Option<()> {
        let mut in_string = in_string;
        steps::add(level.limit - at);
        while let Some((byte, after)) = level.unit(at) {
            if in_string || byte == b'"' {
                let start = if in_string { at } else { after };
                let (end, behind) = level.string_end(start).unwrap_or((level.limit, level.limit));
                self.string(level, start, end);
                (at, in_string) = (behind, false);
            } else if b" \t\r\n,:{}[]".contains(&byte) {
                at = after;
            } else {
                let (end, word) = level.bare_end(at)?;
                self.bare(level, at, end, word);
                at = end;
            }
            self.skip(at);
        }
        Some(())
    }

    /// Cuts claims to the content of a string, and to the JSON it may hold.
    fn string(&mut self, level: Level<'_>, start: usize, end: usize) {
        let reaches = |claim: &&Claim| (claim.span.start as usize) < end;
        let Some(first) = self.claims.first().filter(reaches) else { return };
        let whole = first.span.start as usize <= start && end <= first.span.end as usize;
        let inner = Level { limit: end, depth: level.depth + 1, ..level };
        if !whole && level.depth < DEEPEST && matches!(inner.unit(start), Some((b'{' | b'[', _))) {
            let (claims, known) = (self.claims, self.cut.len());
            if let Some(behind) = self.document(inner, start) {
                self.keep(behind, end);
                return;
            }
            self.claims = claims;
            self.cut.truncate(known);
        }
        let known = self.cut.len();
        self.keep(start, end);
        // Quotes of a number that is none would end the string.
        for claim in &mut self.cut[known..] {
            claim.number = claim.number.filter(|quotes| match quotes {
                Quotes::Raw(backslashes) => *backslashes >= (2 << level.depth) - 1,
                Quotes::View(..) => true,
            });
        }
    }

    /// A number that is touched goes as a whole; a word stays.
    fn bare(&mut self, level: Level<'_>, start: usize, end: usize, word: bool) {
        let Some(claim) = self.claims.first().filter(|claim| (claim.span.start as usize) < end) else { return };
        if !word {
            let number = Some(Quotes::Raw((1 << level.depth) - 1));
            let span = Span::new(start, end);
            let shown = if claim.span == span { claim.shown } else { Shown::Label };
            self.cut.push(Claim { span, number, shown, ..*claim });
        }
        self.skip(end);
    }

    /// Keeps what claims cover of `start..end`.
    fn keep(&mut self, start: usize, end: usize) {
        while let Some(claim) = self.claims.first().filter(|claim| (claim.span.start as usize) < end) {
            let from = (claim.span.start as usize).max(start);
            let to = (claim.span.end as usize).min(end);
            if from < to {
                let span = Span::new(from, to);
                let same = claim.span == span;
                let (shown, number) = if same { (claim.shown, claim.number) } else { (Shown::Label, None) };
                self.cut.push(Claim { span, shown, number, ..*claim });
            }
            if claim.span.end as usize > end {
                break;
            }
            self.claims = &self.claims[1..];
        }
    }

    /// Drops the claims that end at or before `at`.
    fn skip(&mut self, at: usize) {
        let behind = self.claims.iter().take_while(|claim| claim.span.end as usize <= at).count();
        self.claims = &self.claims[behind..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::rule::{RuleIndex, Severity};

    /// `text` with every cut claim in `<>`; claims are the parts between the two bars.
    fn cut(text: &str) -> String {
        let bars: Vec<usize> = text.match_indices('|').enumerate().map(|(count, (at, _))| at - count).collect();
        let text = text.replace('|', "");
        let claim = |span: Span| Claim {
            span,
            rule: RuleIndex(0),
            severity: Severity::High,
            shown: Shown::Label,
            view: 0,
            number: None,
            run: false,
        };
        let mut claims: Vec<Claim> = bars.chunks(2).map(|pair| claim(Span::new(pair[0], pair[1]))).collect();
        Borders::default().respect(text.as_bytes(), 0..text.len(), Begins::Record, &mut claims);
        let (mut out, mut at) = (String::new(), 0);
        for claim in claims {
            let (start, end) = (claim.span.start as usize, claim.span.end as usize);
            let quotes = match claim.number {
                Some(Quotes::Raw(backslashes)) => "\\".repeat(backslashes) + "\"",
                _ => String::new(),
            };
            out += &format!("{}<{quotes}{}>", &text[at..start], &text[start..end]);
            at = end;
        }
        out + &text[at..]
    }

    #[test]
    fn claims_are_cut_to_strings_and_numbers() {
        for (text, want) in [
            (r#"{"a|":"b|c"}"#, r#"{"a":"<b>c"}"#),
            (r#"{"a":"x|","b":41,"c":true}|"#, r#"{"a":"x","<b>":<"41>,"<c>":true}"#),
            (r#"{"a":|4|1.5e3}"#, r#"{"a":<"41.5e3>}"#),
            (r#"{"a":[|true|,1]}"#, r#"{"a":[true,1]}"#),
            // JSON in a string, and in a string of that.
            (r#"{"m":"{\"a|\":\"b|\",\"n\":1}"}"#, r#"{"m":"{\"a\":\"<b>\",\"n\":1}"}"#),
            (r#"{"m":"{\"n\":|1},|2"}"#, r#"{"m":"{\"n\":<\"1>}<,>2"}"#),
            (r#"{"m":"{\"m\":\"{\\\"n|\\\":1|}\"}"}"#, r#"{"m":"{\"m\":\"{\\\"n\\\":<\\\"1>}\"}"}"#),
            (r#"{"m":"{\u0022n|\u0022:1|}"}"#, r#"{"m":"{\u0022n\u0022:<\"1>}"}"#),
            // A string that is claimed as a whole goes as a whole.
            (r#"{"m":"|{\"a\":1}|"}"#, r#"{"m":"<{\"a\":1}>"}"#),
            // What a logger writes around it.
            (r#"|x| INFO {"a|":1|} in 5 |ms|"#, r#"<x> INFO {"a":<"1>} in 5 <ms>"#),
            (r#"[a] {"a|":1}|"#, r#"[a] {"a":<"1>}"#),
        ] {
            assert_eq!(cut(text), want, "{text}");
        }
    }

    #[test]
    fn claims_on_what_is_no_json_stay() {
        for (text, want) in [
            (r#"{"a|": b, "c"|}"#, r#"{"a<": b, "c">}"#),
            (r#"password=|"{]|"#, r#"password=<"{]>"#),
            (r#"{"a|":{::}}|"#, r#"{"a<":{::}}>"#),
            (r#"{"a|":1|"#, r#"{"a<":1>"#),
            (r#"pass|word={"a":1}|"#, r#"pass<word={"a":1}>"#),
            (r#"[|4111 1111|]"#, r#"[<4111 1111>]"#),
        ] {
            assert_eq!(cut(text), want, "{text}");
        }
    }
}
