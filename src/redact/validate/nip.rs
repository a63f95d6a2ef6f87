//! NIP, the Polish tax number: ten digits, weights modulo 11. One epoch second in eleven passes, so
//! only the number's own grouping with dashes (3-3-2-2 or 3-2-2-3) speaks for itself.

use super::Verdict;
use super::digits::{Compact, weighted};

/// Ten digits, grouped or not, with or without `PL` before them.
pub(in crate::redact) fn check(candidate: &[u8]) -> Verdict {
    let national = candidate.strip_prefix(b"PL").or_else(|| candidate.strip_prefix(b"pl")).unwrap_or(candidate);
    match Compact::digits(national) {
        Some(compact) if passes(compact.get()) => grouping(candidate),
        _ => Verdict::Refutes,
    }
}

/// True when ten digits carry their check digit.
pub(super) fn passes(digits: &[u8]) -> bool {
    digits.len() == 10
        && digits.iter().any(|digit| *digit != 0)
        && weighted(digits, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == u32::from(digits[9])
}

fn grouping(candidate: &[u8]) -> Verdict {
    let dashes = |at: [usize; 3]| candidate.len() == 13 && at.iter().all(|i| candidate[*i] == b'-');
    if dashes([3, 7, 10]) || dashes([3, 6, 9]) { Verdict::Proves } else { Verdict::Silent }
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn good_and_bad() {
        assert_verdicts(check, Verdict::Proves, &["123-456-32-18", "123-45-63-218"]);
        assert_verdicts(check, Verdict::Silent, &["1234563218", "PL1234563218", "123 456 32 18", "8567346215"]);
        assert_verdicts(check, Verdict::Refutes, &["1234563217", "123456321", "0000000000", "", "PL", "12345632181"]);
    }
}
