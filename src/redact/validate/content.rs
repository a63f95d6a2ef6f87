//! Demands on what a value is made of: how random it looks, which characters it has, what it is not.
//! They refute or stay silent; nothing here proves.

use super::Verdict;
use super::western_ids::weak;

/// Least share of the entropy its own alphabet and length allow that a random value reaches.
const RANDOM_SHARE: f32 = 0.84;

/// Refutes values that do not look random: entropy per character, as a share of the most that a text of
/// that length over the narrowest fitting alphabet (digits, hex, one case, both, with signs) can have.
/// Below twelve characters words and random values cannot be told apart: refuted. Words and key names (`session_refresh_token`) end near 0.7, random values above 0.9.
pub(in crate::redact) fn entropy(candidate: &[u8]) -> Verdict {
    weak(candidate.len() >= 12 && share(candidate) >= RANDOM_SHARE)
}

fn share(candidate: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    candidate.iter().for_each(|byte| counts[*byte as usize] += 1);
    let len = candidate.len() as f32;
    let entropy: f32 = counts.iter().filter(|n| **n > 0).map(|n| *n as f32 / len).map(|p| -p * p.log2()).sum();
    entropy / (alphabet_size(candidate).min(len)).log2()
}

fn alphabet_size(candidate: &[u8]) -> f32 {
    let any = |test: fn(&u8) -> bool| candidate.iter().any(test);
    if candidate.iter().all(u8::is_ascii_digit) {
        return 10.0;
    }
    if candidate.iter().all(u8::is_ascii_hexdigit) {
        return 16.0;
    }
    let mut size = 0.0;
    for (present, count) in [
        (any(u8::is_ascii_digit), 10.0),
        (any(u8::is_ascii_lowercase), 26.0),
        (any(u8::is_ascii_uppercase), 26.0),
        (any(|b| !b.is_ascii_alphanumeric()), 8.0),
    ] {
        size += if present { count } else { 0.0 };
    }
    size
}

/// Refutes values without a digit.
pub(in crate::redact) fn has_digit(candidate: &[u8]) -> Verdict {
    weak(candidate.iter().any(u8::is_ascii_digit))
}

/// Refutes values that read as a word: no digit, and not four words joined by signs.
pub(in crate::redact) fn chosen(candidate: &[u8]) -> Verdict {
    let words = candidate.split(|byte| b"-_.+".contains(byte));
    let phrase = words.clone().count() >= 4 && words.into_iter().all(|word| word.len() >= 2);
    weak(phrase || candidate.iter().any(u8::is_ascii_digit))
}

/// Refutes values without a letter.
pub(in crate::redact) fn has_letter(candidate: &[u8]) -> Verdict {
    weak(candidate.iter().any(u8::is_ascii_alphabetic))
}

/// Refutes values without letters of both cases.
pub(in crate::redact) fn mixed_case(candidate: &[u8]) -> Verdict {
    weak(candidate.iter().any(u8::is_ascii_lowercase) && candidate.iter().any(u8::is_ascii_uppercase))
}

/// Refutes values of hexadecimal digits only: hashes, commits, span ids.
pub(in crate::redact) fn not_hex(candidate: &[u8]) -> Verdict {
    weak(!candidate.iter().all(u8::is_ascii_hexdigit))
}

/// Refutes everything but hexadecimal digits.
pub(in crate::redact) fn hex(candidate: &[u8]) -> Verdict {
    weak(!candidate.is_empty() && candidate.iter().all(u8::is_ascii_hexdigit))
}

/// Refutes everything but digits with separators.
pub(in crate::redact) fn digits(candidate: &[u8]) -> Verdict {
    weak(super::digits::Compact::digits(candidate).is_some_and(|compact| !compact.get().is_empty()))
}

/// Refutes values made of digits only: counters, times, ids.
pub(in crate::redact) fn not_digits(candidate: &[u8]) -> Verdict {
    weak(!candidate.iter().all(u8::is_ascii_digit))
}

/// Refutes everything but a UUID in its usual grouping, in either case, not all zeros.
pub(in crate::redact) fn uuid(candidate: &[u8]) -> Verdict {
    let form = candidate.len() == 36
        && candidate
            .iter()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() });
    weak(form && candidate.iter().any(|b| !matches!(b, b'0' | b'-')))
}

/// Refutes UUIDs: request, trace and object ids.
pub(in crate::redact) fn not_uuid(candidate: &[u8]) -> Verdict {
    weak(uuid(candidate) == Verdict::Refutes)
}

/// Refutes what does not end in a UUID: `api-checkout-7d9f8b6c5d-x2x4z`.
pub(in crate::redact) fn uuid_suffix(candidate: &[u8]) -> Verdict {
    uuid(&candidate[candidate.len().saturating_sub(36)..])
}

/// Refutes values without a part that is random, or a UUID at the end. A part has no sign inside; it is random when digits
/// and letters take turns in it, or small letters and capitals, four times and more, or when it is longer than words
/// are. Parts of names of hosts, files and tables are words, numbers, and small letters with digits for eleven characters
/// at most.
pub(in crate::redact) fn random_part(candidate: &[u8]) -> Verdict {
    const TURNS: usize = 4;
    const SHORTEST: usize = 12;
    const SHORTEST_MIXED: usize = 8;
    const LONGEST_WORD: usize = 23;
    let turns = |pair: &&[u8]| {
        pair[0].is_ascii_digit() != pair[1].is_ascii_digit()
            || pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()
    };
    let random = |part: &[u8]| {
        let mixed = mixed_case(part) != Verdict::Refutes;
        let shortest = if mixed { SHORTEST_MIXED } else { SHORTEST };
        has_digit(part) != Verdict::Refutes
            && has_letter(part) != Verdict::Refutes
            && part.len() >= shortest
            && (part.len() > LONGEST_WORD || part.windows(2).filter(turns).count() >= TURNS)
    };
    let mut parts = candidate.split(|byte| !byte.is_ascii_alphanumeric());
    weak(parts.any(random) || uuid_suffix(candidate) != Verdict::Refutes)
}

/// Refutes everything but a hardware address in any notation, bare twelve hexadecimal digits included.
pub(in crate::redact) fn mac(candidate: &[u8]) -> Verdict {
    let digits = candidate.iter().filter(|b| b.is_ascii_hexdigit());
    let marks = candidate.iter().filter(|b| !b.is_ascii_hexdigit());
    let form = matches!(candidate.len(), 12 | 14 | 17) && marks.clone().all(|b| matches!(b, b':' | b'-' | b'.'));
    let named = digits.clone().any(|b| *b != b'0') && digits.clone().any(|b| !b.eq_ignore_ascii_case(&b'f'));
    weak(form && named && digits.count() == 12 && matches!(marks.count(), 0 | 2 | 5))
}

/// Refutes everything but an IPv4 address as one number: `3221225985`, `0xC0000201`.
pub(in crate::redact) fn ip_integer(candidate: &[u8]) -> Verdict {
    let hex = candidate.strip_prefix(b"0x").or_else(|| candidate.strip_prefix(b"0X"));
    let digits = hex.unwrap_or(candidate);
    let radix = if hex.is_some() { 16 } else { 10 };
    if !(8..=10).contains(&digits.len()) || (hex.is_some() && digits.len() != 8) {
        return Verdict::Refutes;
    }
    let value = digits.iter().try_fold(0u64, |n, b| Some(n * radix + u64::from((*b as char).to_digit(radix as u32)?)));
    weak(value.is_some_and(|value| (1 << 24..1 << 32).contains(&value)))
}

/// Refutes everything but a decimal degree: −180 to 180 with at least three decimals.
pub(in crate::redact) fn degree(candidate: &[u8]) -> Verdict {
    let text = candidate.strip_prefix(b"-").or_else(|| candidate.strip_prefix(b"+")).unwrap_or(candidate);
    let Some(point) = text.iter().position(|b| *b == b'.') else { return Verdict::Refutes };
    let (whole, decimals) = (&text[..point], &text[point + 1..]);
    let form = (1..=3).contains(&whole.len()) && (3..=17).contains(&decimals.len());
    let digits = whole.iter().chain(decimals).all(u8::is_ascii_digit);
    let value = whole.iter().take(3).fold(0u32, |n, b| n * 10 + u32::from(b.wrapping_sub(b'0')));
    weak(form && digits && value <= 180)
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    #[test]
    fn entropy_knows_the_alphabet() {
        assert_verdicts(
            entropy,
            Verdict::Silent,
            &[
                "9f86d081884c7d659a2feaa0c55ad015",
                "Zk3vQ9xLpT2mWc7RbY5u",
                "x7Gq2-Vt9_Lk4Rz8",
                "830517294617",
                "q7w2e9r4t1y6",
            ],
        );
        assert_verdicts(
            entropy,
            Verdict::Refutes,
            &[
                "session_refresh_token",
                "aaaaaaaaaaaaaaaa",
                "password",
                "short",
                "",
                "00000000000000000001",
                "xxxxxxxx-xxxx-xxxx",
                "internal_error_handler",
            ],
        );
    }

    #[test]
    fn demands() {
        assert_verdicts(has_digit, Verdict::Silent, &["a1"]);
        assert_verdicts(has_digit, Verdict::Refutes, &["ab", ""]);
        assert_verdicts(has_letter, Verdict::Silent, &["a1"]);
        assert_verdicts(has_letter, Verdict::Refutes, &["12", ""]);
        assert_verdicts(mixed_case, Verdict::Silent, &["aB"]);
        assert_verdicts(mixed_case, Verdict::Refutes, &["ab", "AB", ""]);
        assert_verdicts(not_hex, Verdict::Silent, &["fa4eg"]);
        assert_verdicts(not_hex, Verdict::Refutes, &["fa4e", "00"]);
        assert_verdicts(hex, Verdict::Silent, &["fa4e"]);
        assert_verdicts(hex, Verdict::Refutes, &["fa4eg", ""]);
        assert_verdicts(digits, Verdict::Silent, &["12-34 5"]);
        assert_verdicts(digits, Verdict::Refutes, &["12a", "", "-"]);
        assert_verdicts(not_digits, Verdict::Silent, &["12a"]);
        assert_verdicts(not_digits, Verdict::Refutes, &["12"]);
    }

    #[test]
    fn addresses() {
        assert_verdicts(mac, Verdict::Silent, &["00005e005301", "00:00:5E:00:53:01", "0000.5e00.5301"]);
        assert_verdicts(mac, Verdict::Refutes, &["000000000000", "ffffffffffff", "00005e00530", "00005e00530g", ""]);
        assert_verdicts(ip_integer, Verdict::Silent, &["3221225985", "0xC0000201", "167772161"]);
        assert_verdicts(ip_integer, Verdict::Refutes, &["4294967296", "0xC000020", "12345678x", "00000001", ""]);
    }

    #[test]
    fn uuids_and_degrees() {
        assert_verdicts(
            uuid,
            Verdict::Silent,
            &["6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88", "6F1C2A9E-FA4E-4B7D-9C11-0A5D3C2E7B88"],
        );
        assert_verdicts(
            uuid,
            Verdict::Refutes,
            &["6f1c2a9efa4e4b7d9c110a5d3c2e7b88", "00000000-0000-0000-0000-000000000000", ""],
        );
        assert_verdicts(
            uuid_suffix,
            Verdict::Silent,
            &["api-6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88", "6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88"],
        );
        assert_verdicts(uuid_suffix, Verdict::Refutes, &["", "api-checkout-service-production-7d9f8b6c5d-x2x4z"]);
        assert_verdicts(
            random_part,
            Verdict::Silent,
            &[
                "pk_12345678_8KQ1VZ7Y2M4N6P0R3T5W9X1B2C4D6F8G",
                "sk_test_6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88",
                "token-x2x4z:9rq7zkx2m5vt8wd4",
                "pa-Xy9zQ2mB_4-k7RtW8pL_x-Q2nV6sZ1d",
                "sk_sbox_abcdefghijklmn4opqrstuvwxy",
            ],
        );
        assert_verdicts(
            random_part,
            Verdict::Refutes,
            &[
                "",
                "token-checkout-service-production-7d9f8b6c5d-x2x4z",
                "pk_order_line_items_archive_2024_partition_07",
                "rma-20240601T102233Z-of-2024",
                "apk_release_2024_06_01_build_0001",
            ],
        );
        assert_verdicts(not_uuid, Verdict::Refutes, &["6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88"]);
        assert_verdicts(not_uuid, Verdict::Silent, &["fa4e"]);
        assert_verdicts(degree, Verdict::Silent, &["50.06143", "-122.419", "+19.93658"]);
        assert_verdicts(degree, Verdict::Refutes, &["50", "50.1", "190.1234", "a.123", "", "1.2.345"]);
    }
}
