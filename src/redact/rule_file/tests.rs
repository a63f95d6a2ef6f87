//! Every mistake a rule author can make, each at its place and with its fix.

use super::*;
use crate::redact::{shape, validate};

const HEAD: &str = "pack: acme\nversion: 0.1.0\ndefaults: {class: credential, since: 0.1.0}\nrules:\n";
const TESTS: &str =
    "    tests:\n      - {in: 'a acme_{{hex:20}}', out: 'a [x]'}\n      - {same: 'acme_ is the prefix'}\n";

fn rule(id: &str, rest: &str) -> String {
    format!("  - id: {id}\n    title: Acme\n{rest}{TESTS}")
}

fn found(rules: &str) -> Vec<String> {
    let text = format!("{HEAD}{rules}");
    load("acme.yaml", &text).problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_clean_file_loads() {
    let text = format!("{HEAD}{}", rule("acme-key", "    find: {anchor: [acme_], alphabet: hex, min: 20}\n"));
    let loaded = load("acme.yaml", &text);
    assert!(loaded.is_clean(), "{:?}", loaded.problems);
    let rule = &loaded.pack.rules[0];
    assert_eq!((rule.id.as_str(), rule.label.as_str(), rule.origin.line), ("acme-key", "acme-key", 5));
    assert_eq!((rule.class, rule.severity, rule.tests.len()), (Class::Credential, Severity::High, 2));
}

#[test]
fn every_mistake_names_rule_place_and_fix() {
    for (find, message) in [
        ("{anchor: [ac_], alphabet: hex, min: 20}", "'ac_' is shorter than 4 bytes (lengthen it"),
        ("{anchor: [token], alphabet: hex, min: 20}", "'token' is a plain word"),
        ("{anchor: [acme_], alphabet: hexx, min: 20}", "did you mean 'hex'?"),
        ("{anchor: [acme_], alphabet: hex}", "field 'min' is missing"),
        ("{anchor: [acme_], alphabet: hex, min: 9, max: 3}", "min 9 is more than max 3"),
        ("{ancor: [acme_], alphabet: hex, min: 20}", "did you mean 'anchor'?"),
        ("{short_anchor: [k_], alphabet: hex, min: 4}", "too short for a short anchor"),
        ("{shape: emial}", "unknown shape 'emial' (did you mean 'email'?)"),
        ("{key: [api_key]}", "must be words"),
        ("{key: [x]}", "is too short"),
        ("{key: []}", "'key' is empty"),
        ("{short_anchor: [], alphabet: hex, min: 16}", "'short_anchor' is empty"),
        ("{regex: 'acme_.*'}", "no bounded window (add 'window"),
        ("{regex: 'acme_.*', literals: [acme_]}", "no bounded window"),
        ("{regex: 'acme_.*', window: {after: 100}}", "has no anchor (add 'literals"),
        ("{regex: '(?:acme_)?', literals: [acme_], window: {after: 100}}", "matches nothing at all"),
        ("{regex: '(?=a)acme_', literals: [acme_], window: {after: 100}}", "does not compile"),
        ("{regex: '(a)\\1acme_', literals: [acme_], window: {after: 100}}", "no look-around and no back-references"),
        ("{regex: 'acme_[a-z]{900}{900}', literals: [acme_], window: {after: 100}}", "needs more than"),
        ("{regex: 'acme_x', literals: [acme_], window: {after: 99999}}", "99999 is out of range"),
        ("{regex: 'acme_x', literals: [acme_], window: {after: 9}, shape: email}", "more than one form"),
        ("{}", "nothing to find"),
    ] {
        let text = found(&rule("acme-key", &format!("    find: {find}\n")));
        assert!(text.iter().any(|line| line.contains(message) && line.contains("acme-key: ")), "{find}: {text:#?}");
        assert!(text.iter().all(|line| line.starts_with("acme.yaml:")), "{text:#?}");
    }
}

#[test]
fn fields_around_the_find_are_checked() {
    let find = "    find: {anchor: [acme_], alphabet: hex, min: 20}\n";
    for (more, message) in [
        ("    check: [lunh]\n", "unknown check 'lunh' (did you mean 'luhn'?)"),
        ("    near: {words: [Acme]}\n", "'Acme' is no context word"),
        ("    near: {wrds: [acme]}\n", "did you mean 'words'?"),
        ("    mask: {token: zz}\n", "unknown token class 'zz'"),
        ("    mask: {keep_last: 9}\n", "9 is out of range"),
        ("    mask: {}\n", "neither token nor keep_last"),
        ("    mask: {token: em, keep_last: 4}\n", "token and keep_last together"),
        ("    mask: labl\n", "did you mean 'label'?"),
        ("    allow: [{exact: acme_x}]\n", "an exception without a reason"),
        ("    allow: [{exact: acme_x, reason: docs, until: tomorrow}]\n", "is no date"),
        ("    allow: [{exact: acme_x, prefix: y, reason: docs}]\n", "exactly one thing"),
        ("    stage: canary\n", "one of: shadow, enforce"),
        ("    class: secret\n", "'secret' is not known here"),
        ("    colour: red\n", "unknown field 'colour'"),
    ] {
        let text = found(&rule("acme-key", &format!("{find}{more}")));
        assert!(text.iter().any(|line| line.contains(message)), "{more}: {text:#?}");
    }
}

#[test]
fn evidence_beside_a_key_or_a_keep_is_refused() {
    for what in ["find: {key: [acme code]}", "keep: {path: [acme id], shape: digits}"] {
        for more in ["check: [luhn]", "near: {words: [acme]}", "not_near: {words: [acme]}"] {
            let text = found(&rule("acme-key", &format!("    {what}\n    {more}\n"))).join("\n");
            assert!(text.contains("says nothing beside a key or a keep"), "{what} {more}: {text}");
        }
    }
}

#[test]
fn the_rest_of_the_file_is_still_checked() {
    let good = "    find: {anchor: [acme_], alphabet: hex, min: 20}\n";
    let text = format!(
        "{HEAD}{}{}{}{}",
        rule("one", "    find: {shape: nothing}\n"),
        rule("two", good),
        rule("two", good),
        "  - id: three\n    title: T\n    find: {shape: email}\n    tests: [{same: x}]\n",
    );
    let loaded = load("acme.yaml", &text);
    let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    assert_eq!(loaded.pack.rules.len(), 1);
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].contains("one: unknown shape"));
    assert!(problems[1].contains("two rules are called 'two'") && problems[1].contains("line 11"), "{problems:#?}");
    assert!(problems[2].contains("three: no positive example"));
}

#[test]
fn keep_rules_need_a_path_or_a_safe_shape() {
    let keep = |keep: &str| found(&rule("keep-it", &format!("    keep: {keep}\n"))).join("\n");
    assert_eq!(keep("{path: [trace id], shape: digits}"), "");
    assert_eq!(keep("{shape: uuid}"), "");
    assert!(keep("{shape: digits}").contains("everywhere"));
    let long = format!("{{path: [{}], shape: digits}}", "trace id ".repeat(10).trim());
    assert!(keep(&long).contains("70 letters; a path has at most 64"), "{}", keep(&long));
    assert!(keep("{path: [trace id], shape: digit}").contains("did you mean 'digits'?"));
}

#[test]
fn ids_are_kebab_case() {
    for id in ["Acme", "acme_key", "-a", "a--b", "'a b'"] {
        let text = found(&rule(id, "    find: {shape: email}\n"));
        assert!(text.iter().any(|line| line.contains("is no name")), "{id}: {text:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "(pack: a\nversion: 0.1.0\nrules:\n)?( *(- )?[a-z]{1,6}:? ?[\\[{]?[a-z_'0-9,: ]{0,20}[\\]}]?\n){0,12}") {
        fuzz_rule_file(text.as_bytes());
    }
}

#[test]
fn every_name_that_a_rule_may_use_is_documented() {
    let text = include_str!("../../../rules/README.md");
    let names = find::VALUE_KINDS
        .iter()
        .map(|(name, _)| *name)
        .chain(find::PLACES.iter().map(|(name, _)| *name))
        .chain(find::ALPHABETS.iter().map(|(name, _)| *name))
        .chain(shape::names())
        .chain(validate::names())
        .chain(filler::kinds());
    let missing: Vec<&str> = names.filter(|name| !text.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
