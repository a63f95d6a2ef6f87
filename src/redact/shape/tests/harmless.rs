//! Ordinary log text on which no shape may be sure of itself.

use super::*;

/// One line a look-alike: identifiers, times, versions, hashes, paths, counters.
const LINES: &str = include_str!("harmless.txt");

#[test]
fn no_shape_proves_anything_in_harmless_lines() {
    let mut wrong = Vec::new();
    for line in LINES.lines() {
        for name in names() {
            for (span, verdict) in hits(name, line) {
                if verdict == Verdict::Proves {
                    wrong.push(format!("{name} takes {span} in: {line}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same where values stand in logs: quoted, as JSON, after a key.
#[test]
fn carriers_change_nothing() {
    let mut wrong = Vec::new();
    for line in LINES.lines().filter(|line| !line.contains(['"', '\\'])) {
        for carried in
            [format!("{{\"msg\":\"{line}\"}}"), format!("msg={line}"), format!("[{line}]"), format!("({line}),")]
        {
            for name in names() {
                if hits(name, &carried).iter().any(|(_, verdict)| *verdict == Verdict::Proves) {
                    wrong.push(format!("{name} in: {carried}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
