//! JSON string escaping straight into the page that feeds the compressor.
//!
//! Invariants: what is written between quotes is a valid JSON string for any input bytes; valid UTF-8 comes
//! back unchanged when the string is read; every invalid sequence becomes one U+FFFD. A page keeps its
//! bytes initialised and moves a cursor, so that a copy of 32 bytes may run past what counts.

use crate::redact::eight::{ONES, TOPS, not_zero};

/// Stands for bytes that are no text.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
/// Input escaped between two checks of the page's room.
const BLOCK: usize = 4096;
/// Longest escape of one byte, `\u001f`.
const WORST: usize = 6;
/// Bytes looked at together.
const STEP: usize = 32;
/// Bytes of an entry of [`ESCAPES`].
const ENTRY: usize = 8;

/// What a byte is written as, and in the last place how many bytes that takes.
static ESCAPES: [[u8; ENTRY]; 256] = {
    let hex = b"0123456789abcdef";
    let (mut escapes, mut byte) = ([[0; ENTRY]; 256], 0);
    while byte < 256 {
        let short = match byte as u8 {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => 0,
        };
        escapes[byte] = match byte {
            _ if short != 0 => [b'\\', short, 0, 0, 0, 0, 0, 2],
            0..0x20 => [b'\\', b'u', b'0', b'0', hex[byte >> 4], hex[byte & 15], 0, WORST as u8],
            _ => [byte as u8, 0, 0, 0, 0, 0, 0, 1],
        };
        byte += 1;
    }
    escapes
};

/// `00` to `99`.
static PAIRS: [[u8; 2]; 100] = {
    let (mut pairs, mut value) = ([[b'0'; 2]; 100], 0);
    while value < 100 {
        pairs[value] = [b'0' + value as u8 / 10, b'0' + value as u8 % 10];
        value += 1;
    }
    pairs
};

/// A growing buffer that is cleared, never dropped.
#[derive(Default)]
pub(super) struct Page {
    bytes: Vec<u8>,
    at: usize,
}

impl Page {
    /// What has been written.
    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes[..self.at]
    }

    /// Number of bytes written.
    pub(super) fn len(&self) -> usize {
        self.at
    }

    /// Takes back everything written after `at`.
    pub(super) fn truncate(&mut self, at: usize) {
        debug_assert!(at <= self.at);
        self.at = at;
    }

    /// Writes bytes as they are.
    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// Writes bytes whose number is known when this is compiled: a few moves instead of a call.
    #[inline(always)]
    pub(super) fn put_fixed<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.reserve(N);
        set(&mut self.bytes, self.at, bytes);
        self.at += N;
    }

    /// Writes a number in decimal.
    pub(super) fn number(&mut self, value: i64) {
        const DIGITS: usize = 20;
        // What is copied is always so long, from wherever the digits begin.
        let mut digits = [0; 2 * DIGITS];
        let mut start = DIGITS;
        let mut rest = value.unsigned_abs();
        while rest >= 100 {
            let [tens, ones] = PAIRS[(rest % 100) as usize];
            (digits[start - 2], digits[start - 1]) = (tens, ones);
            start -= 2;
            rest /= 100;
        }
        let [tens, ones] = PAIRS[rest as usize];
        start -= 1;
        digits[start] = ones;
        if tens > b'0' {
            start -= 1;
            digits[start] = tens;
        }
        if value < 0 {
            self.put_fixed(b"-");
        }
        self.reserve(DIGITS);
        set(&mut self.bytes, self.at, &step::<DIGITS>(&digits, start));
        self.at += DIGITS - start;
    }

    /// Writes `text` as the inside of a JSON string.
    pub(super) fn escape(&mut self, text: &[u8]) {
        if std::str::from_utf8(text).is_ok() {
            return self.escape_valid(text);
        }
        for chunk in text.utf8_chunks() {
            self.escape_valid(chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                self.put(REPLACEMENT);
            }
        }
    }

    fn escape_valid(&mut self, text: &[u8]) {
        for block in text.chunks(BLOCK) {
            self.reserve(block.len() * WORST + STEP + ENTRY);
            self.at += escape_block(block, &mut self.bytes[self.at..]);
        }
    }

    fn reserve(&mut self, more: usize) {
        let need = self.at + more;
        if self.bytes.len() < need {
            self.grow(need);
        }
    }

    #[cold]
    fn grow(&mut self, need: usize) {
        self.bytes.resize(need.next_power_of_two().max(1 << 16), 0);
    }
}

/// Appends `text` to `out` as the inside of a JSON string; for texts that are escaped once and kept.
pub(super) fn escape_text(text: &[u8], out: &mut Vec<u8>) {
    let mut page = Page::default();
    page.escape(text);
    out.extend_from_slice(page.filled());
}

/// Where to cut an escaped string so that at most `limit` bytes stay and no escape or character is split.
pub(super) fn cut_point(escaped: &[u8], limit: usize) -> usize {
    let mut at = 0;
    while at < escaped.len() {
        let unit = match (escaped[at], escaped.get(at + 1)) {
            (b'\\', Some(b'u')) => 6,
            (b'\\', _) => 2,
            (0xf0.., _) => 4,
            (0xe0.., _) => 3,
            (0xc0.., _) => 2,
            _ => 1,
        };
        if at + unit > limit {
            break;
        }
        at += unit;
    }
    at.min(escaped.len())
}

/// Writes `bytes` to `out` at `to`.
#[inline(always)]
fn set<const N: usize>(out: &mut [u8], to: usize, bytes: &[u8; N]) {
    if let Some(room) = out[to..].first_chunk_mut() {
        *room = *bytes;
    }
}

/// The `N` bytes of `window` from `from` on.
#[inline(always)]
fn step<const N: usize>(window: &[u8], from: usize) -> [u8; N] {
    window[from..].first_chunk().copied().unwrap_or([0; N])
}

/// Escapes a block; `out` has room for its worst case and a step and an entry more. Returns the bytes written.
fn escape_block(text: &[u8], out: &mut [u8]) -> usize {
    let mut to = 0;
    let (steps, rest) = text.as_chunks::<STEP>();
    // A run is copied as a whole step, from wherever in the step it begins.
    let mut window = [0; 2 * STEP];
    for step in steps {
        let marked = marked(step);
        if marked == 0 {
            set(out, to, step);
            to += STEP;
            continue;
        }
        set(&mut window, 0, step);
        to += escape_step(&window, STEP, marked, &mut out[to..]);
    }
    if !rest.is_empty() {
        window = [b' '; 2 * STEP];
        window[..rest.len()].copy_from_slice(rest);
        let marked = window.first_chunk().map_or(0, marked);
        to += escape_step(&window, rest.len(), marked, &mut out[to..]);
    }
    to
}

/// Escapes the first `len` bytes of the window, of which the `marked` ones cannot stay as they are.
#[inline]
fn escape_step(window: &[u8; 2 * STEP], len: usize, mut marked: u32, out: &mut [u8]) -> usize {
    let (mut from, mut to) = (0, 0);
    while marked != 0 {
        let at = marked.trailing_zeros() as usize;
        marked &= marked - 1;
        set(out, to, &step::<STEP>(window, from));
        to += at - from;
        let entry = &ESCAPES[usize::from(window[at])];
        set(out, to, entry);
        to += usize::from(entry[ENTRY - 1]);
        from = at + 1;
    }
    set(out, to, &step::<STEP>(window, from));
    to + len - from
}

/// The bytes of the step that JSON does not take as they are, a bit each: controls, the quote, the backslash.
fn marked(step: &[u8; STEP]) -> u32 {
    let (words, _) = step.as_chunks::<8>();
    words.iter().rev().fold(0, |marks, word| marks << 8 | marked_of(u64::from_le_bytes(*word)))
}

/// The same of eight bytes.
fn marked_of(word: u64) -> u32 {
    let control = not_zero(word & (ONES * 0xe0));
    let quote = not_zero(word ^ (ONES * b'"' as u64));
    let slash = not_zero(word ^ (ONES * b'\\' as u64));
    let tops = (control & quote & slash) ^ TOPS;
    // The product gathers the eight top bits in its highest byte.
    (tops.wrapping_mul(0x0002_0408_1020_4081) >> 56) as u32
}

/// Any bytes: the escaped text is a JSON string that reads back as the text, wherever it is cut.
#[doc(hidden)]
pub fn fuzz_escape(data: &[u8]) {
    let mut page = Page::default();
    page.escape(data);
    let read = |escaped: &[u8]| -> String {
        serde_json::from_slice(&[b"\"", escaped, b"\""].concat()).expect("a valid JSON string")
    };
    let whole = read(page.filled());
    assert_eq!(whole, String::from_utf8_lossy(data));
    let limit = data.first().map_or(0, |&first| usize::from(first));
    assert!(whole.starts_with(&read(&page.filled()[..cut_point(page.filled(), limit)])));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_back(escaped: &[u8]) -> String {
        let quoted = [b"\"".as_slice(), escaped, b"\""].concat();
        serde_json::from_slice(&quoted).expect("a valid JSON string")
    }

    proptest! {
        #[test]
        fn any_bytes_become_a_string_that_reads_back(text: Vec<u8>) {
            fuzz_escape(&text);
        }

        #[test]
        fn quoted_and_broken_text_too(text in r#"([a-z"\\\n\x00é漢🦀]{0,40}){0,4}"#, at: usize, byte: u8) {
            let mut bytes = text.into_bytes();
            if !bytes.is_empty() {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            let mut page = Page::default();
            page.escape(&bytes);
            prop_assert_eq!(read_back(page.filled()), String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn a_cut_never_splits_anything(text in r#"[a-z"\\\n\x01é漢🦀]{0,40}"#, limit in 0usize..60) {
            let mut page = Page::default();
            page.escape(text.as_bytes());
            let at = cut_point(page.filled(), limit);
            prop_assert!(at <= limit);
            prop_assert!(page.len() <= limit || at + WORST > limit, "not more than one unit is given up");
            prop_assert!(text.starts_with(&read_back(&page.filled()[..at])));
        }

        #[test]
        fn the_word_test_agrees_with_a_plain_one(step: [u8; STEP], quiet: u32) {
            let mut step = step;
            (0..STEP).filter(|at| quiet >> at & 1 == 1).for_each(|at| step[at] |= 0x60);
            let plain = |at: &usize| step[*at] < 0x20 || step[*at] == b'"' || step[*at] == b'\\';
            let plain: u32 = (0..STEP).filter(plain).map(|at| 1 << at).sum();
            prop_assert_eq!(marked(&step), plain);
        }

        #[test]
        fn numbers_are_decimal(value: i64) {
            let mut page = Page::default();
            page.number(value);
            prop_assert_eq!(page.filled().to_vec(), value.to_string().into_bytes());
        }
    }

    #[test]
    fn blocks_join_without_a_seam() {
        let text: Vec<u8> = (0..3 * BLOCK).map(|i| if i % 7 == 0 { b'"' } else { b'a' + (i % 20) as u8 }).collect();
        let mut page = Page::default();
        page.escape(&text);
        assert_eq!(read_back(page.filled()).as_bytes(), text);
    }
}
