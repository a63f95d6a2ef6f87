//! Advice on rules that load but could be better: what `logveil rules lint` says beyond errors.
//!
//! - a literal that stands in ordinary lines costs on every one of them (a warning from one line in ten)
//! - an anchor with a short token behind it and neither check nor context word masks too much
//! - two rules that start from the same literal under different labels, be one of them built in
//! - an example that another rule masks alone: the rule itself is not tested by it

mod ordinary;

use super::policy::Policy;
use super::rule::{Find, Rule, RuleTest, Stage, What};
use super::rule_test::Bench;
use super::ruleset::CompileError;
use super::{filler, rule_file};
use std::collections::HashMap;

/// A piece of advice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advice {
    /// File of the rule.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// Id of the rule.
    pub rule: String,
    /// What could be better.
    pub message: String,
    /// How.
    pub help: String,
}

/// Share of ordinary lines on which a literal may stand: one in this many.
const RARE: usize = 10;
/// Least number of characters behind an anchor that say something by themselves.
const LONG_ENOUGH: u32 = 8;

/// Advice on `rules`, judged with all of them in force, and beside those of `known` that they do not replace.
pub fn lint(rules: &[Rule], known: &[Rule]) -> Result<Vec<Advice>, CompileError> {
    let mut advice = Vec::new();
    for rule in rules {
        advice.extend(slow_literals(rule));
        advice.extend(weak_anchor(rule));
    }
    let others: Vec<&Rule> = known.iter().filter(|known| !rules.iter().any(|rule| rule.id == known.id)).collect();
    advice.extend(shared_literals(rules, &others));
    advice.extend(borrowed_examples(rules, &others)?);
    advice.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    Ok(advice)
}

fn advise(rule: &Rule, message: String, help: &str) -> Advice {
    Advice {
        file: rule.origin.file.clone(),
        line: rule.origin.line,
        rule: rule.id.clone(),
        message,
        help: help.to_owned(),
    }
}

/// The literals that make the engine look at a rule.
fn literals(rule: &Rule) -> &[String] {
    match &rule.what {
        What::Mask(Find::Anchor(find)) => &find.anchor,
        What::Mask(Find::Regex(find)) => &find.literals,
        _ => &[],
    }
}

fn slow_literals(rule: &Rule) -> Vec<Advice> {
    let slow = |literal: &&String| {
        let lines = ordinary::LINES.iter().filter(|line| line.contains(literal.as_str())).count();
        lines * RARE >= ordinary::LINES.len()
    };
    literals(rule)
        .iter()
        .filter(slow)
        .map(|literal| {
            let message = format!("'{literal}' stands on more than one ordinary line in {RARE}");
            advise(rule, message, "lengthen it; the rule is tried on every such line")
        })
        .collect()
}

fn weak_anchor(rule: &Rule) -> Option<Advice> {
    let What::Mask(Find::Anchor(find)) = &rule.what else { return None };
    let alone = rule.check.is_empty() && rule.near.is_none() && find.before < LONG_ENOUGH && !find.keep_anchor;
    let literal = find.anchor.iter().map(String::len).min().unwrap_or(0) as u32;
    (alone && find.min < LONG_ENOUGH && literal + find.min < 2 * LONG_ENOUGH).then(|| {
        let message = format!("{} characters behind so short an anchor are weak evidence", find.min);
        advise(rule, message, "raise 'min', or add 'check' or 'near'")
    })
}

/// Rules that start from one literal and would show different labels.
fn shared_literals(rules: &[Rule], others: &[&Rule]) -> Vec<Advice> {
    let mut owners: HashMap<&str, &Rule> = HashMap::new();
    for other in others {
        owners.extend(literals(other).iter().map(|literal| (literal.as_str(), *other)));
    }
    let mut advice = Vec::new();
    for rule in rules {
        for literal in literals(rule) {
            match owners.get(literal.as_str()) {
                None => drop(owners.insert(literal, rule)),
                Some(other) if other.id != rule.id && other.label != rule.label && both_anchors(rule, other) => {
                    let message = format!("'{literal}' is also an anchor of '{}'", other.id);
                    advice.push(advise(rule, message, "give both one label, or make one rule of them"));
                }
                Some(_) => {}
            }
        }
    }
    advice
}

/// True when lengths do not tell the two rules apart.
fn both_anchors(one: &Rule, other: &Rule) -> bool {
    match (&one.what, &other.what) {
        (What::Mask(Find::Anchor(one_find)), What::Mask(Find::Anchor(other_find))) => {
            one.check.is_empty() && other.check.is_empty() && one_find.alphabet == other_find.alphabet
        }
        _ => false,
    }
}

/// Examples in which rules of another label alone did the masking.
fn borrowed_examples(rules: &[Rule], others: &[&Rule]) -> Result<Vec<Advice>, CompileError> {
    let all: Vec<Rule> = others.iter().copied().chain(rules).cloned().collect();
    let mut bench = Bench::new(&all, &Policy::default())?;
    let labels: HashMap<&str, &str> = all.iter().map(|rule| (rule.id.as_str(), rule.label.as_str())).collect();
    let mut advice = Vec::new();
    for rule in rules {
        if rule.stage == Stage::Shadow || !Policy::default().enables(&rule.id) || matches!(rule.what, What::Keep(_)) {
            continue;
        }
        for (at, test) in rule.tests.iter().enumerate() {
            let RuleTest::Changes { input, .. } = test else { continue };
            let Ok(input) = filler::expand(input) else { continue };
            let (_, by) = bench.redact(&input);
            let sisters = by.iter().all(|id| labels.get(id.as_str()) == Some(&rule.label.as_str()));
            if !by.is_empty() && !by.contains(&rule.id) && !sisters {
                let message = format!("example {} is masked by {} first", at + 1, by.join(", "));
                advice.push(advise(rule, message, "write an example that only this rule masks"));
            }
        }
    }
    Ok(advice)
}

/// Errors of loading as advice is shown: one line each, for files that do not load.
pub fn load_errors(file: &str, text: &str) -> Vec<crate::strict_yaml::Problem> {
    rule_file::load(file, text).problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::builtin;

    fn rules(rules: &str) -> Vec<Rule> {
        let text = format!("pack: acme\nversion: 0.1.0\ndefaults: {{class: credential}}\nrules:\n{rules}");
        let loaded = rule_file::load("acme.yaml", &text);
        assert!(loaded.is_clean(), "{:?}", loaded.problems);
        loaded.pack.rules
    }

    fn rule(id: &str, find: &str, example: &str) -> String {
        format!(
            "  - id: {id}\n    title: T\n    find: {find}\n    tests: [{{in: '{example}', out: '[{id}]'}}, {{same: x}}]\n"
        )
    }

    #[test]
    fn each_weakness_is_named_with_its_rule() {
        let text = [
            rule("slow", "{anchor: ['level'], alphabet: token, min: 12, boundary: true}", "x"),
            rule("weak", "{anchor: [acme_], alphabet: hex, min: 2}", "acme_ab"),
            rule("twin", "{anchor: [zeta_], alphabet: hex, min: 20}", "zeta_{{hex:20}}"),
            rule("other", "{anchor: [zeta_], alphabet: hex, min: 20}", "zeta_{{hex:20}}"),
            rule("borrowed", "{anchor: [kilo_], alphabet: hex, min: 20}", "acme_{{hex:20}}"),
        ]
        .concat()
        .replace("['level']", "['10:00:0']");
        let found: Vec<String> = lint(&rules(&text), &[])
            .unwrap()
            .iter()
            .map(|advice| format!("{}: {}", advice.rule, advice.message))
            .collect();
        for wanted in [
            "slow: '10:00:0' stands on more than one ordinary line in 10",
            "weak: 2 characters behind so short an anchor are weak evidence",
            "other: 'zeta_' is also an anchor of 'twin'",
            "borrowed: example 1 is masked by weak first",
        ] {
            assert!(found.iter().any(|line| line == wanted), "{wanted}: {found:#?}");
        }
    }

    #[test]
    fn rules_are_judged_beside_those_they_do_not_replace() {
        let known = rules(
            &[
                rule("acme-key", "{anchor: [kilo_], alphabet: hex, min: 20}", "kilo_{{hex:20}}"),
                rule("acme-token", "{anchor: [zeta_], alphabet: hex, min: 20}", "zeta_{{hex:20}}"),
            ]
            .concat(),
        );
        let own = rules(
            &[
                rule("acme-token", "{anchor: [kilo_], alphabet: hex, min: 20}", "kilo_{{hex:20}}"),
                rule("acme-other", "{anchor: [mega_], alphabet: hex, min: 20}", "kilo_{{hex:20}}"),
            ]
            .concat(),
        );
        let shown =
            |advice: Vec<Advice>| advice.into_iter().map(|one| one.rule + ": " + &one.message).collect::<Vec<_>>();
        assert_eq!(
            shown(lint(&own, &known).unwrap()),
            [
                "acme-token: 'kilo_' is also an anchor of 'acme-key'",
                "acme-token: example 1 is masked by acme-key first",
                "acme-other: example 1 is masked by acme-key first"
            ]
        );
        assert_eq!(shown(lint(&own, &[]).unwrap()), ["acme-other: example 1 is masked by acme-token first"]);
    }

    #[test]
    fn the_built_in_pack_needs_no_advice() {
        let pack: Vec<Rule> = builtin::packs().into_iter().flat_map(|pack| pack.rules).collect();
        let advice = lint(&pack, &[]).unwrap();
        assert!(advice.is_empty(), "{advice:#?}");
    }
}
