//! Personal numbers of Denmark, Sweden, Norway, Finland, Czechia, Slovakia, Romania, Greece and India.
//! Those that hold a birth date are rarer than their check digit alone, yet only the Finnish form proves.

use super::Verdict;
use super::date::{is_real_short, yymmdd};
use super::digits::{ascii_digits, number, weighted};
use super::luhn;
use super::western_ids::with_digits;

/// Danish CPR: `DDMMYY-NNNN`. Its modulus 11 was given up in 2007, so only the date counts.
pub(in crate::redact) fn danish_cpr(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 10, |digits| {
        let (day, month, year) = yymmdd(digits);
        is_real_short(year, month, day)
    })
}

/// Swedish personnummer: ten or twelve digits, birth date (day plus 60 for coordination numbers), Luhn.
pub(in crate::redact) fn swedish_personnummer(candidate: &[u8]) -> Verdict {
    let short = |digits: &[u8]| {
        let (year, month, day) = yymmdd(digits);
        luhn::passes(digits) && is_real_short(year, month, if day > 60 { day - 60 } else { day })
    };
    match with_digits(candidate, 10, short) {
        Verdict::Refutes => {
            with_digits(candidate, 12, |digits| matches!(digits[..2], [1, 8 | 9] | [2, 0]) && short(&digits[2..]))
        }
        verdict => verdict,
    }
}

/// Norwegian fødselsnummer: eleven digits, birth date (day plus 40 for temporary numbers), two check digits.
pub(in crate::redact) fn norwegian_fnr(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 11, |digits| {
        let (day, month, year) = yymmdd(digits);
        is_real_short(year, month % 40, day % 40)
            && weighted(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
            && weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

/// Finnish hetu: `DDMMYY`, century sign, three digits, check character modulo 31.
pub(in crate::redact) fn finnish_hetu(candidate: &[u8]) -> Verdict {
    if candidate.len() != 11 || !b"-+ABCDEFYXWVU".contains(&candidate[6].to_ascii_uppercase()) {
        return Verdict::Refutes;
    }
    let (Some(date), Some(serial)) = (ascii_digits::<6>(&candidate[..6]), ascii_digits::<3>(&candidate[7..10])) else {
        return Verdict::Refutes;
    };
    let (day, month, year) = yymmdd(&date);
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY"[((number(&date) * 1000 + number(&serial)) % 31) as usize];
    let passes = is_real_short(year, month, day) && check == candidate[10].to_ascii_uppercase();
    if passes { Verdict::Proves } else { Verdict::Refutes }
}

/// Czech and Slovak birth number: `YYMMDD/NNNC`, month plus 20, 50 or 70, divisible by eleven; nine digits
/// (before 1954) have no check.
pub(in crate::redact) fn birth_number(candidate: &[u8]) -> Verdict {
    let date = |digits: &[u8]| {
        let (year, month, day) = yymmdd(digits);
        [0, 20, 50, 70].iter().any(|offset| month > *offset && is_real_short(year, month - offset, day))
    };
    match with_digits(candidate, 10, |digits| {
        let rest = number(&digits[..9]) % 11 % 10;
        date(digits) && rest == u64::from(digits[9])
    }) {
        Verdict::Refutes => with_digits(candidate, 9, |digits| date(digits) && digits[0] < 6),
        verdict => verdict,
    }
}

/// Romanian CNP: thirteen digits: sex and century, birth date, county, serial, check digit.
pub(in crate::redact) fn romanian_cnp(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 13, |digits| {
        let (year, month, day) = yymmdd(&digits[1..]);
        let rest = weighted(digits, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        let check = if rest == 10 { 1 } else { rest };
        digits[0] != 0 && is_real_short(year, month, day) && check == u32::from(digits[12])
    })
}

/// Greek AFM: nine digits, powers of two.
pub(in crate::redact) fn greek_afm(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 9, |digits| {
        let sum = weighted(digits, &[256, 128, 64, 32, 16, 8, 4, 2]);
        digits.iter().any(|d| *d != 0) && sum % 11 % 10 == u32::from(digits[8])
    })
}

/// Indian Aadhaar: twelve digits, not starting with 0 or 1, Verhoeff.
pub(in crate::redact) fn aadhaar(candidate: &[u8]) -> Verdict {
    with_digits(candidate, 12, |digits| digits[0] > 1 && verhoeff(digits))
}

/// The Verhoeff check: products in the dihedral group of order ten, with a permutation per position.
fn verhoeff(digits: &[u8]) -> bool {
    const STEP: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permuted = |digit: u8, times: usize| (0..times % 8).fold(digit, |d, _| STEP[d as usize]);
    let product = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    digits.iter().rev().enumerate().fold(0, |sum, (i, digit)| product(sum, permuted(*digit, i))) == 0
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn north() {
        assert_verdicts(danish_cpr, Verdict::Silent, &["211062-5629", "0101851234"]);
        assert_verdicts(danish_cpr, Verdict::Refutes, &["321062-5629", "211362-5629", ""]);
        assert_verdicts(swedish_personnummer, Verdict::Silent, &["811228-9874", "19811228-9874", "670919-9530"]);
        assert_verdicts(swedish_personnummer, Verdict::Refutes, &["811228-9873", "811328-9874", "811228+987", ""]);
        assert_verdicts(norwegian_fnr, Verdict::Silent, &["15108695088"]);
        assert_verdicts(norwegian_fnr, Verdict::Refutes, &["15108695077", "35138695088", ""]);
        assert_verdicts(finnish_hetu, Verdict::Proves, &["131052-308T", "131052-308t"]);
        assert_verdicts(finnish_hetu, Verdict::Refutes, &["131052-308U", "131052308T", "331052-308T", ""]);
    }

    #[test]
    fn east() {
        assert_verdicts(birth_number, Verdict::Silent, &["710319/2745", "531231123"]);
        assert_verdicts(birth_number, Verdict::Refutes, &["710319/2746", "711319/2745", ""]);
        assert_verdicts(romanian_cnp, Verdict::Silent, &["1630615123457"]);
        assert_verdicts(romanian_cnp, Verdict::Refutes, &["1630615123458", "1631315123457", ""]);
        assert_verdicts(greek_afm, Verdict::Silent, &["094259216"]);
        assert_verdicts(greek_afm, Verdict::Refutes, &["094259217", "000000000", ""]);
        assert_verdicts(aadhaar, Verdict::Silent, &["2345 6789 0124"]);
        assert_verdicts(aadhaar, Verdict::Refutes, &["2345 6789 0123", "1345 6789 0124", ""]);
    }

    #[test]
    fn verhoeff_sees_every_transposition() {
        assert!(verhoeff(&[2, 3, 6, 3]));
        assert!(!verhoeff(&[3, 2, 6, 3]) && !verhoeff(&[2, 6, 3, 3]) && !verhoeff(&[2, 3, 3, 6]));
    }
}
