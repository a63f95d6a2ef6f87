//! Long random strings that no rule claims: what a rule author should look at next.
//!
//! A suspect is a run of at least [`SHORTEST`] token characters with letters and digits well mixed and high
//! entropy. UUIDs, hexadecimal strings (hashes, trace ids) and numbers are none: there are too many of them.

use crate::redact::long_runs;
use std::ops::Range;

/// Shortest suspect, bytes.
pub(super) const SHORTEST: usize = 20;
/// Least Shannon entropy, bits a character.
const LEAST_ENTROPY: f64 = 3.3;

/// The suspects of a text, as byte ranges.
pub(super) fn suspects(text: &[u8]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    candidates(text, &mut runs);
    runs.retain(|run| is_random(&text[run.clone()]));
    runs
}

/// Writes to `runs` what may be a suspect by its length: one look at a whole chunk costs little.
pub(super) fn candidates(text: &[u8], runs: &mut Vec<Range<usize>>) {
    long_runs::<SHORTEST>(text, runs);
}

/// Whether a candidate is a suspect.
pub(super) fn is_random(run: &[u8]) -> bool {
    let [first, ..] = run else { return false };
    let (mut counts, mut turns, mut last) = ([0usize; 4], 0, KINDS[usize::from(*first)]);
    let mut hexadecimal = HEXADECIMAL;
    for byte in run.strip_prefix(b"0x").unwrap_or(run) {
        hexadecimal &= KINDS[usize::from(*byte)];
    }
    if hexadecimal != 0 {
        return false;
    }
    for byte in run {
        let kind = KINDS[usize::from(*byte)];
        counts[usize::from(kind % 4)] += 1;
        turns += usize::from(kind % 4 != last % 4);
        last = kind;
    }
    let [digits, upper, lower, _] = counts;
    digits >= 2 && upper + lower >= 4 && turns * 4 >= run.len() && entropy(run) >= LEAST_ENTROPY
}

/// Set in the kind of a hexadecimal digit.
const HEXADECIMAL: u8 = 4;

/// The kind of every byte: digit, upper case, lower case, other.
static KINDS: [u8; 256] = {
    let (mut kinds, mut byte) = ([3; 256], 0);
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' => HEXADECIMAL,
            b'A'..=b'F' => 1 | HEXADECIMAL,
            b'G'..=b'Z' => 1,
            b'a'..=b'f' => 2 | HEXADECIMAL,
            b'g'..=b'z' => 2,
            _ => 3,
        };
        byte += 1;
    }
    kinds
};

/// Shannon entropy, bits a byte.
fn entropy(run: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    run.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let length = run.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|part| -part * part.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_strings_are_told_from_names_and_ids() {
        let found = |text: &str| suspects(text.as_bytes()).len();
        for random in ["key Zk3pQ9vT1xR7mW2nB8cL end", "a=x9f3k2m8q1z7w4t6b5n0 b", "4fK2 q7Jz81LmXr20PvNt65Ycd0"] {
            assert_eq!(found(random), 1, "{random}");
        }
        for plain in [
            "4111111111111111111111",
            "9e107d9d372bb6826bd81d3542a419d6",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            "WorkflowExecutionStartedEventAttributes",
            "com.example.workflow.ActivityTaskScheduledV2Handler",
            "retry_backoff_coefficient_2_of_policy",
            "2026-11-21T10:04:11.123456Z",
        ] {
            assert_eq!(found(plain), 0, "{plain}");
        }
    }

    proptest::proptest! {
        /// The table against what is said of a suspect, one thing after the other.
        #[test]
        fn a_run_is_random_as_it_is_said(run in "(0x)?([0-9a-f]{20,30}|[A-Za-z0-9_+~]{20,40}|[a-zA-Z]{10}[0-9]{10,12})") {
            let run = run.as_bytes();
            let count = |of: fn(&u8) -> bool| run.iter().filter(|byte| of(byte)).count();
            let kind = |byte: u8| match byte {
                _ if byte.is_ascii_digit() => 0,
                _ if byte.is_ascii_uppercase() => 1,
                _ if byte.is_ascii_lowercase() => 2,
                _ => 3,
            };
            let turns = run.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
            let hex = run.strip_prefix(b"0x").unwrap_or(run).iter().all(u8::is_ascii_hexdigit);
            let mixed = count(u8::is_ascii_digit) >= 2 && count(u8::is_ascii_alphabetic) >= 4 && turns * 4 >= run.len();
            proptest::prop_assert_eq!(is_random(run), mixed && !hex && entropy(run) >= LEAST_ENTROPY);
        }
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = b"x= Zk3pQ9vT1xR7mW2nB8cL";
        assert_eq!(suspects(text), [3..23]);
    }
}
