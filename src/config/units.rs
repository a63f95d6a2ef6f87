//! Sizes (`64KiB`, `1GiB`, `4500000`) and durations (`500ms`, `2s`, `5m`, `1h`, `3d`) as people write them.

use std::time::Duration;

const SIZES: &[(&str, u64)] = &[
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
    ("", 1),
];

const DURATIONS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Bytes of a size.
///
/// # Errors
/// What a size looks like.
pub fn size(text: &str) -> Result<u64, String> {
    scaled(text, SIZES).ok_or_else(|| format!("'{text}' is no size; write it as 4500000, 64KiB, 512MiB or 1GiB"))
}

/// A duration; a bare number has no unit and is refused.
pub fn duration(text: &str) -> Result<Duration, String> {
    scaled(text, DURATIONS)
        .map(Duration::from_millis)
        .ok_or_else(|| format!("'{text}' is no duration; write it as 500ms, 2s, 5m, 1h or 3d"))
}

/// What [`size`] reads, for schemas.
pub(super) fn size_pattern() -> String {
    pattern(SIZES)
}

/// What [`duration`] reads, for schemas.
pub(super) fn duration_pattern() -> String {
    pattern(DURATIONS)
}

fn pattern(units: &[(&str, u64)]) -> String {
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    format!("^[0-9][0-9_]*\\s*({})$", names.join("|"))
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let number: u64 = text[..digits].replace('_', "").parse().ok()?;
    let unit = text[digits..].trim_start();
    let scale = units.iter().find(|(name, _)| *name == unit)?.1;
    number.checked_mul(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("4500000", Some(4_500_000)),
            ("4_500_000", Some(4_500_000)),
            ("64KiB", Some(65_536)),
            ("1GiB", Some(1 << 30)),
            ("2 MB", Some(2_000_000)),
            ("1G", None),
            ("-1", None),
            ("1.5GiB", None),
            ("", None),
            ("GiB", None),
            ("99999999999TiB", None),
        ] {
            assert_eq!(size(text).ok(), bytes, "{text:?}");
        }
    }

    #[test]
    fn durations() {
        for (text, millis) in [
            ("500ms", Some(500)),
            ("2s", Some(2_000)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("3d", Some(259_200_000)),
            ("2", None),
            ("s", None),
            ("2 weeks", None),
        ] {
            assert_eq!(duration(text).ok(), millis.map(Duration::from_millis), "{text:?}");
        }
    }
}
