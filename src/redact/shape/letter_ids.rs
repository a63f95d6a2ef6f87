//! National numbers that mix letters and digits. The prefilter sees only their digits: each reader knows
//! how many letters stand before the first of them.

use super::ShapeHit;
use super::edge::{byte_before, word_after, word_before};
use crate::redact::validate::{Check, Verdict};
use crate::redact::validate::{english_ids, northern_eastern_ids, polish_documents, vat, western_ids};

/// Letters, then the rest, `len` characters in all without the optional space between the two.
struct Glued {
    letters: usize,
    len: usize,
    gap: bool,
    check: Check,
}

/// `uk-nino`: `AB123456C`, `AB 12 34 56 C`.
pub(super) fn nino(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if let Some(start) = at.checked_sub(3).filter(|start| *start >= floor && text[at - 1] == b' ') {
        let spaced = text.get(start..start + 13).filter(|nino| nino[5] == b' ' && nino[11] == b' ')?;
        return hit(text, start, start + spaced.len(), floor, english_ids::nino);
    }
    glued(text, at, floor, &Glued { letters: 2, len: 9, gap: false, check: english_ids::nino })
}

/// `pl-id-card`: `ABA300000`, `ABA 300000`.
pub(super) fn polish_id_card(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    glued(text, at, floor, &Glued { letters: 3, len: 9, gap: true, check: polish_documents::identity_card })
}

/// `pl-passport`: `ZS0000177`, `ZS 0000177`.
pub(super) fn polish_passport(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    glued(text, at, floor, &Glued { letters: 2, len: 9, gap: true, check: polish_documents::passport })
}

/// `es-dni`: `12345678Z`, `12345678-Z`.
pub(super) fn spanish_dni(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if text.get(at + 8) == Some(&b'-') {
        return hit(text, at, text.len().min(at + 10), floor, western_ids::spanish_dni);
    }
    glued(text, at, floor, &Glued { letters: 0, len: 9, gap: false, check: western_ids::spanish_dni })
}

/// `es-nie`: `X1234567L`, `X-1234567-L`.
pub(super) fn spanish_nie(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if text.get(at + 7) == Some(&b'-') {
        let start = at.checked_sub(if byte_before(text, at, floor, b'-') { 2 } else { 1 })?;
        return (start >= floor).then(|| hit(text, start, text.len().min(at + 9), floor, western_ids::spanish_nie))?;
    }
    glued(text, at, floor, &Glued { letters: 1, len: 9, gap: false, check: western_ids::spanish_nie })
}

/// `es-cif`: `A58818501`.
pub(super) fn spanish_cif(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    glued(text, at, floor, &Glued { letters: 1, len: 9, gap: false, check: western_ids::spanish_cif })
}

/// `it-codice-fiscale`: `RSSMRA85T10A562S`.
pub(super) fn codice_fiscale(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    glued(text, at, floor, &Glued { letters: 6, len: 16, gap: false, check: western_ids::codice_fiscale })
}

/// `de-id-card`: `L01X00T471`.
pub(super) fn german_id_card(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    glued(text, at, floor, &Glued { letters: 1, len: 10, gap: false, check: western_ids::german_identity_card })
}

/// `ie-pps`: `6433435F`, `6433435OA`.
pub(super) fn irish_pps(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    [8, 9].iter().find_map(|len| {
        glued(text, at, floor, &Glued { letters: 0, len: *len, gap: false, check: english_ids::irish_pps })
    })
}

/// `fi-hetu`: `131052-308T`.
pub(super) fn finnish_hetu(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    hit(text, at, at + 11, floor, northern_eastern_ids::finnish_hetu)
}

fn glued(text: &[u8], at: usize, floor: usize, form: &Glued) -> Option<ShapeHit> {
    let gap = usize::from(form.gap && byte_before(text, at, floor, b' '));
    let start = at.checked_sub(form.letters + gap).filter(|start| *start >= floor)?;
    let letters = text.get(start..start + form.letters)?;
    // Running text seldom capitalises whole words: with a gap the letters must be upper case.
    let cased = |b: &u8| if gap > 0 { b.is_ascii_uppercase() } else { b.is_ascii_alphabetic() };
    if !letters.iter().all(cased) {
        return None;
    }
    hit(text, start, start + form.len + gap, floor, form.check)
}

fn hit(text: &[u8], start: usize, end: usize, floor: usize, check: Check) -> Option<ShapeHit> {
    let candidate = text.get(start..end)?;
    if word_before(text, start, floor) || word_after(text, end) || byte_before(text, start, floor, b'-') {
        return None;
    }
    match check(candidate) {
        Verdict::Refutes => None,
        verdict => Some(ShapeHit::new(start, end, verdict)),
    }
}

/// `vat`: a VAT number with its country letters, glued, or in groups after the letters.
pub(super) fn vat(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let gap = usize::from(at > floor && matches!(text[at - 1], b' ' | b'-'));
    let end_of_letters = at - gap;
    let lowest = floor.max(end_of_letters.saturating_sub(4));
    let mut start = end_of_letters;
    while start > lowest && text[start - 1].is_ascii_uppercase() {
        start -= 1;
    }
    if !(2..=3).contains(&(end_of_letters - start)) {
        return None;
    }
    let run = |from: usize| text[from..].iter().take(16).take_while(|b| b.is_ascii_alphanumeric()).count();
    let end = at + run(at);
    if gap == 0
        && let Some(found) = hit(text, start, end, floor, vat::check)
    {
        return Some(found);
    }
    // Grouped: try ends after each further group, the longest first.
    let mut ends = [0; 4];
    let (mut count, mut last) = (0, end);
    for slot in &mut ends {
        *slot = last;
        count += 1;
        let next = match text.get(last) {
            Some(b' ' | b'.' | b'-') => run(last + 1),
            _ => 0,
        };
        if next == 0 || next > 9 {
            break;
        }
        last += 1 + next;
    }
    ends[..count].iter().rev().find_map(|end| hit(text, start, *end, floor, vat::check))
}
