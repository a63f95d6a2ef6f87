//! Names of persons where the text itself says so: `salutation-name` after a form of address,
//! `display-name` before an address in angle brackets. Free-standing names have no shape.

use super::ShapeHit;
use super::edge::{byte_before, char_at, char_before, digit_at, word_before};
use crate::redact::carrier::full_name;
use crate::redact::carrier::scope::Scope;
use crate::redact::validate::Verdict;

/// Forms of address that are followed by a name.
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
    "Mevrouw ",
    "mevrouw ",
    "meneer ",
    "heer ",
    "Sr. ",
    "Sra. ",
    "Srta. ",
    "Sig. ",
    "Sig.ra ",
    "Estimado ",
    "Estimada ",
    "Hi ",
    "Hey ",
    "Hallo ",
    "Liebe ",
    "Lieber ",
    "Witaj ",
    "Witam ",
    "Cześć ",
    "Bonjour ",
    "Salut ",
    "Cher ",
    "Chère ",
    "Hola ",
    "Ciao ",
    "Caro ",
    "Cara ",
    "Gentile ",
    "Beste ",
    "Geachte ",
    "Olá ",
    "egards, ",
    "Pozdrawiam, ",
    "Pozdrawiam ",
    "Grüßen ",
    "Grüße, ",
    "Cordialement, ",
    "Saludos, ",
    "aluti, ",
    "groet, ",
    "incerely, ",
    "Dzień dobry ",
    "oważaniem ",
    "oważaniem, ",
    "ordiales, ",
    "à vous, ",
    "Grüße ",
    "M. ",
    "Dr. ",
    "Dr ",
    " dr ",
    "Prof. ",
    "prof. ",
    "pani ",
    "panią ",
    "panu ",
    "CN=",
    "cn=",
];

/// Words after a form of address that are no names.
const NOT_NAMES: &[&str] = &[
    "Sr",
    "Sra",
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
    "The",
    "Your",
    "Google",
    "Siri",
    "Alexa",
    "Everyone",
    "Everybody",
    "Folks",
    "Both",
    "Again",
    "Zusammen",
    "Tous",
    "Todos",
    "Tutti",
    "Allemaal",
    "Państwo",
    "Państwu",
    "Wszystkim",
    "Herr",
    "Frau",
    "Madame",
    "Monsieur",
    "Signora",
    "Signor",
    "Señor",
    "Señora",
    "Engineer",
    "Developer",
    "Manager",
    "Analyst",
    "Director",
];

/// Greetings (and `Miss`, which caches have too): a single capitalised word after them may be anything, so they need two.
/// Before a comma or an exclamation mark one is enough: `Hi Marta,`.
#[rustfmt::skip]
const GREETINGS: &[&str] = &[
    "Miss ", "Dear ", "Hello ", "Drogi ", "Droga ", "Szanowny ", "Szanowna ", "Estimado ", "Estimada ", "Hi ", "Hey ", "Hallo ",
    "Liebe ", "Lieber ", "Witaj ", "Witam ", "Cześć ", "Bonjour ", "Salut ", "Cher ", "Chère ", "Hola ", "Ciao ", "Caro ", "Cara ",
    "Gentile ", "Beste ", "Geachte ", "Olá ", "Dzień dobry ",
];

/// Formulas that close a letter, titles that products and streets carry too, forms of address that begin other
/// words, and the name of a directory's entry.
#[rustfmt::skip]
const LOOSE: &[&str] = &[
    "egards, ", "Pozdrawiam, ", "Pozdrawiam ", "Grüßen ", "Grüße, ", "Cordialement, ", "Saludos, ", "aluti, ", "groet, ",
    "incerely, ", "oważaniem ", "oważaniem, ", "ordiales, ", "à vous, ", "Grüße ", "M. ",
    "Dr. ", "Dr ", " dr ", "Prof. ", "prof. ", "pani ", "panią ", "panu ", "CN=", "cn=",
];

/// `salutation-name`: one to three capitalised words after a form of address.
pub(super) fn salutation(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let salutation = SALUTATIONS.iter().find(|word| text[at..].starts_with(word.as_bytes()))?;
    // Closing formulas are looked for without their first letter, which may be a capital.
    if word_before(text, at, floor) && salutation.starts_with(char::is_uppercase) {
        return None;
    }
    let start = at + salutation.len();
    let (words, end) = capitalised(text, start)?;
    let first = &text[start..word_end(text, start)];
    let greeting = GREETINGS.contains(salutation);
    // They stand before teams, firms and things too: there a given name must be known.
    if LOOSE.contains(salutation) {
        let scope = Scope { text, floor, limit: text.len(), nested: false };
        return full_name::spoken_end(scope, start).map(|end| ShapeHit::new(start, end, Verdict::Proves));
    }
    let called = *salutation != "Miss " && matches!(text.get(end), Some(b',' | b'!'));
    let alone = greeting && words < 2 && !called;
    if NOT_NAMES.iter().any(|known| first.eq_ignore_ascii_case(known.as_bytes())) || alone {
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

/// `name-beside`: a known given name and the words of a name behind it. Asked by the engine near other personal
/// data only, at capitals.
pub(super) fn beside_data(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let joined = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | '\\' | '$');
    if char_before(text, at, floor).is_some_and(joined) {
        return None;
    }
    let scope = Scope { text, floor, limit: text.len(), nested: false };
    let end = full_name::written_end(scope, at)?;
    let goes_on = matches!(text.get(end), Some(b'@' | b'=' | b'_' | b'/' | b'(')) || digit_at(text, end);
    (!goes_on).then(|| ShapeHit::new(at, end, Verdict::Proves))
}

/// `display-name`: the words or the quoted string before `<local@domain>`.
pub(super) fn display(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    bracketed(text, at, floor).or_else(|| beside(text, at, floor))
}

/// `<a href="mailto:jan@example.com">Jan Kowalski</a>`, `('jan@example.com', 'Jan Kowalski')`: two or three
/// capitalised words, the text of a link or the next item of a list.
fn beside(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let end = super::email::end(text, at)?;
    let quote = *text.get(end).filter(|byte| matches!(**byte, b'"' | b'\'' | b'?' | b'>'))?;
    let link = text[end..].iter().take(96).position(|byte| *byte == b'>').filter(|_| quote != b'>');
    let linked = link.map(|length| (end + length + 1, b'<')).filter(|_| starts_link(text, at, floor));
    let listed = [&b", "[..], b","].into_iter().find_map(|joint| {
        let rest = text[end + 1..].strip_prefix(joint)?;
        (rest.first() == Some(&quote)).then_some((end + 2 + joint.len(), quote))
    });
    let (from, closing) = linked.or(listed)?;
    let (words, last) = capitalised(text, from)?;
    // An apostrophe at the end is the closing quote.
    let last = last - usize::from(text[last - 1] == closing);
    let person = words >= 2 && text.get(last) == Some(&closing);
    super::email::find(text, at, floor).filter(|address| address.span.end as usize == end)?;
    person.then(|| ShapeHit { resume: at as u32 + 1, ..ShapeHit::new(from, last, Verdict::Proves) })
}

/// Whether the address with the at-sign `at` stands behind `mailto:`.
fn starts_link(text: &[u8], at: usize, floor: usize) -> bool {
    let lowest = floor.max(at.saturating_sub(72));
    memchr::memmem::rfind(&text[lowest..at], b"mailto:").is_some()
}

fn bracketed(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
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
