//! What is not seen or only looks different: terminal colours and zero-width characters are taken away,
//! full-width forms, dashes, dots, quotes and blanks of Unicode become their ASCII twins.

use super::chain::Encoding;
use super::region::{self, Inline, REACH};
use memchr::{memchr, memchr2, memchr3};

/// Colours stand between a key, its quotes and its value, so quotes do not bound a region here.
pub(super) const INLINE: Inline = Inline {
    encoding: Encoding::Fold,
    triggers: region::UNSEEN,
    find,
    within: find,
    decode,
    quoted: false,
    reach: REACH,
};

/// Bytes searched at a time, so that a frequent lead byte does not make the search for a rare one start over.
const STRIDE: usize = 512;

fn find(text: &[u8], from: usize) -> Option<usize> {
    let mut start = from;
    while start < text.len() {
        let part = &text[start..text.len().min(start + STRIDE)];
        let mut at = 0;
        while let Some(lead) = lead(&part[at..]) {
            if read(text, start + at + lead).is_some() {
                return Some(start + at + lead);
            }
            at += lead + 1;
        }
        start += STRIDE;
    }
    None
}

/// The first byte that may start something folded.
fn lead(part: &[u8]) -> Option<usize> {
    let first = memchr3(0x1b, 0xe2, 0xef, part);
    let part = &part[..first.unwrap_or(part.len())];
    let first = memchr2(0xc2, 0xe3, part).or(first);
    let part = &part[..first.unwrap_or(part.len())];
    memchr(0xf0, part).or(first)
}

fn decode(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    match read(text, at) {
        Some((ascii, width)) => {
            out.extend(ascii);
            width
        }
        None => 1,
    }
}

/// What the bytes at `at` fold to (none: nothing is seen of them), and how many they are.
fn read(text: &[u8], at: usize) -> Option<(Option<u8>, usize)> {
    let rest = &text[at..];
    if rest[0] == 0x1b {
        return Some((None, terminal(rest)?));
    }
    let width = match rest[0] {
        0xc2 => 2,
        0xe2 | 0xe3 | 0xef => 3,
        0xf0 => 4,
        _ => return None,
    };
    let char = std::str::from_utf8(rest.get(..width)?).ok()?.chars().next()?;
    Some((twin(char as u32)?, width))
}

/// The ASCII twin of a character; the inner `None` for characters that are not seen at all.
fn twin(code: u32) -> Option<Option<u8>> {
    let ascii = match code {
        0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2064 | 0x2066..=0x206f | 0xfeff => return Some(None),
        0xfe00..=0xfe0f => return Some(None),
        0xa0 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => b' ',
        0x2010..=0x2015 | 0x2212 | 0xfe58 | 0xfe63 => b'-',
        0x2018..=0x201b => b'\'',
        0x201c..=0x201f => b'"',
        0x2024 | 0x3002 | 0xfe52 | 0xff61 => b'.',
        0xfe6b => b'@',
        0x1d7ce..=0x1d7ff => b'0' + ((code - 0x1d7ce) % 10) as u8,
        0x1d400..=0x1d6a3 => {
            let letter = ((code - 0x1d400) % 52) as u8;
            if letter < 26 { b'A' + letter } else { b'a' + letter - 26 }
        }
        0xff01..=0xff5e => (code - 0xff01) as u8 + b'!',
        _ => return None,
    };
    Some(Some(ascii))
}

/// Length of the terminal control sequence at the start of `rest`: CSI (`ESC [ … letter`), OSC (up to BEL or
/// `ESC \`) or a two-byte one.
fn terminal(rest: &[u8]) -> Option<usize> {
    const LONGEST: usize = 64;
    let window = &rest[..rest.len().min(LONGEST)];
    match window.get(1)? {
        b'[' => {
            let end = window[2..].iter().position(|byte| !(0x20..0x40).contains(byte))?;
            (0x40..0x7f).contains(&window[2 + end]).then_some(end + 3)
        }
        b']' => {
            let end = window.iter().position(|&byte| byte == 0x07)?;
            Some(end + 1)
        }
        b'(' | b')' => window.get(2).map(|_| 3),
        0x40..=0x5f => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let (text, mut at, mut out) = (text.as_bytes(), 0, Vec::new());
        while let Some(next) = find(text, at) {
            out.extend_from_slice(&text[at..next]);
            at = next + decode(text, next, &mut out);
        }
        out.extend_from_slice(&text[at..]);
        String::from_utf8(out).expect("folding keeps UTF-8")
    }

    #[test]
    fn unseen_characters_go_and_twins_become_ascii() {
        let table = [
            ("\x1b[31mpass\x1b[0m=\x1b[1;32mx\x1b[0m", "pass=x"),
            ("kow\u{200b}alski@exam\u{200b}ple.com", "kowalski@example.com"),
            ("jan＠example．com", "jan@example.com"),
            ("a。b｡c", "a.b.c"),
            ("4111\u{a0}1111\u{202f}1111", "4111 1111 1111"),
            ("４１１１", "4111"),
            ("„x”", "\"x\""),
            ("𝟒𝟏 𝐚𝐛", "41 ab"),
            ("zażółć gęślą jaźń", "zażółć gęślą jaźń"),
            ("日本語 ok", "日本語 ok"),
        ];
        for (raw, want) in table {
            assert_eq!(folded(raw), want);
        }
    }
}
