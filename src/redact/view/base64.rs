//! base64 and base64url of text, with or without padding.
//!
//! A run does not have to start with the first character of a group: it may have lost its head or follow
//! other characters of the alphabet, so all alignments and all starts behind a separator are tried. What does
//! not decode to text (pictures, hashes, keys) is no view. UTF-16LE text, as PowerShell wants it, is narrowed to UTF-8.

use super::chain::Encoding;
use super::plausible;
use super::run::{self, LOWER, Opaque, UPPER};
use crate::redact::finding::Span;

pub(super) const OPAQUE: Opaque = Opaque { encoding: Encoding::Base64, decode: decode_run };

/// Characters decoded to judge whether a start is worth decoding to the end.
const PROBE: usize = 24;

/// Characters that tell whether a value is text; a multiple of four.
const JUDGED: usize = 1024;

/// Starts behind separators that are tried.
const STARTS: usize = 12;

/// Appends what `run` decodes to; characters outside the alphabet (line ends, padding) are passed over.
pub fn decode_onto(run: &[u8], out: &mut Vec<u8>) {
    // Whole groups first: most runs are nothing else.
    let (groups, _) = run.as_chunks::<4>();
    let begun = out.len();
    out.resize(begun + groups.len() * 3, 0);
    let (rooms, _) = out[begun..].as_chunks_mut::<3>();
    let mut done = 0;
    for (group, room) in groups.iter().zip(rooms) {
        let value = |at: usize| VALUES[group[at] as usize];
        let (a, b, c, d) = (value(0), value(1), value(2), value(3));
        if (a | b | c | d) & NONE_BIT != 0 {
            break;
        }
        let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
        *room = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        done += 1;
    }
    out.truncate(begun + done * 3);
    decode(&run[done * 4..], |byte| out.push(byte));
}

fn decode(run: &[u8], mut put: impl FnMut(u8)) {
    let (mut bits, mut held) = (0u32, 0);
    for &byte in run {
        let value = VALUES[byte as usize];
        if value == NONE {
            continue;
        }
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            put((bits >> held) as u8);
        }
    }
}

/// True when `run`, of any length, is base64 of text: for short values behind a word like `Basic`, where only
/// this tells credentials from prose.
pub fn is_text(run: &[u8]) -> bool {
    let body = run.trim_ascii_end();
    let body = body.strip_suffix(b"==").or_else(|| body.strip_suffix(b"=")).unwrap_or(body);
    if body.len() < 4 || body.len() % 4 == 1 || body.iter().any(|&byte| VALUES[byte as usize] == NONE) {
        return false;
    }
    let (mut text, mut length) = ([0; JUDGED / 4 * 3], 0);
    decode(&body[..body.len().min(JUDGED)], |byte| {
        text[length] = byte;
        length += 1;
    });
    plausible::is_text(&text[..length])
}

fn decode_run(text: &[u8], run: Span, scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> Option<Span> {
    let body = run.of(text);
    if !is_mixed(body) {
        return None;
    }
    let separators = body.iter().enumerate().filter(|(_, byte)| matches!(byte, b'/' | b'-' | b'_' | b'+'));
    let behind = separators.map(|(at, _)| at + 1).take(STARTS);
    let aligned = std::iter::once(0).chain(behind).map(|start| (start, 0));
    let shifted = (1..4).map(|shift| (0, shift));
    for (start, shift) in aligned.chain(shifted) {
        let Some(chars) = body.get(start + shift..).filter(|chars| chars.len() >= 12) else { continue };
        if promising(chars, start + shift == 0, scratch) && decode_text(chars, scratch, out) {
            let end = run.end as usize;
            let padding = text[end..].iter().take(2).take_while(|&&byte| byte == b'=').count();
            return Some(Span::new(run.start as usize + start, end + padding));
        }
    }
    None
}

/// Text in base64 has letters of both cases; ids in hex and constants in capitals have not.
fn is_mixed(body: &[u8]) -> bool {
    let head = &body[..body.len().min(64)];
    run::classes_of(head) & (UPPER | LOWER) == UPPER | LOWER
}

/// True when the first groups start with characters that text can start with and decode to text. At the run's own start
/// ASCII and longer characters may be mixed in any way; elsewhere most are of one kind.
fn promising(chars: &[u8], own_start: bool, scratch: &mut Vec<u8>) -> bool {
    let groups = chars.len().min(PROBE).div_ceil(4) as u32;
    let sum: u32 = (0..chars.len().min(PROBE)).step_by(4).map(|at| u32::from(OPENS[chars[at] as usize])).sum();
    let (ascii, wide, noise) = (sum % WIDE, sum % NOISE / WIDE, sum / NOISE);
    let mixed = own_start && ascii + wide == groups;
    if noise > 1 || (ascii * 2 < groups && wide + 1 < groups && !mixed) {
        return false;
    }
    scratch.clear();
    decode_onto(&chars[..chars.len().min(PROBE)], scratch);
    plausible::is_text(scratch) || plausible::is_utf16(scratch)
}

/// Decodes all of `chars` into `out`, up to where it stops being text; false when that is too early.
fn decode_text(chars: &[u8], scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> bool {
    scratch.clear();
    decode_onto(chars, scratch);
    out.clear();
    if plausible::is_utf16(scratch) {
        plausible::narrow(scratch, out);
        return true;
    }
    out.extend_from_slice(&scratch[..plausible::text_len(scratch)]);
    out.len() >= 8
}

const NONE: u8 = 0xff;
/// A bit that no value has.
const NONE_BIT: u8 = 0x80;

/// Value of each character in either alphabet.
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut at = 0;
    while at < 26 {
        table[b'A' as usize + at] = at as u8;
        table[b'a' as usize + at] = at as u8 + 26;
        if at < 10 {
            table[b'0' as usize + at] = at as u8 + 52;
        }
        at += 1;
    }
    table[b'+' as usize] = 62;
    table[b'-' as usize] = 62;
    table[b'/' as usize] = 63;
    table[b'_' as usize] = 63;
    table
}

/// What the first byte of a group may be, judged by its first character alone: 1 for printable ASCII, [`WIDE`] for part
/// of a longer UTF-8 character, 0 for NUL and white space, [`NOISE`] for nothing that stands in text.
const OPENS: [u8; 256] = opens();
const WIDE: u32 = 8;
const NOISE: u32 = 64;

const fn opens() -> [u8; 256] {
    let mut table = [NOISE as u8; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match VALUES[byte] {
            0 | 2 | 3 => 0,
            8..=31 => 1,
            32..=60 => WIDE as u8,
            _ => NOISE as u8,
        };
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::view::RunStarts;
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    fn view(text: &[u8]) -> Option<(Vec<u8>, Span)> {
        let run = super::super::run::next(text, None, RunStarts::Anywhere, 0)?;
        let (mut scratch, mut out) = (Vec::new(), Vec::new());
        let whole = decode_run(text, run, &mut scratch, &mut out)?;
        Some((out, whole))
    }

    #[test]
    fn text_is_read_at_every_alignment_and_behind_separators() {
        let plain = r#"{"email":"jan.kowalski@example.com","imię":"Żaneta"}"#;
        for encoded in [STANDARD.encode(plain), URL_SAFE_NO_PAD.encode(plain)] {
            for head in ["", "a", "ab", "abc", "path/", "k-"] {
                let text = format!("{head}{encoded}");
                let (decoded, whole) = view(text.as_bytes()).expect("a view");
                assert!(decoded.windows(12).any(|part| part == b"@example.com"), "{head}");
                assert_eq!(whole.end as usize, text.len());
            }
        }
    }

    #[test]
    fn words_of_other_scripts_may_stand_before_ascii() {
        for plain in
            ["пароль: FAKEpw-7", "手机号码 13812345678", "tel: Пётр, jan@example.com", "ｍａｃ\n００：００：５ｅ"]
        {
            let (decoded, _) = view(STANDARD.encode(plain).as_bytes()).expect(plain);
            assert_eq!(decoded, plain.as_bytes());
        }
    }

    #[test]
    fn wide_text_is_narrowed() {
        let wide: Vec<u8> = "$password = 'FAKE1'".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (decoded, _) = view(STANDARD.encode(wide).as_bytes()).expect("a view");
        assert_eq!(decoded, b"$password = 'FAKE1'");
    }

    #[test]
    fn what_is_no_text_is_no_view() {
        for text in [
            "iVBORw0KGgo6CJBVNxrF3tDeReFOyrZ6w9ZUSwcLGknNb5a2",
            "769AvqsqdRJ1b56Xd1CCusAO56MXTclMNJHXcLe6wuGS8fY",
            "fa4e6867f21141d5f59831c09ac06022f29dd70e",
            "6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88",
        ] {
            assert!(view(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn credentials_are_told_from_prose() {
        for text in ["c3ZjOkZBS0VyZWc3", "dTpw", "c3ZjLWVycDpGQUtFLWJhc2ljLTk=", "AGphbgBGQUtFc210cDc="] {
            assert!(is_text(text.as_bytes()), "{text}");
        }
        for text in ["plan", "auth", "access", "a", ""] {
            assert!(!is_text(text.as_bytes()), "{text}");
        }
    }
}
