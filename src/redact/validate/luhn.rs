//! The modulus-10 check of cards, IMEIs and several tax numbers. One random number in ten passes it.

use super::Verdict;
use super::digits::Compact;

/// Any digits with separators, at least two.
pub(in crate::redact) fn check(candidate: &[u8]) -> Verdict {
    match Compact::digits(candidate) {
        Some(compact) if compact.get().len() >= 2 => {
            if passes(compact.get()) {
                Verdict::Silent
            } else {
                Verdict::Refutes
            }
        }
        _ => Verdict::Refutes,
    }
}

/// True when the last digit is the check digit of those before it.
pub(in crate::redact) fn passes(digits: &[u8]) -> bool {
    let sum: u32 = digits.iter().rev().enumerate().map(|(i, &digit)| doubled(digit, i % 2 == 1)).sum();
    sum.is_multiple_of(10)
}

fn doubled(digit: u8, double: bool) -> u32 {
    let value = u32::from(digit) << u32::from(double);
    if value > 9 { value - 9 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn good_and_bad() {
        for good in ["79927398713", "4111 1111 1111 1111", "49-015420-323751-8", "0000000000000000"] {
            assert_eq!(check(good.as_bytes()), Verdict::Silent, "{good}");
        }
        for bad in ["79927398710", "4111111111111112", "", "7", "41x1", "12345678901234567890123456789012345678901"] {
            assert_eq!(check(bad.as_bytes()), Verdict::Refutes, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_textbook(digits in proptest::collection::vec(0u8..10, 2..20)) {
            let mut total = 0;
            for (i, digit) in digits.iter().rev().enumerate() {
                let text = if i % 2 == 1 { (u32::from(*digit) * 2).to_string() } else { digit.to_string() };
                total += text.bytes().map(|b| u32::from(b - b'0')).sum::<u32>();
            }
            prop_assert_eq!(passes(&digits), total % 10 == 0);
        }
    }
}
