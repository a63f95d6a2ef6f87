//! Long random strings that no rule claims: what a rule author should look at next.
//!
//! A suspect is a run of at least [`SHORTEST`] token characters with letters and digits well mixed and high
//! entropy. UUIDs, hexadecimal strings (hashes, trace ids) and numbers are none: there are too many of them.

use std::ops::Range;

/// Shortest suspect, bytes.
pub(super) const SHORTEST: usize = 20;
/// Least Shannon entropy, bits a character.
const LEAST_ENTROPY: f64 = 3.3;

/// The suspects of a text, as byte ranges.
pub(super) fn suspects(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    // `at` is where a run may begin. One that is long enough fills the window: the last byte in it that belongs to
    // no run is found first, and most bytes before that are never looked at.
    while let Some(window) = text.get(at..at + SHORTEST) {
        if let Some(outside) = window.iter().rposition(|byte| !is_inside(*byte)) {
            at += outside + 1;
            continue;
        }
        let rest = &text[at + SHORTEST..];
        let end = at + SHORTEST + rest.iter().position(|byte| !is_inside(*byte)).unwrap_or(rest.len());
        if is_random(&text[at..end]) {
            found.push(at..end);
        }
        at = end + 1;
    }
    found
}

/// Characters of a token.
const INSIDE: [bool; 256] = {
    let mut inside = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        inside[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'_' | b'+' | b'~');
        byte += 1;
    }
    inside
};

fn is_inside(byte: u8) -> bool {
    INSIDE[usize::from(byte)]
}

fn is_random(run: &[u8]) -> bool {
    let count = |of: fn(&u8) -> bool| run.iter().filter(|byte| of(byte)).count();
    let hex = || run.strip_prefix(b"0x").unwrap_or(run).iter().all(u8::is_ascii_hexdigit);
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

    proptest::proptest! {
        /// The same as taking the text apart run by run.
        #[test]
        fn no_run_is_jumped_over(text in "([ -~]{0,9}|[A-Za-z0-9_+~]{17,23}|[0-9a-zA-Z]{2}[ .]?){0,8}") {
            let (mut start, mut wanted) = (0, Vec::new());
            for run in text.as_bytes().split(|byte| !is_inside(*byte)) {
                if run.len() >= SHORTEST && is_random(run) {
                    wanted.push(start..start + run.len());
                }
                start += run.len() + 1;
            }
            proptest::prop_assert_eq!(suspects(text.as_bytes()), wanted);
        }
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = b"x= Zk3pQ9vT1xR7mW2nB8cL";
        assert_eq!(suspects(text), [3..23]);
    }
}
