//! Numbers of the United Kingdom, Ireland and the United States. All stay silent: they pass too often, or
//! have no check digit at all.

use super::Verdict;
use super::digits::{Compact, weighted};
use super::luhn;
use super::western_ids::{weak, with_digits};

/// UK NHS number: ten digits, modulus 11. One epoch second in eleven passes.
pub(in crate::redact) fn nhs(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 10, |digits| {
        let check = (11 - weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        digits.iter().any(|d| *d != 0) && check == u32::from(digits[9])
    })
}

/// UK national insurance number: two prefix letters in use, six digits, A to D. Printed in pairs it
/// proves, glued it looks like any part number.
pub(in crate::redact) fn nino(candidate: &[u8]) -> Verdict {
    let Some(compact) = Compact::alphanumeric(candidate) else { return Verdict::Refutes };
    let nino = compact.get();
    let form = nino.len() == 9 && nino[2..8].iter().all(u8::is_ascii_digit) && (b'A'..=b'D').contains(&nino[8]);
    let prefix = form
        && nino[..2].iter().all(u8::is_ascii_uppercase)
        && !b"DFIQUV".contains(&nino[0])
        && !b"DFIOQUV".contains(&nino[1])
        && !matches!(&nino[..2], b"BG" | b"GB" | b"NK" | b"KN" | b"NT" | b"TN" | b"ZZ");
    match prefix {
        false => Verdict::Refutes,
        true if candidate.len() == 13 && [2, 5, 8, 11].iter().all(|i| candidate[*i] == b' ') => Verdict::Proves,
        true => Verdict::Silent,
    }
}

/// Irish PPS number: seven digits, control letter, perhaps a second letter; modulus 23.
pub(in crate::redact) fn irish_pps(candidate: &[u8]) -> Verdict {
    let Some(compact) = Compact::alphanumeric(candidate) else { return Verdict::Refutes };
    let pps = compact.get();
    if !matches!(pps.len(), 8 | 9)
        || !pps[..7].iter().all(u8::is_ascii_digit)
        || !pps[7..].iter().all(u8::is_ascii_uppercase)
    {
        return Verdict::Refutes;
    }
    let sum: u32 = pps[..7].iter().zip((2..=8).rev()).map(|(b, weight)| u32::from(b - b'0') * weight).sum();
    let second = match pps.get(8) {
        Some(b'W') | None => 0,
        Some(letter) => u32::from(letter - b'A' + 1),
    };
    weak(b"WABCDEFGHIJKLMNOPQRSTUV"[((sum + second * 9) % 23) as usize] == pps[7])
}

/// US social security number: an area, group and serial that are issued, and not one of the printed fakes.
pub(in crate::redact) fn ssn(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 9, |digits| {
        let number = super::digits::number(digits);
        let (area, group, serial) = (number / 1_000_000, number / 10_000 % 100, number % 10_000);
        let fakes = [78_051_120, 219_099_999, 457_555_462];
        area != 0 && area != 666 && area < 900 && group != 0 && serial != 0 && !fakes.contains(&number)
    })
}

/// US individual taxpayer number: 9xx, a group in use, serial.
pub(in crate::redact) fn itin(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 9, |digits| {
        let group = digits[3] * 10 + digits[4];
        digits[0] == 9 && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99)
    })
}

/// US bank routing number: nine digits in an issued range, weights 3, 7, 1.
pub(in crate::redact) fn aba_routing(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 9, |digits| {
        let head = digits[0] * 10 + digits[1];
        matches!(head, 1..=12 | 21..=32 | 61..=72 | 80)
            && weighted(digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
    })
}

/// US employer number `NN-NNNNNNN`: a campus prefix in use.
pub(in crate::redact) fn ein(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 9, |digits| {
        let campus = digits[0] * 10 + digits[1];
        !matches!(campus, 0 | 7..=9 | 17..=19 | 28 | 29 | 49 | 69 | 70 | 78 | 79 | 89 | 96 | 97)
    })
}

/// US health provider number: ten digits starting with 1 or 2, Luhn with 80840 before them.
pub(in crate::redact) fn npi(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 10, |digits| {
        let mut card = [8, 0, 8, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        card[5..].copy_from_slice(digits);
        matches!(digits[0], 1 | 2) && luhn::passes(&card)
    })
}

/// US drug enforcement number: two letters, seven digits.
pub(in crate::redact) fn dea(candidate: &[u8]) -> Verdict {
    let Some(compact) = Compact::alphanumeric(candidate) else { return Verdict::Refutes };
    let dea = compact.get();
    if dea.len() != 9 || !dea[0].is_ascii_uppercase() || !dea[2..].iter().all(u8::is_ascii_digit) {
        return Verdict::Refutes;
    }
    let digit = |i: usize| u32::from(dea[1 + i] - b'0');
    weak((digit(1) + digit(3) + digit(5) + 2 * (digit(2) + digit(4) + digit(6))) % 10 == digit(7))
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn united_kingdom_and_ireland() {
        assert_verdicts(nhs, Verdict::Silent, &["943 476 5919", "9434765919", "4010232137"]);
        assert_verdicts(nhs, Verdict::Refutes, &["943 476 5918", "943476591", "0000000000", ""]);
        assert_verdicts(nino, Verdict::Proves, &["AB 12 34 56 C"]);
        assert_verdicts(nino, Verdict::Silent, &["AB123456C", "ab123456d"]);
        assert_verdicts(nino, Verdict::Refutes, &["DB123456C", "BG123456A", "AB123456E", "AB12345C", ""]);
        assert_verdicts(irish_pps, Verdict::Silent, &["6433435F", "6433435OA", "1234567T"]);
        assert_verdicts(irish_pps, Verdict::Refutes, &["6433435E", "643343F", ""]);
    }

    #[test]
    fn united_states() {
        assert_verdicts(ssn, Verdict::Silent, &["123-45-6789", "536 90 4399"]);
        assert_verdicts(
            ssn,
            Verdict::Refutes,
            &["000-12-3456", "666-12-3456", "123-00-6789", "123-45-0000", "078-05-1120", "912-70-1234", ""],
        );
        assert_verdicts(itin, Verdict::Silent, &["912-90-3456", "900700000"]);
        assert_verdicts(itin, Verdict::Refutes, &["912-89-3456", "812-90-3456", ""]);
        assert_verdicts(aba_routing, Verdict::Silent, &["021000021", "111000025", "121000358"]);
        assert_verdicts(aba_routing, Verdict::Refutes, &["021000022", "991000021", ""]);
        assert_verdicts(ein, Verdict::Silent, &["12-3456789"]);
        assert_verdicts(ein, Verdict::Refutes, &["07-3456789", "12-345678", ""]);
        assert_verdicts(npi, Verdict::Silent, &["1234567893"]);
        assert_verdicts(npi, Verdict::Refutes, &["1234567890", "3234567893", ""]);
        assert_verdicts(dea, Verdict::Silent, &["AB1234563"]);
        assert_verdicts(dea, Verdict::Refutes, &["AB1234564", "AB123456", ""]);
    }
}
