//! MIME encoded words in mail headers: `=?utf-8?B?…?=` and `=?utf-8?Q?…?=`.
//!
//! A whole word is one encoded character for the map, so a finding in it masks all of it. Words in a row are one
//! text: the blank between them is not read.

use super::base64;
use super::chain::Encoding;
use super::quoted_printable::digit;
use super::region::{self, Inline, REACH};
use memchr::memchr;

pub(super) const INLINE: Inline = Inline {
    encoding: Encoding::EncodedWord,
    triggers: region::EQUALS,
    find,
    within: find,
    decode,
    quoted: false,
    reach: REACH,
};

/// RFC 2047 allows 75 characters; writers are not that careful.
const LONGEST: usize = 1024;

fn find(text: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + memchr(b'=', text.get(from..)?)?;
        if text.get(at + 1) == Some(&b'?') && read(text, at).is_some() {
            return Some(at);
        }
        from = at + 1;
    }
}

fn decode(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let Some(word) = read(text, at) else { return 1 };
    match word.kind {
        b'B' | b'b' => base64::decode_onto(word.body, out),
        _ => decode_q(word.body, out),
    }
    let blank = text[at + word.width..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let joined = blank > 0 && read(text, at + word.width + blank).is_some();
    if joined { word.width + blank } else { word.width }
}

struct Word<'t> {
    kind: u8,
    body: &'t [u8],
    width: usize,
}

/// The encoded word at `at`; of its charset only that it is one.
fn read(text: &[u8], at: usize) -> Option<Word<'_>> {
    let window = text[at..text.len().min(at + LONGEST)].strip_prefix(b"=?")?;
    let charset = window.iter().take(40).position(|&byte| byte == b'?')?;
    let named = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_:.*".contains(byte);
    if charset == 0 || !window[..charset].iter().all(named) {
        return None;
    }
    let &[kind @ (b'B' | b'b' | b'Q' | b'q'), b'?', ref rest @ ..] = window.get(charset + 1..)? else {
        return None;
    };
    let body = rest.windows(2).position(|pair| pair == b"?=")?;
    Some(Word { kind, body: &rest[..body], width: 2 + charset + 1 + 2 + body + 2 })
}

fn decode_q(body: &[u8], out: &mut Vec<u8>) {
    let mut rest = body;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (*first, tail) {
            (b'_', _) => out.push(b' '),
            (b'=', [high, low, after @ ..]) => {
                let value = |byte: u8| digit(byte.to_ascii_uppercase());
                if let (Some(high), Some(low)) = (value(*high), value(*low)) {
                    out.push((high << 4) | low);
                    rest = after;
                } else {
                    out.push(b'=');
                }
            }
            (byte, _) => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read_and_words_in_a_row_join() {
        let text = b"=?utf-8?B?SmFuIEtvdw==?= =?UTF-8?q?alski=40x_y?= <";
        let mut out = Vec::new();
        let first = decode(text, 0, &mut out);
        assert_eq!(first, 25);
        assert_eq!(decode(text, first, &mut out), text.len() - 2 - first);
        assert_eq!(out, b"Jan Kowalski@x y");
        assert_eq!(find(b"a=?b ??= =?x", 0), None);
    }
}
