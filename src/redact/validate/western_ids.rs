//! Personal and tax numbers of Germany, France, Spain, Italy, the Netherlands, Belgium, Portugal, Austria
//! and Switzerland. Modulus 10, 11 and 23 checks stay silent; what has a rare structure besides proves.

use super::Verdict;
use super::date::{is_real_short, yymmdd};
use super::digits::{Compact, number, weighted};
use super::luhn;

/// Silent when `passes`, else refuted: the answer of all weak checks.
pub(super) fn weak(passes: bool) -> Verdict {
    if passes { Verdict::Silent } else { Verdict::Refutes }
}

/// Runs `test` over the candidate's digits when there are exactly `len`.
pub(super) fn with_digits(candidate: &[u8], len: usize, test: impl Fn(&[u8]) -> bool) -> Verdict {
    weak(Compact::digits(candidate).is_some_and(|compact| compact.get().len() == len && test(compact.get())))
}

/// Runs `test` over the candidate's upper-case letters and digits when there are exactly `len`.
fn with_letters(candidate: &[u8], len: usize, test: impl Fn(&[u8]) -> bool) -> bool {
    Compact::alphanumeric(candidate).is_some_and(|compact| compact.get().len() == len && test(compact.get()))
}

/// German tax id: eleven digits, not starting with 0; among the first ten one digit occurs two or three
/// times; ISO 7064 modulus 11, 10. 0.4 % of random numbers pass.
pub(in crate::redact) fn german_tax_id(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 11, |digits| {
        let count = |digit: u8| digits[..10].iter().filter(|d| **d == digit).count();
        let repeated = (0..10).filter(|digit| count(*digit) > 1).count();
        digits[0] != 0 && repeated == 1 && (0..10).all(|digit| count(digit) <= 3) && mod_11_10(digits)
    })
}

/// ISO 7064 modulus 11, 10 over all digits, the last one being the check digit.
pub(super) fn mod_11_10(digits: &[u8]) -> bool {
    let (last, body) = match digits.split_last() {
        Some(parts) => parts,
        None => return false,
    };
    let product = body.iter().fold(10, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(*last)
}

/// German identity card or passport: nine letters and digits, then a check digit (weights 7, 3, 1).
pub(in crate::redact) fn german_identity_card(candidate: &[u8]) -> Verdict {
    weak(with_letters(candidate, 10, |card| {
        let value = |b: u8| (b as char).to_digit(36).unwrap_or(0);
        let sum: u32 = card[..9].iter().zip([7, 3, 1].into_iter().cycle()).map(|(b, weight)| value(*b) * weight).sum();
        card[0].is_ascii_uppercase() && card[9].is_ascii_digit() && sum % 10 == value(card[9])
    }))
}

/// French NIR: thirteen characters (Corsican departments `2A`, `2B`) and two digits, modulus 97; sex,
/// month and department must exist.
pub(in crate::redact) fn french_nir(candidate: &[u8]) -> Verdict {
    weak(with_letters(candidate, 15, |nir| {
        let (mut digits, mut offset) = ([0u8; 15], 0);
        for (i, byte) in nir.iter().enumerate() {
            digits[i] = match (i, byte) {
                (_, b'0'..=b'9') => byte - b'0',
                (6, b'A') => {
                    offset = 1_000_000;
                    0
                }
                (6, b'B') => {
                    offset = 2_000_000;
                    0
                }
                _ => return false,
            };
        }
        let month = number(&digits[3..5]);
        let body = number(&digits[..13]).wrapping_sub(offset);
        let plausible = matches!(digits[0], 1..=4 | 7 | 8) && (matches!(month, 1..=12 | 20 | 30..=42 | 50..=99));
        let corsican = offset == 0 || digits[5] == 2;
        plausible && corsican && 97 - body % 97 == number(&digits[13..])
    }))
}

const SPANISH_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// Spanish DNI: eight digits and the letter of the number modulo 23.
pub(in crate::redact) fn spanish_dni(candidate: &[u8]) -> Verdict {
    weak(with_letters(candidate, 9, |dni| spanish_letter(&dni[..8], dni[8])))
}

/// Spanish NIE: X, Y or Z, seven digits, letter.
pub(in crate::redact) fn spanish_nie(candidate: &[u8]) -> Verdict {
    weak(with_letters(candidate, 9, |nie| {
        let mut number = [0; 8];
        number.copy_from_slice(&nie[..8]);
        number[0] = match nie[0] {
            letter @ b'X'..=b'Z' => letter - b'X' + b'0',
            _ => return false,
        };
        spanish_letter(&number, nie[8])
    }))
}

/// Spanish CIF: organisation letter, seven digits, control digit or letter.
pub(in crate::redact) fn spanish_cif(candidate: &[u8]) -> Verdict {
    weak(with_letters(candidate, 9, |cif| {
        if !matches!(cif[0], b'A'..=b'H' | b'J' | b'N' | b'P'..=b'S' | b'U' | b'V' | b'W')
            || !cif[1..8].iter().all(u8::is_ascii_digit)
        {
            return false;
        }
        let sum: u32 = cif[1..8]
            .iter()
            .enumerate()
            .map(|(i, b)| {
                let digit = u32::from(b - b'0') << u32::from(i % 2 == 0);
                digit / 10 + digit % 10
            })
            .sum();
        let control = ((10 - sum % 10) % 10) as u8;
        cif[8] == b'0' + control || cif[8] == b"JABCDEFGHI"[control as usize]
    }))
}

fn spanish_letter(digits: &[u8], letter: u8) -> bool {
    digits.iter().all(u8::is_ascii_digit) && {
        let number = digits.iter().fold(0, |n, b| n * 10 + usize::from(b - b'0'));
        SPANISH_LETTERS[number % 23] == letter
    }
}

/// Italian codice fiscale: name letters, birth date, place, control letter; digits may be replaced by
/// letters (omocodia). Structure and control letter together prove.
pub(in crate::redact) fn codice_fiscale(candidate: &[u8]) -> Verdict {
    const DIGIT_PLACES: [usize; 7] = [6, 7, 9, 10, 12, 13, 14];
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let proven = with_letters(candidate, 16, |code| {
        let digit = |b: u8| b.is_ascii_digit() || b"LMNPQRSTUV".contains(&b);
        let form =
            (0..16).all(|i| if DIGIT_PLACES.contains(&i) { digit(code[i]) } else { code[i].is_ascii_uppercase() });
        let value = |b: u8| if b.is_ascii_digit() { usize::from(b - b'0') } else { usize::from(b - b'A') };
        let sum: u32 = code[..15]
            .iter()
            .enumerate()
            .map(|(i, b)| if i % 2 == 0 { ODD[value(*b)] } else { value(*b) as u32 })
            .sum();
        form && b"ABCDEHLMPRST".contains(&code[8]) && sum % 26 == u32::from(code[15] - b'A')
    });
    if proven { Verdict::Proves } else { Verdict::Refutes }
}

/// Italian partita IVA: eleven digits, Luhn.
pub(in crate::redact) fn partita_iva(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 11, |digits| digits.iter().any(|d| *d != 0) && luhn::passes(digits))
}

/// Dutch BSN: nine digits (eight with a lost zero), the eleven test.
pub(in crate::redact) fn dutch_bsn(candidate: &[u8]) -> Verdict {
    let Some(compact) = Compact::digits(candidate) else { return Verdict::Refutes };
    match compact.get().len() {
        8 => {
            let mut padded = [0; 9];
            padded[1..].copy_from_slice(compact.get());
            weak(eleven_test(&padded))
        }
        9 => weak(eleven_test(compact.get())),
        _ => Verdict::Refutes,
    }
}

/// The Dutch eleven test over nine digits.
pub(super) fn eleven_test(digits: &[u8]) -> bool {
    let sum = weighted(&digits[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) + 11 * 9 - u32::from(digits[8]);
    digits.iter().any(|d| *d != 0) && sum.is_multiple_of(11)
}

/// Belgian national number: birth date, serial, 97 minus the rest (with a 2 before it from 2000 on).
pub(in crate::redact) fn belgian_national_number(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 11, |digits| {
        let (year, month, day) = yymmdd(digits);
        let (body, check) = (number(&digits[..9]), number(&digits[9..]));
        let date = is_real_short(year, month % 20, day) || (month % 20 == 0 && day == 0);
        date && [body, body + 2_000_000_000].iter().any(|body| 97 - body % 97 == check)
    })
}

/// Portuguese NIF: nine digits, weights 9 to 2, modulus 11.
pub(in crate::redact) fn portuguese_nif(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 9, |digits| {
        let rest = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        digits[0] != 0 && u32::from(digits[8]) == if rest < 2 { 0 } else { 11 - rest }
    })
}

/// Austrian social security number: serial, check digit, birth date `DDMMYY`.
pub(in crate::redact) fn austrian_svnr(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 10, |digits| {
        let (day, month, year) = yymmdd(&digits[4..]);
        let sum = weighted(digits, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
        digits[0] != 0 && is_real_short(year, month, day) && sum == u32::from(digits[3])
    })
}

/// Swiss AHV number: thirteen digits starting with 756, the check digit of an article number. The prefix
/// makes it rare enough to prove.
pub(in crate::redact) fn swiss_ahv(candidate: &[u8]) -> Verdict {
    let passes = with_digits(candidate, 13, |digits| {
        digits.starts_with(&[7, 5, 6]) && weighted(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
    });
    let dotted = candidate.iter().filter(|b| **b == b'.').count() == 3;
    if passes == Verdict::Silent && dotted { Verdict::Proves } else { passes }
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn germany() {
        assert_verdicts(german_tax_id, Verdict::Silent, &["65929970489", "36 574 261 809", "86095742719"]);
        assert_verdicts(
            german_tax_id,
            Verdict::Refutes,
            &["65929970488", "05929970489", "12345678901", "11111111111", "", "6592997048"],
        );
        assert_verdicts(german_identity_card, Verdict::Silent, &["T220001293", "L01X00T471"]);
        assert_verdicts(german_identity_card, Verdict::Refutes, &["T220001294", "T22000129", "", "2220001293"]);
    }

    #[test]
    fn france() {
        assert_verdicts(
            french_nir,
            Verdict::Silent,
            &["185059999900181", "1 85 05 99 999 001 81", "2 95 10 99 126 111 93", "253072B07300470"],
        );
        assert_verdicts(
            french_nir,
            Verdict::Refutes,
            &["185059999900182", "585059999900181", "18505999990018", "", "2530C2B07300470"],
        );
    }

    #[test]
    fn spain() {
        assert_verdicts(spanish_dni, Verdict::Silent, &["12345678Z", "54362315-K", "12345678z"]);
        assert_verdicts(spanish_dni, Verdict::Refutes, &["12345678A", "1234567Z", "", "X1234567L"]);
        assert_verdicts(spanish_nie, Verdict::Silent, &["X1234567L", "x-2482300w", "Z1234567R"]);
        assert_verdicts(spanish_nie, Verdict::Refutes, &["X1234567A", "12345678Z", "W1234567L", ""]);
        assert_verdicts(spanish_cif, Verdict::Silent, &["J99216582", "A58818501"]);
        assert_verdicts(spanish_cif, Verdict::Refutes, &["J99216583", "I99216582", ""]);
    }

    #[test]
    fn italy() {
        assert_verdicts(codice_fiscale, Verdict::Proves, &["RSSMRA85T10A562S", "RCCMNL83S18D969H", "rssmra85t10a562s"]);
        assert_verdicts(
            codice_fiscale,
            Verdict::Refutes,
            &["RSSMRA85T10A562X", "RSSMRA85T10A56S", "RSSMRA85F10A562S", ""],
        );
        assert_verdicts(partita_iva, Verdict::Silent, &["00743110157"]);
        assert_verdicts(partita_iva, Verdict::Refutes, &["00743110158", "00000000000", ""]);
    }

    #[test]
    fn low_countries() {
        assert_verdicts(dutch_bsn, Verdict::Silent, &["111222333", "1112.22.333", "10000008"]);
        assert_verdicts(dutch_bsn, Verdict::Refutes, &["111222334", "000000000", "1234567", ""]);
        assert_verdicts(belgian_national_number, Verdict::Silent, &["85.07.30-033.28", "17 07 30 033 84"]);
        assert_verdicts(belgian_national_number, Verdict::Refutes, &["85073003329", "85133003328", ""]);
    }

    #[test]
    fn others() {
        assert_verdicts(portuguese_nif, Verdict::Silent, &["501964843", "501 964 843"]);
        assert_verdicts(portuguese_nif, Verdict::Refutes, &["501964842", "001964843", ""]);
        assert_verdicts(austrian_svnr, Verdict::Silent, &["1237 010180"]);
        assert_verdicts(austrian_svnr, Verdict::Refutes, &["2237 010180", "1237 011380", ""]);
        assert_verdicts(swiss_ahv, Verdict::Proves, &["756.9217.0769.85"]);
        assert_verdicts(swiss_ahv, Verdict::Silent, &["7569217076985"]);
        assert_verdicts(swiss_ahv, Verdict::Refutes, &["756.9217.0769.84", "7559217076985", ""]);
    }
}
