//! REGON, the Polish business register number: nine digits, or fourteen for a local unit. One nine-digit
//! number in ten passes, so the check never proves.

use super::Verdict;
use super::digits::{Compact, weighted};

/// Nine or fourteen digits.
pub(in crate::redact) fn check(candidate: &[u8]) -> Verdict {
    match Compact::digits(candidate) {
        Some(compact) if passes(compact.get()) => Verdict::Silent,
        _ => Verdict::Refutes,
    }
}

fn passes(digits: &[u8]) -> bool {
    match digits.len() {
        9 => {
            digits.iter().any(|digit| *digit != 0)
                && weighted(digits, &[8, 9, 2, 3, 4, 5, 6, 7]) % 11 % 10 == u32::from(digits[8])
        }
        14 => {
            passes(&digits[..9])
                && weighted(digits, &[2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]) % 11 % 10 == u32::from(digits[13])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn good_and_bad() {
        assert_verdicts(check, Verdict::Silent, &["123456785", "12345678512347", "192598184"]);
        assert_verdicts(
            check,
            Verdict::Refutes,
            &["123456786", "12345678612347", "12345678512346", "000000000", "", "1234567851"],
        );
    }
}
