//! Where a mask may begin and end: never inside an escape, a surrogate pair or a multi-byte character.
//!
//! Invariant: a claim only grows here, but for three things that are not the value's: the letter of an
//! escape that the decoded reading shows to be one, a quote that belongs to the carrier, and the backslash of
//! an escape that begins at the claim's end.

use super::finding::Span;
use super::json_number::backslashes;

/// Follows the double quotes of one record from left to right, as far as somebody asks.
#[derive(Default)]
pub(super) struct Strings {
    at: usize,
    open: bool,
    /// A bracket stood before: without any, quotes are no JSON's.
    bracket: bool,
}

impl Strings {
    /// Starts a record that begins at `floor`.
    pub(super) fn begin(&mut self, floor: usize) {
        *self = Strings { at: floor, ..Strings::default() };
    }

    /// Whether the byte at `at` lies behind an opened quote. Places are asked for from left to right.
    pub(super) fn inside(&mut self, raw: &[u8], at: usize, floor: usize) -> bool {
        self.bracket = self.bracket || self.at < at && memchr::memchr2(b'{', b'[', &raw[self.at..at]).is_some();
        while self.at < at {
            let Some(length) = memchr::memchr(b'"', &raw[self.at..at]) else { break };
            let quote = self.at + length;
            self.open ^= backslashes(raw, quote, floor).is_multiple_of(2);
            self.at = quote + 1;
        }
        self.at = self.at.max(at);
        self.open
    }
}

/// Moves the ends of a raw span to safe places. `begins` tells whether a decoded reading found a value that
/// begins at a place of the record.
pub(super) fn on_boundaries(
    raw: &[u8],
    span: Span,
    floor: usize,
    limit: usize,
    strings: &mut Strings,
    begins: &dyn Fn(usize) -> bool,
) -> Span {
    let (mut start, mut end) = (span.start as usize, span.end as usize);
    if let Some(cut) = escape_around(raw, start, floor) {
        let single = (cut.letter - cut.start) % 2 == 1;
        let readable =
            single && cut.end <= end && begins(cut.end) && strings.inside(raw, cut.start, floor) && strings.bracket;
        let quote = single && raw[cut.letter] == b'"';
        start = if readable || quote { cut.end.min(end) } else { cut.start };
    }
    if is_low_surrogate(raw, start) && start >= floor + 6 && is_high_surrogate(raw, start - 6) {
        start -= 6;
    }
    end = before_quote(raw, start, end, limit);
    let open = end < limit && backslashes(raw, end, start) % 2 == 1;
    if open && is_escaped(raw[end]) {
        end -= 1;
    }
    if let Some(cut) = escape_around(raw, end, floor).filter(|cut| cut.letter < end && cut.end <= limit) {
        end = cut.end;
    }
    if end >= floor + 6 && is_high_surrogate(raw, end - 6) && is_low_surrogate(&raw[..limit], end) {
        end += 6;
    }
    while start > floor && raw.get(start).is_some_and(|byte| byte & 0xC0 == 0x80) {
        start -= 1;
    }
    while end < limit && raw[end] & 0xC0 == 0x80 {
        end += 1;
    }
    Span::new(start, end.max(start))
}

/// An escape that a place lies inside of.
struct Cut {
    /// First of its backslashes; more than one where JSON lies in a string.
    start: usize,
    /// The byte behind them.
    letter: usize,
    /// First byte behind the escape.
    end: usize,
}

/// The escape of JSON that begins before `at` and ends behind it.
fn escape_around(raw: &[u8], at: usize, floor: usize) -> Option<Cut> {
    let cut = |letter: usize, width: usize| {
        let run = backslashes(raw, letter, floor);
        (run > 0).then(|| Cut { start: letter - run, letter, end: letter + width })
    };
    let is_unicode = |letter: usize| {
        raw[letter] == b'u' && raw.get(letter + 1..letter + 5).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    let byte = *raw.get(at)?;
    if at > floor && raw[at - 1] == b'\\' {
        return match byte {
            b'u' if is_unicode(at) => cut(at, 5),
            // A backslash is the second half of one only behind an odd number of them.
            b'\\' if backslashes(raw, at, floor).is_multiple_of(2) => None,
            b'u' => None,
            byte if is_escaped(byte) => cut(at, 1),
            _ => None,
        };
    }
    let lowest = at.saturating_sub(4).max(floor);
    (lowest..at).rev().find(|&letter| is_unicode(letter)).and_then(|letter| cut(letter, 5))
}

/// What JSON writes behind a backslash.
fn is_escaped(byte: u8) -> bool {
    b"\"\\/bfnrtu".contains(&byte)
}

fn is_high_surrogate(raw: &[u8], at: usize) -> bool {
    matches!(raw.get(at..at + 6), Some([b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', _, _]))
}

fn is_low_surrogate(raw: &[u8], at: usize) -> bool {
    matches!(raw.get(at..at + 6), Some([b'\\', b'u', b'd' | b'D', b'c'..=b'f' | b'C'..=b'F', _, _]))
}

/// Leaves a closing quote to the carrier: one that the span took without its partner, and the backslashes
/// that belong to a quote right behind it (1, 3, 7: as many as a quote has in nested strings).
fn before_quote(raw: &[u8], start: usize, end: usize, limit: usize) -> usize {
    let taken = backslashes(raw, end, start);
    let ahead = raw[end..limit].iter().take_while(|byte| **byte == b'\\').count();
    if taken > 0 && ahead > 0 && raw.get(end + ahead) == Some(&b'"') && (taken + ahead + 1).is_power_of_two() {
        return end - taken;
    }
    if raw[start..end].last() != Some(&b'"') || backslashes(raw, end - 1, start) % 2 == 1 {
        return end;
    }
    let real = memchr::memchr_iter(b'"', &raw[start..end]);
    let real = real.filter(|at| backslashes(raw, start + at, start).is_multiple_of(2));
    if real.count() % 2 == 1 { end - 1 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(text: &str, part: &str, begins: &[&str]) -> String {
        let raw = text.as_bytes();
        let at = text.find(part).unwrap();
        let starts: Vec<usize> = begins.iter().map(|part| text.find(part).unwrap()).collect();
        let mut strings = Strings::default();
        strings.begin(0);
        let span = Span::new(at, at + part.len());
        let span = on_boundaries(raw, span, 0, raw.len(), &mut strings, &|place| starts.contains(&place));
        String::from_utf8(span.of(raw).to_vec()).unwrap()
    }

    #[test]
    fn spans_never_cut_an_escape() {
        let table: &[(&str, &str, &[&str], &str)] = &[
            // The decoded reading tells the letter of an escape from the value's first.
            (r#"{"a":"x\njan@example.com"}"#, "njan@example.com", &["jan@"], "jan@example.com"),
            (r#"{"a":"x\njan@example.com"}"#, "njan@example.com", &[], r"\njan@example.com"),
            (r#"{"a":"x\u0040jan@example.com"}"#, "u0040jan@example.com", &["jan@"], "jan@example.com"),
            (r#"{"a":"\u00404111111111111111"}"#, "404111111111111111", &[], r"\u00404111111111111111"),
            // No string, no escape: every byte of the finding goes.
            (r"x\jan@example.com", "jan@example.com", &[], "jan@example.com"),
            (r"HOME\nowak@example.com", "nowak@example.com", &["owak@"], r"\nowak@example.com"),
            // JSON in a string of JSON.
            (r#"{"m":"{\"a\":\"x\\nowak@example.com"#, "nowak@example.com", &["owak@"], r"\\nowak@example.com"),
            // Behind the value.
            (r#"{"a":"secret\n"}"#, r"secret\", &[], "secret"),
            (r#"{"a":"secret\q"}"#, r"secret\", &[], r"secret\"),
            (r#"{"a":"secret\u0041"}"#, r"secret\u00", &[], r"secret\u0041"),
            (r#"{"a":"secret\ud83d\ude00"}"#, r"secret\ud83d", &[], r"secret\ud83d\ude00"),
            (r#"{"a":"\ud83d\ude00secret"}"#, r"\ude00secret", &[], r"\ud83d\ude00secret"),
        ];
        for (text, part, begins, want) in table {
            assert_eq!(moved(text, part, begins), *want, "{text} {part}");
        }
    }

    #[test]
    fn spans_never_cut_a_character() {
        let span = Span::new(1, 2);
        let moved = on_boundaries("ł".as_bytes(), span, 0, 2, &mut Strings::default(), &|_| false);
        assert_eq!(moved, Span::new(0, 2));
    }
}
