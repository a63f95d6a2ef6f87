//! Postal addresses in running text: `postal-address` from a street word on (Polish, German, French,
//! English), `postcode-city` from a Polish, German or French postcode, `uk-postcode`.
//!
//! A street word, a name and a house number make an address; the postcode and town after it belong to it.

use super::ShapeHit;
use super::edge::{char_at, char_before, digit_at, ends_with_fold, space_len, word_after, word_before};
use super::groups::{free_left, free_right};
use crate::redact::validate::Verdict;

/// Words that stand before a street's name.
pub(super) const BEFORE: &[&str] = &[
    "ul. ", "Ul. ", "ulica ", "ulicy ", "al. ", "Al. ", "aleja ", "Aleja ", "alei ", "os. ", "Os. ", "osiedle ",
    "Osiedle ", "pl. ", "plac ", "Plac ", "Via ", "Viale ", "Piazza ", "Corso ", "Calle ", "Avenida ", "Paseo ",
    "Plaza ", "Rua ",
];

/// The first of [`BEFORE`] that are words of other sentences too: an address only near a word that says so.
const DOUBTFUL: usize = 16;

/// Words that end or follow a street's name, with the number behind (German) or before (French, English).
pub(super) const WITHIN: &[&str] = &[
    "straße ",
    "strasse ",
    "str. ",
    " rue ",
    " avenue ",
    " boulevard ",
    " Street",
    " Avenue",
    " Road",
    " Lane",
    " Boulevard",
    " Drive",
    " St,",
    " Ave,",
    " Rd,",
    " Blvd,",
    " St.",
    " Ave.",
];

/// Longest street name read, in bytes.
const NAME_MAX: usize = 48;

/// `postal-address`: asked at a word of [`BEFORE`] or [`WITHIN`].
pub(super) fn address(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let (start, end) =
        polish(text, at, floor).or_else(|| german(text, at, floor)).or_else(|| number_first(text, at, floor))?;
    let doubtful = BEFORE[DOUBTFUL..].iter().any(|word| text[start..].starts_with(word.as_bytes()));
    let verdict = if doubtful { Verdict::Silent } else { Verdict::Proves };
    Some(ShapeHit::new(start, with_town(text, end), verdict))
}

/// `ul. Przykładowa 12/3`, `al. 3 Maja 4 m. 5`.
fn polish(text: &[u8], at: usize, floor: usize) -> Option<(usize, usize)> {
    let word = BEFORE.iter().find(|word| text[at..].starts_with(word.as_bytes()))?;
    if word_before(text, at, floor) {
        return None;
    }
    let from = at + word.len();
    let number = name_end(text, from)?;
    Some((at, number_end(text, number)?))
}

/// `Musterstraße 12`, `Lange Str. 5a`.
fn german(text: &[u8], at: usize, floor: usize) -> Option<(usize, usize)> {
    let word = WITHIN[..3].iter().find(|word| text[at..].starts_with(word.as_bytes()))?;
    let start = capitalised_start(text, at, floor)?;
    Some((start, number_end(text, at + word.len())?))
}

/// `12 rue de la Paix`, `123 Main Street`, `45 Long Lane`.
fn number_first(text: &[u8], at: usize, floor: usize) -> Option<(usize, usize)> {
    let word = WITHIN[3..].iter().find(|word| text[at..].starts_with(word.as_bytes()))?;
    let french = word.ends_with(' ');
    let lowest = floor.max(at.saturating_sub(NAME_MAX));
    let mut start = at;
    while start > lowest && is_name_byte(text[start - 1]) {
        start -= 1;
    }
    let run = &text[start..at];
    // The number is the last group of digits before the name; words between it and the street word.
    let digit = run.iter().rposition(u8::is_ascii_digit)?;
    let first = run[..=digit].iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |i| i + 1);
    let between = &run[digit + 1..];
    let near =
        if french { between.is_empty() || between == b"," || between == b" bis" } else { starts_with_capital(between) };
    if !near || digit - first > 4 || word_before(text, start + first, floor) {
        return None;
    }
    let mut end = at + word.trim_end_matches([',', ' ']).len();
    if french {
        end = words_end(text, at + word.len(), 5)?;
    } else if word_after(text, end) {
        return None;
    }
    Some((start + first, end))
}

fn starts_with_capital(between: &[u8]) -> bool {
    between.len() >= 3 && between[0] == b' ' && between[1].is_ascii_uppercase()
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b' ' | b'\'' | b'-' | b',')
}

/// End of up to `most` words with at least one capital among them, not counting a trailing comma.
fn words_end(text: &[u8], from: usize, most: usize) -> Option<usize> {
    let (mut at, mut end, mut capital) = (from, None, false);
    for _ in 0..most {
        let upper = char_at(text, at).is_some_and(|(c, _)| c.is_uppercase());
        let word = letters_end(text, at);
        if word == at || (capital && !upper) {
            break;
        }
        capital |= upper;
        if capital {
            end = Some(word);
        }
        at = word + space_len(text, word);
        if at == word {
            break;
        }
    }
    end
}

/// Where the house number after a Polish street name starts: one to five words, the first capitalised (or
/// a number such as `3 Maja`).
fn name_end(text: &[u8], from: usize) -> Option<usize> {
    let (first, _) = char_at(text, from)?;
    if !first.is_uppercase() && !first.is_ascii_digit() {
        return None;
    }
    let limit = text.len().min(from + NAME_MAX);
    let mut at = from;
    for word in 0..6 {
        if word > 0 && digit_at(text, at) {
            return Some(at);
        }
        let mut end = letters_end(text, at);
        if end == at {
            end = at + text[at..].iter().take(3).take_while(|b| b.is_ascii_digit()).count();
        }
        end += usize::from(text.get(end) == Some(&b'.'));
        let space = space_len(text, end);
        if end == at || space == 0 || end >= limit {
            return None;
        }
        at = end + space;
    }
    None
}

/// End of letters, apostrophes and dashes.
fn letters_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some((c, len)) = char_at(text, at) {
        if at - from > NAME_MAX || !(c.is_alphabetic() || (at > from && matches!(c, '\'' | '-' | '’'))) {
            break;
        }
        at += len;
    }
    at
}

/// End of a house number at `at`: `12`, `12a`, `12/3`, `12 m. 3`, `12-14`.
fn number_end(text: &[u8], at: usize) -> Option<usize> {
    let count = text.get(at..)?.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
    if !(1..=4).contains(&count) {
        return None;
    }
    let mut end = at + count;
    end += usize::from(text.get(end).is_some_and(u8::is_ascii_alphabetic) && !word_after(text, end + 1));
    for joint in [&b"/"[..], b" m. ", b" m ", b" lok. ", b"-"] {
        let digits = text
            .get(end + joint.len()..)
            .map_or(0, |rest| rest.iter().take(4).take_while(|b| b.is_ascii_digit()).count());
        if digits > 0 && text[end..].starts_with(joint) {
            end += joint.len() + digits;
            end += usize::from(text.get(end).is_some_and(u8::is_ascii_alphabetic) && !word_after(text, end + 1));
            break;
        }
    }
    (!word_after(text, end)).then_some(end)
}

/// `end`, moved past `, 30-001 Kraków` or `, 10115 Berlin` after it.
fn with_town(text: &[u8], end: usize) -> usize {
    let mut at = end + usize::from(text.get(end) == Some(&b','));
    at += space_len(text, at);
    match postcode_end(text, at) {
        Some(code) if at > end => town_end(text, code).unwrap_or(code),
        _ => end,
    }
}

/// End of `NN-NNN` or `NNNNN`.
fn postcode_end(text: &[u8], at: usize) -> Option<usize> {
    let digits = |from: usize, count: usize| (from..from + count).all(|i| digit_at(text, i));
    let end = if digits(at, 2) && text.get(at + 2) == Some(&b'-') && digits(at + 3, 3) {
        at + 6
    } else if digits(at, 5) {
        at + 5
    } else {
        return None;
    };
    (free_right(text, end) && text.get(end) != Some(&b'-')).then_some(end)
}

/// End of a capitalised town of one to three words after a postcode.
fn town_end(text: &[u8], code: usize) -> Option<usize> {
    let from = code + space_len(text, code);
    let capital = |at: usize| char_at(text, at).is_some_and(|(c, _)| c.is_uppercase());
    if from == code || !capital(from) {
        return None;
    }
    let mut end = letters_end(text, from);
    for _ in 0..2 {
        let next = end + space_len(text, end);
        if next == end || !capital(next) {
            break;
        }
        end = letters_end(text, next);
    }
    (end - from >= 3).then_some(end)
}

/// `postcode-city`: `30-001 Kraków`. Silent: page ranges before a capital look alike.
pub(super) fn postcode_city(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if !free_left(text, at, floor) {
        return None;
    }
    let end = town_end(text, postcode_end(text, at)?)?;
    // `?page=74811 HTTP/1.1`: no town, a request; `LIMIT=77982 TOKEN=x`: the next setting.
    if matches!(text.get(end), Some(b'/' | b'=' | b'_')) {
        return None;
    }
    Some(ShapeHit::new(at, end, Verdict::Silent))
}

/// `uk-postcode`: `SW1A 1AA`, asked at its first digit. Silent.
pub(super) fn uk_postcode(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let lowest = floor.max(at.saturating_sub(2));
    let letters = text[lowest..at].iter().rev().take_while(|b| b.is_ascii_uppercase()).count();
    let start = at - letters;
    let mut space = at + 1;
    space += usize::from(text.get(space).is_some_and(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
    let inward = space + space_len(text, space);
    let form = letters > 0
        && inward > space
        && digit_at(text, inward)
        && text.get(inward + 1..inward + 3).is_some_and(|b| b.iter().all(|b| b"ABDEFGHJLNPQRSTUWXYZ".contains(b)));
    if !form || word_before(text, start, floor) || word_after(text, inward + 3) {
        return None;
    }
    Some(ShapeHit::new(start, inward + 3, Verdict::Silent))
}

/// Start of the capitalised word that runs up to `at`, with a capitalised word before it in the two-word form.
fn capitalised_start(text: &[u8], at: usize, floor: usize) -> Option<usize> {
    let lowest = floor.max(at.saturating_sub(NAME_MAX));
    let mut start = at;
    let mut capital = None;
    while let Some(c) = char_before(text, start, lowest) {
        if !(c.is_alphabetic() || c == '-' || (c == ' ' && start == at)) {
            break;
        }
        start -= c.len_utf8();
        capital = Some(c);
    }
    let long = at - start >= 3 || ends_with_fold(&text[start..at], " ");
    (capital.is_some_and(char::is_uppercase) && long).then_some(start)
}
