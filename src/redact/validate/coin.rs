//! Bitcoin addresses: base 58 with a double SHA-256 check, or bech32 with its polynomial. Both prove.

use super::Verdict;
use sha2::{Digest, Sha256};

/// An address of the main network, legacy (`1…`, `3…`) or segregated witness (`bc1…`).
pub(in crate::redact) fn bitcoin(candidate: &[u8]) -> Verdict {
    let passes = match candidate.first() {
        Some(b'1' | b'3') => base58_check(candidate),
        Some(b'b' | b'B') => bech32(candidate),
        _ => None,
    };
    if passes == Some(true) { Verdict::Proves } else { Verdict::Refutes }
}

fn base58_check(candidate: &[u8]) -> Option<bool> {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    // What looks alike is hexadecimal, and nearly always has a zero, which the alphabet has not.
    if !(26..=35).contains(&candidate.len()) || candidate.contains(&b'0') {
        return None;
    }
    let mut number = [0u8; 25];
    for byte in candidate {
        let mut carry = ALPHABET.iter().position(|known| known == byte)? as u32;
        for place in number.iter_mut().rev() {
            carry += u32::from(*place) * 58;
            *place = carry as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    let digest = Sha256::digest(Sha256::digest(&number[..21]));
    Some(digest[..4] == number[21..])
}

fn bech32(candidate: &[u8]) -> Option<bool> {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let cased = candidate.iter().any(u8::is_ascii_lowercase) && candidate.iter().any(u8::is_ascii_uppercase);
    if cased || !(14..=74).contains(&candidate.len()) || !candidate[..3].eq_ignore_ascii_case(b"bc1") {
        return None;
    }
    let mut rest = [3, 3, 0, 2, 3].iter().fold(1, |rest, value| polynomial(rest, *value));
    for byte in &candidate[3..] {
        let value = ALPHABET.iter().position(|known| *known == byte.to_ascii_lowercase())?;
        rest = polynomial(rest, value as u32);
    }
    Some(rest == 1 || rest == 0x2bc8_30a3)
}

/// One step of the bech32 checksum.
fn polynomial(rest: u32, value: u32) -> u32 {
    const GENERATORS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let top = rest >> 25;
    let next = (rest & 0x01FF_FFFF) << 5 ^ value;
    GENERATORS
        .iter()
        .enumerate()
        .fold(next, |next, (bit, generator)| if top >> bit & 1 == 1 { next ^ generator } else { next })
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn good_and_bad() {
        assert_verdicts(
            bitcoin,
            Verdict::Proves,
            &[
                "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
                "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
                "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
            ],
        );
        assert_verdicts(
            bitcoin,
            Verdict::Refutes,
            &[
                "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
                "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp",
                "",
                "1",
                "bc1",
                "1O0lI1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            ],
        );
    }
}
