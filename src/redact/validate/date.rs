//! Real calendar dates, as national identifiers and birth dates carry them.

use super::Verdict;
use super::digits::number;

/// True when the day exists in the (Gregorian) month of that year.
pub(in crate::redact) fn is_real(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// The same with a two-digit year of unknown century: 29 February passes in every fourth year.
pub(super) fn is_real_short(year: u32, month: u32, day: u32) -> bool {
    is_real(2000 + year % 100, month, day)
}

/// `1990-01-31`, `31.01.1990`, `31/01/1990`, `01/31/1990`, `19900131`: a real date of 1880 to 2035, which
/// as such proves nothing about a person.
pub(in crate::redact) fn check(candidate: &[u8]) -> Verdict {
    if parts(candidate).is_some_and(|(year, month, day)| (1880..=2035).contains(&year) && is_real(year, month, day)) {
        return Verdict::Silent;
    }
    Verdict::Refutes
}

/// Year, month and day; with the month first only where the second number can be no month.
fn parts(candidate: &[u8]) -> Option<(u32, u32, u32)> {
    let value = |bytes: &[u8]| -> Option<u32> {
        bytes.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
    };
    if candidate.len() == 8 && candidate.iter().all(u8::is_ascii_digit) {
        let digits = |range: std::ops::Range<usize>| value(&candidate[range]);
        return Some((digits(0..4)?, digits(4..6)?, digits(6..8)?));
    }
    let separator = *candidate.iter().find(|b| matches!(b, b'-' | b'.' | b'/'))?;
    let mut fields = candidate.splitn(3, |b| *b == separator);
    let (a, b, c) = (fields.next()?, fields.next()?, fields.next()?);
    if a.is_empty() || b.is_empty() || c.is_empty() || a.len() > 4 || b.len() > 2 || c.len() > 4 {
        return None;
    }
    let (x, y, z) = (value(a)?, value(b)?, value(c)?);
    match (a.len(), c.len()) {
        (4, 1..=2) => Some((x, y, z)),
        (1..=2, 4) if y > 12 => Some((z, x, y)),
        (1..=2, 4) => Some((z, y, x)),
        _ => None,
    }
}

/// Year, month and day at the front of `YYMMDD…` digits.
pub(super) fn yymmdd(digits: &[u8]) -> (u32, u32, u32) {
    let pair = |at: usize| number(&digits[at..at + 2]) as u32;
    (pair(0), pair(2), pair(4))
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn good_and_bad() {
        assert_verdicts(
            check,
            Verdict::Silent,
            &["1990-01-31", "31.01.1990", "01/31/1990", "19900131", "29.02.2024", "1.2.1985"],
        );
        assert_verdicts(
            check,
            Verdict::Refutes,
            &["1990-13-01", "29.02.2023", "31/31/1990", "1990", "", "19901331", "12-1-99", "1790-01-01"],
        );
    }

    #[test]
    fn centuries_have_leap_years() {
        assert!(is_real(2000, 2, 29) && !is_real(1900, 2, 29) && is_real(1996, 2, 29));
        assert!(!is_real(2000, 0, 1) && !is_real(2000, 4, 31) && !is_real(2000, 1, 0));
    }
}
