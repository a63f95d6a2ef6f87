//! The pack against itself, and the runner against rules that must fail.

use super::*;
use crate::redact::builtin;
use crate::redact::rule_file;

fn pack() -> Vec<Rule> {
    builtin::packs().into_iter().flat_map(|pack| pack.rules).collect()
}

#[test]
fn the_built_in_pack_passes_its_examples() {
    let report = run(&pack()).expect("the pack compiles");
    let mut shown = String::new();
    for rule in report.rules.iter().filter(|rule| !rule.failures.is_empty()) {
        for failure in &rule.failures {
            let by = failure.by.join(", ");
            shown.push_str(&format!(
                "{} · {}\n  in   {}\n  want {}\n  got  {}   [{by}]\n",
                rule.id, failure.check, failure.input, failure.wanted, failure.got
            ));
        }
    }
    let (passed, failed) = report.totals();
    assert!(shown.is_empty(), "{shown}\n{passed} held, {failed} did not");
    assert!(passed > 5_000, "only {passed} checks ran");
}

#[test]
fn a_wrong_example_is_reported_with_what_came_out() {
    let text = "pack: acme\nversion: 0.1.0\ndefaults: {class: credential}\nrules:\n  - id: acme-key\n    title: Acme\n    \
                find: {anchor: [acme_], alphabet: hex, min: 20}\n    tests:\n      \
                - {in: 'a acme_{{hex:19}}', out: 'a [acme-key]'}\n      - {same: 'b acme_{{hex:20}}'}\n";
    let loaded = rule_file::load("acme.yaml", text);
    assert!(loaded.is_clean(), "{:?}", loaded.problems);
    let report = run(&loaded.pack.rules).unwrap();
    let failures = &report.rules[0].failures;
    let checks: Vec<&str> = failures.iter().map(|failure| failure.check).collect();
    assert_eq!(checks, ["example", "negative"]);
    assert_eq!(failures[1].got, "b [acme-key]");
    assert_eq!(failures[1].by, ["acme-key"]);
}

#[test]
fn plants_are_what_the_masks_replace() {
    let of =
        |input, output| -> Vec<String> { carrier::plants(input, output).into_iter().map(|plant| plant.text).collect() };
    assert_eq!(of("a ghp_12345 b", "a [github-token] b"), ["ghp_12345"]);
    assert_eq!(of(r#"{"pin":4821,"n":3}"#, r#"{"pin":"[pin]","n":3}"#), ["4821"]);
    assert_eq!(of("x=abcd y=efgh", "x=[one] y=[two]"), ["abcd", "efgh"]);
    assert_eq!(of("dial [2001:db8::1]:443", "dial [[ip]]:443"), ["2001:db8::1"]);
}

#[test]
fn a_readable_plant_and_a_broken_carrier_are_faults() {
    for carrier in carrier::ALL {
        let written = carrier.write(r#"key "s3cret-value" end"#).unwrap();
        let text = written.text();
        let plants = [carrier::Plant { text: "s3cret-value".to_owned(), kept: 0 }];
        let leak = carrier::fault(&written, &plants, &text);
        if carrier.is_whole() {
            assert_eq!(leak, None, "{}: a whole text hides its parts", carrier.name);
        } else {
            assert!(leak.is_some_and(|fault| fault.contains("can still be read")), "{}", carrier.name);
        }
        let broken = carrier::fault(&written, &plants, "[masked]");
        assert_eq!(broken.is_some(), !text.is_empty(), "{}", carrier.name);
    }
}
