//! PESEL, the Polish personal number: eleven digits, a birth date with the century in the month, a check
//! digit. Of random eleven-digit numbers 1.8 % pass; restricted to people born 1900 to 2035, 0.5 %.

use super::Verdict;
use super::date::{is_real, yymmdd};
use super::digits::{Compact, weighted};

/// Proves for births 1900–2035, stays silent for the other centuries the scheme allows.
pub(in crate::redact) fn check(candidate: &[u8]) -> Verdict {
    match Compact::digits(candidate) {
        Some(compact) if compact.get().len() == 11 => check_digits(compact.get()),
        _ => Verdict::Refutes,
    }
}

fn check_digits(digits: &[u8]) -> Verdict {
    let (year, month, day) = yymmdd(digits);
    let year = year + [1900, 2000, 2100, 2200, 1800][(month / 20) as usize];
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    if !sum.is_multiple_of(10) || !is_real(year, month % 20, day) {
        return Verdict::Refutes;
    }
    if (1900..=2035).contains(&year) { Verdict::Proves } else { Verdict::Silent }
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn good_and_bad() {
        assert_verdicts(check, Verdict::Proves, &["90010112349", "02210112348", "44051401359", "440514-01359"]);
        // Month 81 is January 1890, month 41 January 2101.
        assert_verdicts(check, Verdict::Silent, &["90810112343", "01410112347"]);
        assert_verdicts(
            check,
            Verdict::Refutes,
            &[
                "90010112340",
                "90023012345",
                "9001011234",
                "900101123499",
                "",
                "9001011234x",
                "00000000000",
                "90130112346",
            ],
        );
    }
}
