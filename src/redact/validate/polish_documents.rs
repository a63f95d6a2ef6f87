//! Polish identity cards (`ABA300000`) and passports (`ZS0000177`): letters, a check digit, digits. One
//! random number in ten passes.

use super::Verdict;
use super::digits::Compact;

/// Three letters and six digits.
pub(in crate::redact) fn identity_card(candidate: &[u8]) -> Verdict {
    verdict(candidate, 3, &[7, 3, 1, 9, 7, 3, 1, 7, 3])
}

/// Two letters and seven digits.
pub(in crate::redact) fn passport(candidate: &[u8]) -> Verdict {
    verdict(candidate, 2, &[7, 3, 9, 1, 7, 3, 1, 7, 3])
}

fn verdict(candidate: &[u8], letters: usize, weights: &[u32; 9]) -> Verdict {
    let Some(compact) = Compact::alphanumeric(candidate) else { return Verdict::Refutes };
    let number = compact.get();
    let form = number.len() == 9
        && number[..letters].iter().all(u8::is_ascii_uppercase)
        && number[letters..].iter().all(u8::is_ascii_digit);
    if !form || number[letters..].iter().all(|b| *b == b'0') {
        return Verdict::Refutes;
    }
    let sum: u32 = number.iter().zip(weights).map(|(b, weight)| value(*b) * weight).sum();
    if sum.is_multiple_of(10) { Verdict::Silent } else { Verdict::Refutes }
}

/// Digits count as themselves, letters from ten.
fn value(byte: u8) -> u32 {
    (byte as char).to_digit(36).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn good_and_bad() {
        assert_verdicts(identity_card, Verdict::Silent, &["ABA300000", "aba 300000", "ABA-300000"]);
        assert_verdicts(
            identity_card,
            Verdict::Refutes,
            &["ABA300001", "ABA30000", "ABA300000X", "AB3300000", "", "ABA000000"],
        );
        assert_verdicts(passport, Verdict::Silent, &["ZS0000177", "ZS 0000177"]);
        assert_verdicts(passport, Verdict::Refutes, &["ZS0000178", "ZSA000177", "ZS000017", "0S0000177", ""]);
    }
}
