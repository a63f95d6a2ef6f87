//! Opaque runs: at least [`SHORTEST`] characters in a row of which base64, base64url and hex are made, also
//! when broken into lines as mail programs and key files do.

use super::chain::Encoding;
use super::escape::hex;
use super::frame::Frame;
use super::syslog;
use crate::redact::bits::Bits;
use crate::redact::finding::Span;

/// An encoding that hides a whole text in one run of characters.
pub(super) struct Opaque {
    /// Its name.
    pub(super) encoding: Encoding,
    /// Decodes `run` of `text` into `out` (emptied first; `scratch` may be used freely) when what comes out looks
    /// like text, and returns the span that has to be masked if anything in it is found.
    pub(super) decode: fn(text: &[u8], run: Span, scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> Option<Span>,
}

/// Where in a text long runs may begin or go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunStarts<'b> {
    /// Anywhere.
    Anywhere,
    /// Where a bit is set; the first of these bits stands for the text's first byte.
    At(Bits<'b>),
}

impl RunStarts<'_> {
    /// The first such place from `at` on.
    #[inline]
    pub(in crate::redact) fn next(self, at: usize) -> Option<usize> {
        match self {
            RunStarts::Anywhere => Some(at),
            RunStarts::At(bits) => bits.next(at),
        }
    }
}

/// Shorter runs are not looked into.
pub(super) const SHORTEST: usize = 16;

/// Longer runs are read in parts of this many characters (a multiple of four) that overlap by [`OVERLAP`].
const WINDOW: usize = 1 << 20;
const OVERLAP: usize = 4096;

/// Lines of broken runs are at least this long.
const LINE: usize = 32;

/// The next run at or after `from`. In a decoded text only runs that the level above could not see count.
pub(super) fn next(text: &[u8], parent: Option<&Frame>, starts: RunStarts<'_>, mut from: usize) -> Option<Span> {
    loop {
        let run = scan(text, starts, from)?;
        if run.len() < SHORTEST {
            from = run.end as usize;
            continue;
        }
        let around = Span::new((run.start as usize).saturating_sub(1), text.len().min(run.end as usize + 1));
        if parent.is_none_or(|parent| parent.produced_in(around)) {
            return Some(run);
        }
        from = run.end as usize;
    }
}

/// Characters at the start of a run that are the end of an encoded sign before it, which parts texts: `%20`, `%2520`,
/// `\x3d`, `#012`.
fn of_sign(text: &[u8], start: usize) -> usize {
    let parts = |at: usize| hex(text, at, 2).is_some_and(|byte| byte <= 0x20 || b"\"'&,:;<=>".contains(&(byte as u8)));
    match start.checked_sub(1).map(|at| text[at]) {
        Some(b'%') => {
            let percents = 2 * text[start..].chunks(2).take_while(|code| *code == b"25").count();
            if parts(start + percents) { percents + 2 } else { 0 }
        }
        Some(b'\\') if text[start] == b'x' && parts(start + 1) => 3,
        Some(b'#') if syslog::read(text, start - 1).is_some_and(|byte| byte < 0x20) => 3,
        _ => 0,
    }
}

/// Looks at the last character of each stretch of [`SHORTEST`] first, so that ordinary words are passed quickly.
fn scan(text: &[u8], starts: RunStarts<'_>, mut start: usize) -> Option<Span> {
    if start > 0 && start < text.len() && is_opaque(text[start]) && is_opaque(text[start - 1]) {
        start = start.saturating_sub(OVERLAP);
    }
    loop {
        start = starts.next(start)?;
        let stretch = text.get(start..start + SHORTEST)?;
        match stretch.iter().rposition(|&byte| !is_opaque(byte)) {
            Some(at) => start += at + 1,
            None => {
                start += of_sign(text, start);
                return Some(Span::new(start, end_of(text, start)));
            }
        }
    }
}

/// The end of the run that starts at `start`, over line ends as long as the lines are equally long.
fn end_of(text: &[u8], start: usize) -> usize {
    let cap = text.len().min(start + WINDOW);
    let line_end = |from: usize| from + leading(&text[from..cap], OPAQUE);
    let mut end = line_end(start);
    let width = end - start;
    // Behind the sign of a colour the first line is longer than it seems: the others are read alone.
    if width < LINE || !width.is_multiple_of(4) || text[..start].ends_with(b"\x1b[") {
        return end;
    }
    let mut line = width;
    while line == width {
        let gap = match &text[end..cap] {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [b' ', ..] if width >= 60 => 1,
            _ => break,
        };
        line = line_end(end + gap) - (end + gap);
        // Behind a mere space only another long run goes on; `n=1` does not.
        let words = text[end] == b' ' && line < SHORTEST;
        if line == 0 || words {
            break;
        }
        end += gap + line;
    }
    end
}

fn is_opaque(byte: u8) -> bool {
    CLASS[byte as usize] & OPAQUE != 0
}

/// How many bytes `text` begins with that are all of one class.
#[inline]
pub(super) fn leading(text: &[u8], class: u8) -> usize {
    // Eight at a time: runs are long.
    let (words, _) = text.as_chunks::<8>();
    let all = |word: &&[u8; 8]| word.iter().fold(class, |common, byte| common & CLASS[*byte as usize]) != 0;
    let whole = words.iter().take_while(all).count() * 8;
    whole + text[whole..].iter().take_while(|byte| CLASS[**byte as usize] & class != 0).count()
}

/// What a character of a run may be, as bits; zero for characters outside of runs.
pub(super) const CLASS: [u8; 256] = classes();
/// `A-Z`
pub(super) const UPPER: u8 = 1;
/// `a-z`
pub(super) const LOWER: u8 = 2;
/// `0-9`
pub(super) const DIGIT: u8 = 4;
/// `0-9A-Fa-f`
pub(super) const HEX: u8 = 8;
/// `+/-_`
pub(super) const SEPARATOR: u8 = 16;
/// Any of them.
pub(super) const OPAQUE: u8 = 32;

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let char = byte as u8;
        let class = match char {
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' => LOWER,
            b'0'..=b'9' => DIGIT,
            b'+' | b'/' | b'-' | b'_' => SEPARATOR,
            _ => 0,
        };
        table[byte] = class | if class == 0 { 0 } else { OPAQUE } | if char.is_ascii_hexdigit() { HEX } else { 0 };
        byte += 1;
    }
    table
}

/// All classes that occur in `part`.
pub(super) fn classes_of(part: &[u8]) -> u8 {
    part.iter().fold(0, |classes, &byte| classes | CLASS[byte as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &str) -> Vec<&str> {
        let (mut from, mut found) = (0, Vec::new());
        while let Some(run) = next(text.as_bytes(), None, RunStarts::Anywhere, from) {
            found.push(&text[run.start as usize..run.end as usize]);
            from = run.end as usize;
        }
        found
    }

    #[test]
    fn only_long_runs_are_found_and_found_whole() {
        assert_eq!(runs("short words and fifteen_letters"), Vec::<&str>::new());
        assert_eq!(runs("a 0123456789abcdef. b"), ["0123456789abcdef"]);
        assert_eq!(
            runs("=0123456789abcdefghij= x /abcdefghijklmnopqrst"),
            ["0123456789abcdefghij", "/abcdefghijklmnopqrst"]
        );
    }

    #[test]
    fn lines_of_equal_length_are_one_run() {
        let line = "abcdefghijklmnopqrstuvwxyz012345";
        let text = format!("x {line}\n{line}\r\nabc\nnext");
        assert_eq!(runs(&text), [&text[2..text.len() - 5]]);
        let line = "abcdefghijklmnopqrstuvwxyz0123";
        assert_eq!(runs(&format!("\x1b[1m{line}\n{line}")), [&format!("1m{line}"), line]);
    }

    #[test]
    fn very_long_runs_are_read_in_overlapping_parts() {
        let text = "a".repeat(WINDOW + 10);
        let found = runs(&text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].len() + found[1].len(), text.len() + OVERLAP);
    }
}
