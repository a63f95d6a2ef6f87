//! Reading a candidate's digits and letters past its separators, without allocation.

/// Longest candidate any check reads, in significant characters.
const MOST: usize = 40;

/// The significant characters of a candidate.
pub(super) struct Compact {
    bytes: [u8; MOST],
    len: usize,
}

impl Compact {
    /// Digits only; separators are dropped. Nothing when another character or more than 40 digits occur.
    pub(super) fn digits(candidate: &[u8]) -> Option<Compact> {
        Compact::read(candidate, |byte| byte.is_ascii_digit().then(|| byte - b'0'))
    }

    /// Letters (in upper case) and digits as ASCII; separators are dropped.
    pub(super) fn alphanumeric(candidate: &[u8]) -> Option<Compact> {
        Compact::read(candidate, |byte| byte.is_ascii_alphanumeric().then(|| byte.to_ascii_uppercase()))
    }

    fn read(candidate: &[u8], significant: impl Fn(u8) -> Option<u8>) -> Option<Compact> {
        let mut compact = Compact { bytes: [0; MOST], len: 0 };
        let mut at = 0;
        while at < candidate.len() {
            if let Some(value) = significant(candidate[at]) {
                *compact.bytes.get_mut(compact.len)? = value;
                compact.len += 1;
                at += 1;
            } else {
                at += separator_len(&candidate[at..])?;
            }
        }
        Some(compact)
    }

    /// The characters read: digit values (0–9) or ASCII, depending on how they were read.
    pub(super) fn get(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Length of the separator `rest` starts with; nothing when it starts with another character.
fn separator_len(rest: &[u8]) -> Option<usize> {
    match rest {
        [b' ' | b'-' | b'.' | b'/' | b'+' | b'\t', ..] => Some(1),
        [0xC2, 0xA0, ..] => Some(2),
        [0xE2, 0x80, 0x80..=0xAF, ..] => Some(3),
        _ => None,
    }
}

/// Sum of digit × weight, position by position.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(&digit, &weight)| u32::from(digit) * weight).sum()
}

/// The number the digits spell (at most 18 of them).
pub(super) fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, &digit| number * 10 + u64::from(digit))
}

/// The digit values of ASCII digits; nothing when one is no digit or there are not exactly `N`.
pub(super) fn ascii_digits<const N: usize>(ascii: &[u8]) -> Option<[u8; N]> {
    let mut digits: [u8; N] = ascii.try_into().ok()?;
    for digit in &mut digits {
        *digit = digit.checked_sub(b'0').filter(|value| *value < 10)?;
    }
    Some(digits)
}
