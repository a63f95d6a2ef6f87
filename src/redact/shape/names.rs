//! Names of persons where the text itself says so: `salutation-name` after a form of address,
//! `display-name` before an address in angle brackets. Free-standing names have no shape.

use super::ShapeHit;
use super::edge::{byte_before, char_at, char_before, word_before};
use crate::redact::validate::Verdict;

/// Forms of address that are followed by a name. Titles such as `Dr.` are not among them: products and
/// streets carry them too.
pub(super) const SALUTATIONS: &[&str] = &[
    "Pani ",
    "Pana ",
    "Panu ",
    "Panie ",
    "Pan ",
    "Mr. ",
    "Mrs. ",
    "Ms. ",
    "Mr ",
    "Mrs ",
    "Ms ",
    "Miss ",
    "Herr ",
    "Herrn ",
    "Frau ",
    "Monsieur ",
    "Madame ",
    "Mme ",
    "Señor ",
    "Señora ",
    "Signor ",
    "Signora ",
    "Dear ",
    "Hello ",
    "Drogi ",
    "Droga ",
    "Szanowny ",
    "Szanowna ",
];

/// Words after a form of address that are no names.
const NOT_NAMES: [&str; 24] = [
    "Pan",
    "Pani",
    "Panie",
    "Mr",
    "Mrs",
    "Ms",
    "Sir",
    "Madam",
    "Customer",
    "Team",
    "User",
    "All",
    "Client",
    "Kliencie",
    "Klientko",
    "World",
    "Support",
    "Colleague",
    "Friend",
    "Guest",
    "Member",
    "Partner",
    "Admin",
    "There",
];

/// Greetings (and `Miss`, which caches have too): a single capitalised word after them may be anything, so they need two.
const GREETINGS: [&str; 7] = ["Miss ", "Dear ", "Hello ", "Drogi ", "Droga ", "Szanowny ", "Szanowna "];

/// `salutation-name`: one to three capitalised words after a form of address.
pub(super) fn salutation(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let salutation = SALUTATIONS.iter().find(|word| text[at..].starts_with(word.as_bytes()))?;
    if word_before(text, at, floor) {
        return None;
    }
    let start = at + salutation.len();
    let (words, end) = capitalised(text, start)?;
    let first = &text[start..word_end(text, start)];
    let greeting = GREETINGS.contains(salutation);
    if NOT_NAMES.iter().any(|known| first.eq_ignore_ascii_case(known.as_bytes())) || (greeting && words < 2) {
        return None;
    }
    Some(ShapeHit::new(start, end, Verdict::Proves))
}

/// Number and end of up to three capitalised words.
fn capitalised(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let (mut at, mut words, mut end) = (from, 0, from);
    while words < 3 {
        let word = word_end(text, at);
        let initial = word - at <= 2;
        if word == at || (initial && words == 0 && text.get(word) != Some(&b'.')) {
            break;
        }
        words += 1;
        end = word;
        at = word + usize::from(initial && text.get(word) == Some(&b'.'));
        if text.get(at) != Some(&b' ') {
            break;
        }
        at += 1;
    }
    (words > 0).then_some((words, end))
}

/// End of a capitalised word (double names included) that starts at `at`; `at` itself when there is none.
fn word_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    let mut lower = false;
    while let Some((c, len)) = char_at(text, end) {
        let fits = if end == at { c.is_uppercase() } else { c.is_alphabetic() || matches!(c, '-' | '\'' | '’') };
        if !fits || end - at > 40 {
            break;
        }
        lower |= c.is_lowercase();
        end += len;
    }
    // All capitals are abbreviations, except a single initial.
    if lower || end - at <= 2 { end } else { at }
}

/// `display-name`: the words or the quoted string before `<local@domain>`.
pub(super) fn display(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let lowest = floor.max(at.saturating_sub(66));
    let open = (lowest..at)
        .rev()
        .take_while(|i| !matches!(text[*i], b' ' | b'>' | b'"' | b'@' | b','))
        .find(|i| text[*i] == b'<')?;
    super::email::find(text, at, open + 1)?;
    let end = open - usize::from(byte_before(text, open, floor, b' '));
    let (start, end) =
        if byte_before(text, end, floor, b'"') { quoted(text, end, floor)? } else { (bare(text, end, floor), end) };
    let name = &text[start..end];
    let person = name.len() >= 2 && char_at(text, start).is_some_and(|(c, _)| c.is_alphabetic());
    person.then(|| ShapeHit { resume: at as u32 + 1, ..ShapeHit::new(start, end, Verdict::Proves) })
}

/// Inside of the quotation that ends just before `end`.
fn quoted(text: &[u8], end: usize, floor: usize) -> Option<(usize, usize)> {
    let close = end - 1 - usize::from(byte_before(text, end - 1, floor, b'\\'));
    let lowest = floor.max(close.saturating_sub(64));
    let open = (lowest..close).rev().find(|i| text[*i] == b'"')?;
    (close > open + 1).then_some((open + 1, close))
}

/// Start of the words before `end`: letters, spaces, dots, dashes, apostrophes, at most five words.
fn bare(text: &[u8], end: usize, floor: usize) -> usize {
    let lowest = floor.max(end.saturating_sub(64));
    let (mut at, mut start, mut words) = (end, end, 0);
    while let Some(c) = char_before(text, at, lowest) {
        if !(c.is_alphabetic() || matches!(c, ' ' | '.' | '-' | '\'' | '’')) || (c == ' ' && words >= 4) {
            break;
        }
        at -= c.len_utf8();
        if c == ' ' {
            words += 1;
        } else if c.is_alphabetic() {
            start = at;
        }
    }
    // `from Jan Kowalski <…`, `To: …`: leading lower-case words are prose, a word before a colon a header.
    while start < end && char_at(text, start).is_some_and(|(c, _)| c.is_lowercase()) {
        let word = text[start..end].iter().position(|b| *b == b' ');
        let Some(space) = word else { return end };
        start += space + 1;
    }
    start
}
