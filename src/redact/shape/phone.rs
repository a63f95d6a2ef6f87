//! `phone-e164`: numbers with a plus (or `00`) and a country code. `phone-national`: the printed forms of
//! several countries, which need a word near them.

use super::ShapeHit;
use super::edge::{
    char_before, dash_len, digit_at, ends_with_fold, previous_word, space_len, starts_with_fold, word_after,
};
use super::groups::{Groups, free_left, free_right, run_len};
use crate::redact::validate::Verdict;

/// Country code, shortest and longest national number.
#[rustfmt::skip]
const COUNTRIES: [(u16, u8, u8); 62] = [
    (1, 10, 10), (7, 10, 10), (20, 8, 10), (27, 9, 9), (30, 10, 10), (31, 9, 9), (32, 8, 9), (33, 9, 9), (34, 9, 9),
    (36, 8, 9), (39, 6, 11), (40, 9, 9), (41, 9, 9), (43, 6, 13), (44, 9, 10), (45, 8, 8), (46, 7, 10), (47, 8, 8),
    (48, 9, 9), (49, 6, 11), (51, 8, 9), (52, 10, 10), (54, 10, 11), (55, 10, 11), (56, 9, 9), (57, 10, 10),
    (60, 8, 10), (61, 9, 9), (62, 8, 12), (63, 9, 10), (64, 8, 10), (65, 8, 8), (66, 8, 9), (81, 9, 10), (82, 8, 10),
    (84, 9, 10), (86, 10, 11), (90, 10, 10), (91, 10, 10), (92, 10, 10), (351, 9, 9), (352, 6, 9), (353, 7, 9),
    (354, 7, 9), (356, 8, 8), (357, 8, 8), (358, 6, 11), (359, 8, 9), (370, 8, 8), (371, 8, 8), (372, 7, 8),
    (373, 8, 8), (375, 9, 9), (380, 9, 9), (381, 8, 9), (385, 8, 9), (386, 8, 8), (420, 9, 9), (421, 9, 9),
    (852, 8, 8), (971, 8, 9), (972, 8, 9),
];

/// Shortest and longest national number behind the country code that `digits` start with, and the code's
/// length. Codes not listed exist too: one to three digits, seven to twelve digits behind them.
fn country(digits: &[u8]) -> Option<(usize, usize, usize)> {
    let mut code = 0;
    for (i, digit) in digits.iter().take(3).enumerate() {
        code = code * 10 + u16::from(*digit);
        if let Some((_, shortest, longest)) = COUNTRIES.iter().find(|(known, ..)| *known == code) {
            return Some((i + 1, *shortest as usize, *longest as usize));
        }
    }
    (digits.len() >= 3 && digits[0] >= 2).then_some((3, 6, 10))
}

pub(super) fn e164(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let plus = at > floor && text[at - 1] == b'+';
    let (start, first) = match text.get(at)? {
        b'1'..=b'9' if plus => (at - 1, at),
        b'0' if !plus && text[at..].starts_with(b"00") && free_left(text, at, floor) => (at, at + 2),
        _ => return None,
    };
    let glued = |at| char_before(text, at, floor).is_some_and(|c| c == '_' || c == '+' || c.is_alphanumeric());
    if plus && glued(start) {
        return None;
    }
    let (end, grouped) = read(text, first)?;
    // `(+48) 601 234 567`; in `Some(+48 601 234 567)` the bracket is not the number's.
    let own = start > floor && text[start - 1] == b'(' && memchr::memchr(b')', &text[start..end]).is_some();
    let start = start - usize::from(own && !(plus && glued(start - 1)));
    let verdict = if plus || grouped { Verdict::Proves } else { Verdict::Silent };
    (!word_after(text, end)).then(|| ShapeHit::new(start, end, verdict))
}

/// Reads country code and national number; returns the end and whether separators divide it.
fn read(text: &[u8], first: usize) -> Option<(usize, bool)> {
    let head = text.get(first..first + 3)?;
    if !(b'1'..=b'9').contains(&head[0]) {
        return None;
    }
    let mut code = [0; 3];
    for (digit, byte) in code.iter_mut().zip(head) {
        *digit = if byte.is_ascii_digit() { byte - b'0' } else { 0 };
    }
    let (code_len, shortest, longest) = country(&code)?;
    let (mut at, mut digits, mut end, mut grouped) = (first + code_len, 0, 0, false);
    while digits <= longest {
        let gap = separators(text, at);
        let run = text[at + gap..].iter().take(16).take_while(|b| b.is_ascii_digit()).count();
        // A group that does not fit any more belongs to what follows.
        if run == 0 || digits + run > longest {
            if gap == 0 && run > 0 {
                return None;
            }
            break;
        }
        grouped |= gap > 0;
        digits += run;
        at += gap + run;
        end = at;
    }
    (digits >= shortest && free_right(text, end)).then_some((end, grouped))
}

/// Length of the separators at `at`: spaces, a dash, dot or slash, brackets, a bracketed trunk zero.
fn separators(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while end < at + 5 {
        if text[end..].starts_with(b"(0)") {
            end += 3;
            continue;
        }
        let step = match text.get(end) {
            Some(b'.' | b'/' | b'(' | b')' | b'+') => 1,
            _ => dash_len(text, end) + space_len(text, end),
        };
        if step == 0 {
            break;
        }
        end += step;
    }
    if digit_at(text, end) { end - at } else { 0 }
}

/// Printed national forms; a leading zero is demanded where the country uses one.
const NATIONAL: [(&[u8], bool); 23] = [
    (&[3, 3, 3], false),
    (&[2, 3, 2, 2], false),
    (&[3, 2, 2, 2], false),
    (&[9], false),
    (&[3, 3, 4], false),
    (&[10], false),
    (&[2, 2, 2, 2, 2], true),
    (&[4, 3, 4], true),
    (&[5, 6], true),
    (&[5, 3, 3], true),
    (&[3, 4, 4], true),
    (&[4, 3, 3], true),
    (&[4, 7], true),
    (&[4, 8], true),
    (&[3, 8], true),
    (&[3, 7], true),
    (&[4, 6], true),
    (&[11], true),
    (&[2, 7], false),
    (&[3, 3, 2, 2], false),
    (&[3, 4], false),
    // With the country code, but without its plus.
    (&[2, 3, 3, 3], false),
    (&[1, 3, 3, 4], false),
];

pub(super) fn national(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if !text.get(at)?.is_ascii_digit() {
        return None;
    }
    if at > floor && text[at - 1] == b'(' {
        return bracketed(text, at);
    }
    // Cheapest first: what no printed form begins with.
    let begins = match run_len(text, at, 12) {
        2 | 3 | 9 | 10 => true,
        1 => text[at] == b'1',
        11 | 12 if text[at] != b'0' => return with_code(text, at, floor),
        4 | 5 | 11 => text[at] == b'0',
        _ => false,
    };
    if !begins || !free_left(text, at, floor) || (at > floor && matches!(text[at - 1], b'+' | b'/' | b'$' | b'#')) {
        return None;
    }
    let groups = Groups::read(text, at, 12);
    let (digits, end) = printed(&groups)?;
    if groups.sizes().len() == 1 && is_answered(text, at, floor) {
        return None;
    }
    // Seven digits after further ones are the tail of a longer number.
    if digits.len() < 9 && at >= floor + 2 && digit_at(text, at - 2) {
        return None;
    }
    let clock = digits.len() == 10 && digits[0] == 1;
    if clock
        || digits.starts_with(&[0, 0])
        || !free_right(text, end)
        || is_measure(text, end)
        || is_reference(text, at, floor)
    {
        return None;
    }
    Some(ShapeHit::new(at, end, Verdict::Silent))
}

/// `48123456789`: country code and national number in one run, with a length that country uses.
fn with_code(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let (end, _) = read(text, at)?;
    let known =
        end - at == run_len(text, at, 13) && COUNTRIES.iter().any(|(code, ..)| starts_with_number(&text[at..], *code));
    let free = free_left(text, at, floor) && !is_measure(text, end) && !is_reference(text, at, floor);
    (known && free).then(|| ShapeHit::new(at, end, Verdict::Silent))
}

fn starts_with_number(text: &[u8], number: u16) -> bool {
    let digits = [number / 100 % 10, number / 10 % 10, number % 10].map(|digit| b'0' + digit as u8);
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    text.starts_with(&digits[leading..])
}

/// The digits and end of a printed form: of all groups, else of three or more leading ones.
fn printed(groups: &Groups) -> Option<(&[u8], usize)> {
    let whole = NATIONAL.iter().filter(|(sizes, _)| *sizes == groups.sizes());
    let leading = NATIONAL.iter().filter(|(sizes, _)| sizes.len() >= 3);
    whole.chain(leading).find_map(|(sizes, zero)| groups.prefix(sizes).filter(|(digits, _)| !zero || digits[0] == 0))
}

/// `(202) 555-0143`, `(22) 123 45 67`: the American form proves.
fn bracketed(text: &[u8], at: usize) -> Option<ShapeHit> {
    let area = text[at..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    if !(2..=5).contains(&area) || text.get(at + area) != Some(&b')') {
        return None;
    }
    let from = at + area + 1;
    let from = from + space_len(text, from) + usize::from(text.get(from) == Some(&b'-'));
    let groups = Groups::read(text, from, 9);
    let total = area + groups.sizes().iter().map(|n| *n as usize).sum::<usize>();
    let (_, end) = groups.prefix(groups.sizes())?;
    if !(8..=11).contains(&total) || !free_right(text, end) {
        return None;
    }
    let american = area == 3
        && groups.sizes() == [3, 4]
        && (b'2'..=b'9').contains(&text[at])
        && (b'2'..=b'9').contains(&text[from]);
    Some(ShapeHit::new(at - 1, end, if american { Verdict::Proves } else { Verdict::Silent }))
}

/// `call +48 601 234 567 about 6413511949`: an unbroken number, and between it and the word that announces a
/// phone stands another number with words behind it that do not go on with a list.
fn is_answered(text: &[u8], at: usize, floor: usize) -> bool {
    /// Beginnings of words that stand right before a phone number.
    const ANNOUNCING: [&str; 24] = [
        "at", "call", "cel", "fa", "gsm", "hand", "is", "kom", "mob", "mów", "móv", "na", "no", "nr", "num", "phone",
        "pod", "port", "ruf", "sms", "tel", "tél", "to", "what",
    ];
    const JOINTS: [&str; 12] = ["or", "and", "lub", "albo", "oraz", "i", "oder", "und", "ou", "et", "y", "o"];
    let lowest = floor.max(at.saturating_sub(40));
    let before = &text[lowest..at];
    let Some(number) = before.iter().rposition(|byte| byte.is_ascii_digit() || *byte == b']') else { return false };
    let digits = before[..=number].iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b' ').count();
    let between = before[number + 1..].trim_ascii();
    let listed = between.iter().all(|byte| !byte.is_ascii_alphabetic() && *byte < 0x80)
        || JOINTS.iter().any(|word| between.eq_ignore_ascii_case(word.as_bytes()));
    let phone = before[number] == b']' || digits >= 4;
    let word = between.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let announced = matches!(between.last(), Some(b':' | b'='))
        || ANNOUNCING.iter().any(|known| super::edge::starts_with_fold(word, known));
    phone && !listed && !announced
}

/// A unit or a counted noun right after the number.
fn is_measure(text: &[u8], end: usize) -> bool {
    const UNITS: [&str; 19] = [
        "ns", "us", "ms", "s", "sec", "bytes", "b", "kb", "mb", "gb", "rows", "items", "records", "lines", "events",
        "ops", "req", "tokens", "%",
    ];
    let rest = &text[end..];
    let rest = &rest[space_len(text, end)..];
    let word = rest.iter().take(9).take_while(|b| b.is_ascii_alphabetic() || **b == b'%').count();
    UNITS.iter().any(|unit| rest[..word].eq_ignore_ascii_case(unit.as_bytes()))
}

/// The word right before names another kind of number.
fn is_reference(text: &[u8], at: usize, floor: usize) -> bool {
    const REFERENCES: &[&str] = &[
        "ref",
        "reference",
        "order",
        "id",
        "ticket",
        "invoice",
        "case",
        "port",
        "pid",
        "job",
        "ts",
        "batch",
        "run",
        "took",
        "size",
        "offset",
        "version",
        "uid",
        "count",
        "key",
        "total",
        "about",
        "zamowienie",
        "zamowienia",
        "zamówienie",
        "zamówienia",
        "commande",
        "bestellung",
        "bestelling",
        "pedido",
        "ordine",
        "paczka",
        "parcel",
        "auftrag",
        "bon",
        "bulto",
        "caso",
        "colis",
        "dossier",
        "expediente",
        "faktura",
        "fall",
        "fattura",
        "paczki",
        "paczkę",
        "paket",
        "pratica",
        "przesyłka",
        "przesyłki",
        "przesyłkę",
        "rechnung",
        "réf",
        "sendung",
        "sprawa",
        "sprawie",
        "sprawy",
        "vorgang",
        "zgłoszenia",
        "zgłoszenie",
        "zgłoszeniu",
        "zlecenie",
    ];
    let word = previous_word(text, at, floor);
    REFERENCES.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
        || ["_id", "-id", "_key", "-key"].iter().any(|ending| ends_with_fold(word, ending))
        || ["Id", "Key"].iter().any(|ending| word.ends_with(ending.as_bytes()))
        || starts_with_fold(word, "order")
}
