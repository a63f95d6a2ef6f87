//! `birth-date`: a real date with a birth word before it. The word must reach it: another number between
//! them ends the reach, so that `born 1990-01-01, hired 2020-05-01` masks one date. A time of day after it stays.

use super::ShapeHit;
use super::edge::{digit_at, starts_with_fold, word_before};
use super::groups::{free_left, free_right};
use crate::redact::validate::{Verdict, date};

/// How far before the date a birth word is looked for, in bytes.
const REACH: usize = 32;

/// Birth words in lower case; those with a mark at the end need no word boundary on the right.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "ur.", "ur:", "urodz", "data ur", "born", "birth", "dob", "d.o.b", "bday", "geb.", "geboren", "geburt", "née", "naissance",
    "né le", "né(e) le", "nacid", "nacim", "nato il", "nata il", "geboorte",
];

/// Month names and stems, lower case, in the languages of [`WORDS`].
#[rustfmt::skip]
const MONTHS: [&str; 33] = [
    "stycz", "lut", "mar", "kwie", "maj", "czerw", "lip", "sierp", "wrze", "paźdz", "pazdz", "listop", "grud",
    "jan", "feb", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    "mär", "mai", "okt", "dez", "janv", "fév", "avr", "juil", "août",
];

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if !digit_at(text, at) || !free_left(text, at, floor) {
        return None;
    }
    let (start, end) = numeric(text, at).map(|end| (at, end)).or_else(|| spelled(text, at, floor))?;
    let timed = text.get(end) == Some(&b'T') && digit_at(text, end + 1);
    ((timed || free_right(text, end)) && has_birth_word(text, start, floor))
        .then(|| ShapeHit::new(start, end, Verdict::Proves))
}

/// End of `1990-01-31`, `31.01.1990`, `31/01/1990`, `19900131`.
fn numeric(text: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    let limit = text.len().min(at + 10);
    while end < limit && (text[end].is_ascii_digit() || matches!(text[end], b'-' | b'.' | b'/')) {
        end += 1;
    }
    while end > at && !text[end - 1].is_ascii_digit() {
        end -= 1;
    }
    (date::check(&text[at..end]) == Verdict::Silent).then_some(end)
}

/// `12 March 1985`, `1 stycznia 1990 r.`, `March 12, 1985` (asked at the day).
fn spelled(text: &[u8], at: usize, floor: usize) -> Option<(usize, usize)> {
    let day = digits(text, at, 2)?;
    let mut next = at + day;
    next += text[next..]
        .iter()
        .take(2)
        .take_while(|b| matches!(b, b'.' | b',' | b's' | b't' | b'n' | b'd' | b'r' | b'h'))
        .count();
    next += usize::from(text.get(next) == Some(&b','));
    next += usize::from(text.get(next) == Some(&b' '));
    if digits(text, next, 4) == Some(4) {
        let lowest = floor.max(at.saturating_sub(14));
        let space = at.checked_sub(1).filter(|i| *i >= lowest && text[*i] == b' ')?;
        let start = (lowest..space).rev().take_while(|i| text[*i].is_ascii_alphabetic() || text[*i] >= 0x80).last()?;
        return is_month(&text[start..space]).then_some((start, next + 4));
    }
    let letters = text[next..].iter().take(14).take_while(|b| b.is_ascii_alphabetic() || **b >= 0x80).count();
    if !is_month(&text[next..next + letters]) {
        return None;
    }
    let year =
        next + letters + text[next + letters..].iter().take(2).take_while(|b| matches!(b, b' ' | b'.' | b',')).count();
    (year > next + letters && digits(text, year, 4) == Some(4)).then_some((at, year + 4))
}

fn digits(text: &[u8], at: usize, most: usize) -> Option<usize> {
    let count = text.get(at..)?.iter().take(most + 1).take_while(|b| b.is_ascii_digit()).count();
    (1..=most).contains(&count).then_some(count)
}

fn is_month(word: &[u8]) -> bool {
    word.len() >= 3 && MONTHS.iter().any(|month| starts_with_fold(word, month))
}

fn has_birth_word(text: &[u8], start: usize, floor: usize) -> bool {
    let lowest = floor.max(start.saturating_sub(REACH));
    let reach = &text[lowest..start];
    // A mask ends the reach as the number did that stood there: a second pass changes nothing.
    let from = reach.iter().rposition(|byte| byte.is_ascii_digit() || *byte == b']').map_or(0, |i| i + 1);
    (from..reach.len()).any(|i| {
        WORDS.iter().any(|word| starts_with_fold(&reach[i..], word))
            && (!word_before(text, lowest + i, floor) || is_key(text, lowest + i, floor))
    })
}

/// `date_of_birth`, `customerBirthDate`: a key's later word.
fn is_key(text: &[u8], at: usize, floor: usize) -> bool {
    at > floor && (text[at - 1] == b'_' || text[at].is_ascii_uppercase() && text[at - 1].is_ascii_lowercase())
}
