//! Fuzz body of the loader: any bytes give rules or problems, never a panic, and problems point inside.

use super::load;
use crate::redact::filler;
use crate::redact::rule::RuleTest;

/// Loads `data` as a rule file and asserts what the loader promises.
#[doc(hidden)]
pub fn fuzz_rule_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let loaded = load("fuzz.yaml", &text);
    for problem in &loaded.problems {
        assert!(problem.span.end <= text.len());
        assert!(!problem.render(&text, false).is_empty());
    }
    let mut ids: Vec<&str> = loaded.pack.rules.iter().map(|rule| rule.id.as_str()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    for rule in &loaded.pack.rules {
        assert!(rule.tests.iter().any(|test| matches!(test, RuleTest::Same(_))));
        for test in &rule.tests {
            let (RuleTest::Changes { input, .. } | RuleTest::Same(input)) = test;
            assert!(filler::expand(input).is_ok());
        }
    }
}
