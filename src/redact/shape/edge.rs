//! Looking at the neighbours of a candidate: characters, words and keys beside it, all within a few bytes.

/// True for an ASCII letter, digit, underscore, or the byte of a non-ASCII character.
pub(super) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The character that ends just before `at`; invalid bytes read as U+FFFD.
pub(super) fn char_before(text: &[u8], at: usize, floor: usize) -> Option<char> {
    if at <= floor {
        return None;
    }
    if text[at - 1] < 0x80 {
        return Some(text[at - 1] as char);
    }
    let lowest = floor.max(at.saturating_sub(4));
    let start = (lowest..at).rev().find(|&i| text[i] & 0xC0 != 0x80)?;
    Some(decode(&text[start..at]).filter(|(_, len)| start + len == at).map_or('\u{FFFD}', |(c, _)| c))
}

/// The character at `at` and its length in bytes; an invalid byte reads as U+FFFD of length 1.
pub(super) fn char_at(text: &[u8], at: usize) -> Option<(char, usize)> {
    let byte = *text.get(at)?;
    if byte < 0x80 {
        return Some((byte as char, 1));
    }
    Some(decode(&text[at..text.len().min(at + 4)]).unwrap_or(('\u{FFFD}', 1)))
}

/// The first character of `bytes` (at most four are looked at).
fn decode(bytes: &[u8]) -> Option<(char, usize)> {
    let len = match *bytes.first()? {
        0..=0x7F => 1,
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let c = std::str::from_utf8(bytes.get(..len)?).ok()?.chars().next()?;
    Some((c, len))
}

/// True when a letter, digit or underscore ends just before `at`: the candidate would be part of a word.
pub(super) fn word_before(text: &[u8], at: usize, floor: usize) -> bool {
    char_before(text, at, floor).is_some_and(|c| c == '_' || c.is_alphanumeric())
}

/// True when a letter, digit or underscore starts at `at`.
pub(super) fn word_after(text: &[u8], at: usize) -> bool {
    char_at(text, at).is_some_and(|(c, _)| c == '_' || c.is_alphanumeric())
}

/// True when the byte at `at` is a digit.
pub(super) fn digit_at(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_digit)
}

/// True when the byte just before `at` exists (not left of `floor`) and equals `byte`.
pub(super) fn byte_before(text: &[u8], at: usize, floor: usize, byte: u8) -> bool {
    at > floor && text[at - 1] == byte
}

/// Where the white space at `at` ends, as its length: an ASCII space or a no-break space.
pub(super) fn space_len(text: &[u8], at: usize) -> usize {
    match text.get(at..) {
        Some([b' ', ..]) => 1,
        Some([0xC2, 0xA0, ..]) => 2,
        Some([0xE2, 0x80, 0xAF | 0x87, ..]) => 3,
        _ => 0,
    }
}

/// Length of the dash at `at`: ASCII, or one of the typographic ones (U+2010 to U+2015).
pub(super) fn dash_len(text: &[u8], at: usize) -> usize {
    match text.get(at..) {
        Some([b'-', ..]) => 1,
        Some([0xE2, 0x80, 0x90..=0x95, ..]) => 3,
        _ => 0,
    }
}

/// The word (ASCII letters, digits, `_`, `-`, non-ASCII bytes; at most 40 bytes) that stands before `at`
/// with at most six separator bytes between, such as `version` before `": "`.
pub(super) fn previous_word(text: &[u8], at: usize, floor: usize) -> &[u8] {
    let lowest = floor.max(at.saturating_sub(6));
    let mut end = at;
    while end > lowest && is_separator(text[end - 1]) {
        end -= 1;
    }
    let lowest = floor.max(end.saturating_sub(40));
    let mut start = end;
    while start > lowest && (is_word_byte(text[start - 1]) || text[start - 1] == b'-') {
        start -= 1;
    }
    &text[start..end]
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b':' | b'=' | b'"' | b'\'' | b'\\' | b'(' | b'[' | b'<' | b'>' | b'#' | b'.' | b',')
}

/// True when `text` ends with `suffix`, ASCII case folded.
pub(super) fn ends_with_fold(text: &[u8], suffix: &str) -> bool {
    text.len() >= suffix.len() && text[text.len() - suffix.len()..].eq_ignore_ascii_case(suffix.as_bytes())
}

/// True when `text` starts with `prefix`, ASCII case folded.
pub(super) fn starts_with_fold(text: &[u8], prefix: &str) -> bool {
    text.len() >= prefix.len() && text[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
}
