//! Look-alikes that fail a shape's own arithmetic: for explanations only, never asked on the way to a sink.
//!
//! A shape answers "no hit" and forgets why. Where the why is arithmetic, people ask for it: this reads the
//! same structure once more and names the check.

use super::card::GROUPINGS;
use super::edge::{word_after, word_before};
use super::groups::{Groups, free_left, free_right};
use crate::redact::finding::Span;
use crate::redact::validate::{Verdict, card, iban, luhn};

/// Reports each stretch of `text` that is built like the shape and refuted by the check named.
pub(in crate::redact) fn refuted(shape: &str, text: &[u8], each: &mut dyn FnMut(Span, &'static str)) {
    match shape {
        "card" => numbers(text, card_at, each),
        "iban" => numbers(text, iban_at, each),
        _ => {}
    }
}

type Read = fn(&[u8], usize) -> Option<(Span, &'static str)>;

/// Asks at every first digit of a group, and goes on behind what was reported.
fn numbers(text: &[u8], read: Read, each: &mut dyn FnMut(Span, &'static str)) {
    let mut at = 0;
    while at < text.len() {
        let begins = text[at].is_ascii_digit() && (at == 0 || !text[at - 1].is_ascii_digit());
        match begins.then(|| read(text, at)).flatten() {
            Some((span, check)) => {
                each(span, check);
                at = span.end as usize;
            }
            None => at += 1,
        }
    }
}

fn card_at(text: &[u8], at: usize) -> Option<(Span, &'static str)> {
    if !(b'2'..=b'8').contains(&text[at]) || !free_left(text, at, 0) {
        return None;
    }
    let groups = Groups::read(text, at, 19);
    let (digits, end) = match *groups.sizes().first()? {
        13..=19 => groups.prefix(&groups.sizes()[..1])?,
        _ => GROUPINGS.iter().find_map(|sizes| groups.prefix(sizes))?,
    };
    let refuted = card::check_digits(digits) == Verdict::Refutes && free_right(text, end);
    let check = if luhn::passes(digits) { "issuer and length" } else { "luhn" };
    refuted.then(|| (Span::new(at, end), check))
}

fn iban_at(text: &[u8], at: usize) -> Option<(Span, &'static str)> {
    let start = at.checked_sub(2)?;
    let country = [text[start].to_ascii_uppercase(), text[start + 1].to_ascii_uppercase()];
    let len = iban::country_len(&country)?;
    let mut compact = Vec::with_capacity(len);
    let mut end = start;
    while compact.len() < len {
        match *text.get(end)? {
            byte if byte.is_ascii_alphanumeric() => compact.push(byte.to_ascii_uppercase()),
            b' ' if compact.len() % 4 == 0 => {}
            _ => return None,
        }
        end += 1;
    }
    let whole = !word_before(text, start, 0) && !word_after(text, end);
    let refuted = whole && iban::check_compact(&compact) == Verdict::Refutes;
    refuted.then(|| (Span::new(start, end), "iban"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(shape: &str, text: &str) -> Vec<(String, &'static str)> {
        let mut list = Vec::new();
        refuted(shape, text.as_bytes(), &mut |span, check| {
            list.push((String::from_utf8_lossy(span.of(text.as_bytes())).into_owned(), check));
        });
        list
    }

    #[test]
    fn arithmetic_that_fails_is_named_and_what_passes_is_not() {
        let luhn = |text: &str| vec![(text.to_owned(), "luhn")];
        assert_eq!(found("card", "card 4111 1111 1111 1112 x"), luhn("4111 1111 1111 1112"));
        assert_eq!(found("card", "4111111111111112"), luhn("4111111111111112"));
        assert_eq!(found("card", "4111111111111111 and 12 34"), []);
        assert_eq!(found("iban", "to PL61109010140000071219812875"), [("PL61109010140000071219812875".into(), "iban")]);
        assert_eq!(found("iban", "to PL61109010140000071219812874"), []);
        assert_eq!(found("email", "4111111111111112"), []);
    }
}
