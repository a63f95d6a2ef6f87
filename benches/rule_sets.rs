//! Rule sets of several sizes: a part of the built-in pack, the pack, and the pack with generated rules of
//! invented vendors beside it; and the literals of a set, for a plain automaton over the same words.

use logveil::redact::key::KeyTable;
use logveil::redact::policy::Policy;
use logveil::redact::rule::{Find, Rule, RuleIndex, What};
use logveil::redact::{RuleSet, builtin, rule_file};
use std::fmt::Write;
use std::sync::Arc;

/// `count` rules: every n-th of the pack where that is enough, else the pack and generated ones.
///
/// # Panics
/// When the rules do not load: then the bench is wrong.
pub fn of_size(count: usize) -> Arc<RuleSet> {
    let mut rules = builtin::rules();
    if count <= rules.len() {
        let of = rules.len();
        let mut place = 0;
        rules.retain(|_| {
            place += 1;
            place * count / of != (place - 1) * count / of
        });
    } else {
        let loaded = rule_file::load("generated.yaml", &generated(count - rules.len()));
        assert!(loaded.is_clean(), "{:?}", loaded.problems.first());
        rules.extend(loaded.pack.rules);
    }
    assert_eq!(rules.len(), count);
    Arc::new(RuleSet::compile(rules, &Policy::default()).expect("the rules compile"))
}

/// A pack of `count` rules, anchors, keys and expressions in turn, each of an invented vendor.
fn generated(count: usize) -> String {
    let mut text =
        String::from("pack: generated\nversion: 0.1.0\ndefaults: {class: credential, since: 0.1.0}\nrules:\n");
    for number in 0..count {
        let vendor = vendor(number);
        let (find, before, after, same) = match number % 3 {
            0 => (
                format!("{{anchor: [{vendor}_sk_], alphabet: base62, min: 24}}"),
                format!("with {vendor}_sk_{{{{base62:24}}}} set"),
                format!("with [{vendor}-{number}] set"),
                format!("the {vendor}_sk_ prefix"),
            ),
            1 => (
                format!("{{key: ['{vendor} api key'], value: opaque}}"),
                format!("{vendor}_api_key={{{{base62:24}}}}"),
                format!("{vendor}_api_key=[{vendor}-{number}]"),
                format!("no {vendor}_api_key here"),
            ),
            _ => (
                format!(
                    "{{regex: '\\b{vendor}-[0-9a-f]{{32}}\\b', literals: [{vendor}-], window: {{before: 4, after: 64}}}}"
                ),
                format!("with {vendor}-{{{{hex:32}}}} set"),
                format!("with [{vendor}-{number}] set"),
                format!("the {vendor}-1 server"),
            ),
        };
        let _ = writeln!(
            text,
            "  - id: {vendor}-{number}\n    title: Key of {vendor}\n    find: {find}\n    tests:\n      \
             - {{in: '{before}', out: '{after}'}}\n      - {{same: '{same}'}}"
        );
    }
    text
}

/// A name of four syllables that no word is; another for every number.
fn vendor(number: usize) -> String {
    const SYLLABLES: [&str; 12] = ["zor", "vik", "qua", "lum", "dex", "rho", "pyx", "mav", "tol", "jen", "wyr", "gax"];
    let mut left = number * 7919 + 1;
    let mut name = String::new();
    for _ in 0..4 {
        name.push_str(SYLLABLES[left % SYLLABLES.len()]);
        left /= SYLLABLES.len();
    }
    name
}

/// What the set's prefilter looks for.
pub fn literals(rules: &[Rule]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut keys = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        let texts = match &rule.what {
            What::Mask(Find::Anchor(anchor)) => &anchor.anchor[..],
            What::Mask(Find::Regex(regex)) => &regex.literals[..],
            What::Mask(Find::Key(key)) => {
                keys.push((RuleIndex(place as u16), key));
                &[]
            }
            _ => &[],
        };
        words.extend(texts.iter().map(|text| text.clone().into_bytes()));
    }
    let table = KeyTable::compile(keys).expect("the keys compile");
    words.extend(table.literals().map(|(bytes, _)| bytes.to_vec()));
    words.sort();
    words.dedup();
    words
}
