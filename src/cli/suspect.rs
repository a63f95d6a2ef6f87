//! Long random strings that no rule claims: what a rule author should look at next.
//!
//! A suspect is a run of at least [`SHORTEST`] token characters with letters and digits well mixed and high
//! entropy. UUIDs, hexadecimal strings (hashes, trace ids) and numbers are none: there are too many of them.

/// Shortest suspect, bytes.
pub(super) const SHORTEST: usize = 20;
/// Least Shannon entropy, bits a character.
const LEAST_ENTROPY: f64 = 3.3;

/// The suspects of a text, as byte ranges.
pub(super) fn suspects(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for run in text.split(|byte| !inside(*byte)) {
        let core = run.trim_ascii();
        if core.len() >= SHORTEST && is_random(core) {
            found.push(start..start + core.len());
        }
        start += run.len() + 1;
    }
    found
}

fn inside(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'~')
}

fn is_random(run: &[u8]) -> bool {
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = run.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let hex = run.strip_prefix(b"0x").unwrap_or(run).iter().all(u8::is_ascii_hexdigit);
    let turns = run.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    !hex && digits >= 2 && letters >= 4 && turns * 4 >= run.len() && entropy(run) >= LEAST_ENTROPY
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
