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
    let count = |of: fn(&u8) -> bool| run.iter().filter(|byte| of(byte)).count();
    // All of it, whatever comes first: many bytes at a time.
    let hex = || run.strip_prefix(b"0x").unwrap_or(run).iter().fold(true, |all, byte| all & byte.is_ascii_hexdigit());
    let turns = || run.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    count(u8::is_ascii_digit) >= 2
        && count(u8::is_ascii_alphabetic) >= 4
        && !hex()
        && turns() * 4 >= run.len()
        && entropy(run) >= LEAST_ENTROPY
}

fn kind(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 0,
        b'A'..=b'Z' => 1,
        b'a'..=b'z' => 2,
        _ => 3,
    }
}

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

    #[test]
    fn places_are_those_of_the_text() {
        let text = b"x= Zk3pQ9vT1xR7mW2nB8cL";
        assert_eq!(suspects(text), [3..23]);
    }
}
