//! The rules a configuration asks for: packs in their order, compiled under its policy. A rule of a later
//! pack replaces the one with the same id.

use super::settings::{Config, PackRef};
use crate::redact::policy::{Policy, drop_ended};
use crate::redact::rule::Rule;
use crate::redact::{RuleSet, builtin, rule_file};
use crate::rules_dir;
use crate::strict_yaml::Severity;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Why there is no rule set; every mistake, ready to be shown.
#[derive(Debug)]
pub struct RulesError(pub Vec<String>);

/// Reads and compiles what a configuration asks for.
///
/// # Errors
/// [`RulesError`]: a folder cannot be read, a file has mistakes, or the policy names an unknown rule.
pub fn compile(config: &Config) -> Result<Arc<RuleSet>, RulesError> {
    load(&config.packs, &config.policy, &mut |_| {}).map(Arc::new)
}

/// Reads the packs in their order and compiles them under a policy; `change` may change each rule before.
///
/// # Errors
/// Those of [`compile`]; also two rules of one id in one pack, where neither comes later than the other.
pub fn load(packs: &[PackRef], policy: &Policy, change: &mut dyn FnMut(&mut Rule)) -> Result<RuleSet, RulesError> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut mistakes = Vec::new();
    for pack in packs {
        let level = match pack {
            PackRef::Builtin => builtin::rules(),
            PackRef::Folder(path) => folder(path, &mut mistakes),
        };
        mistakes.extend(twice(&level));
        overlay(&mut rules, level);
    }
    mistakes.extend(unknown(&rules, "disable", policy.disable.iter()));
    mistakes.extend(unknown(&rules, "allow", policy.allow.iter().filter_map(|allow| allow.rule.as_ref())));
    if !mistakes.is_empty() {
        return Err(RulesError(mistakes));
    }
    rules.iter_mut().for_each(change);
    let mut policy = policy.clone();
    drop_ended(&mut rules, &mut policy, today());
    RuleSet::compile(rules, &policy).map_err(|error| RulesError(vec![format!("error: {error}")]))
}

/// Names in the policy that no rule has.
fn unknown<'a>(rules: &[Rule], setting: &str, ids: impl Iterator<Item = &'a String>) -> Vec<String> {
    let known = || rules.iter().map(|rule| rule.id.as_str());
    ids.filter(|id| !known().any(|known| known == id.as_str()))
        .map(|id| {
            let help = crate::strict_yaml::nearest(id, known()).map(|name| format!("; did you mean '{name}'?"));
            format!("error: redaction.{setting}: there is no rule '{id}'{}", help.unwrap_or_default())
        })
        .collect()
}

/// Days since 1970-01-01, in UTC.
fn today() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| (since.as_secs() / 86_400) as i64)
}

/// The rules of a folder or file; what is wrong with them is added to `mistakes`.
fn folder(path: &Path, mistakes: &mut Vec<String>) -> Vec<Rule> {
    let files = match rules_dir::read(path) {
        Ok(files) => files,
        Err(error) => {
            mistakes.push(format!("error: {error}"));
            return Vec::new();
        }
    };
    let mut rules = Vec::new();
    for file in files {
        let loaded = rule_file::load(&file.file, &file.text);
        let errors = loaded.problems.iter().filter(|problem| problem.severity == Severity::Error);
        mistakes.extend(errors.map(|problem| problem.render(&file.text, false)));
        rules.extend(loaded.pack.rules);
    }
    rules
}

/// Rules of one level that share an id: nobody could say which of them counts.
fn twice(level: &[Rule]) -> Vec<String> {
    let mut known: HashMap<&str, &Rule> = HashMap::new();
    let mut told = Vec::new();
    for rule in level {
        if let Some(first) = known.insert(&rule.id, rule) {
            let (one, two) = (&first.origin, &rule.origin);
            told.push(format!(
                "error: two rules are called '{}': {}:{} and {}:{}; rename one, or put it in a later pack",
                rule.id, one.file, one.line, two.file, two.line
            ));
        }
    }
    told
}

/// A rule of a later level replaces the one with the same id, in its place.
fn overlay(rules: &mut Vec<Rule>, more: Vec<Rule>) {
    for rule in more {
        match rules.iter_mut().find(|known| known.id == rule.id) {
            Some(known) => *known = rule,
            None => rules.push(rule),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::rule::{Allow, AllowTest};

    fn pack(name: &str, ids: &[&str]) -> String {
        let mut text = format!("pack: {name}\nversion: 0.1.0\nrules:\n");
        for id in ids {
            text += &format!(
                "  - id: {id}\n    title: A badge\n    class: credential\n    severity: high\n    label: badge\n    \
                 find: {{anchor: [badge_{name}_], alphabet: digits, min: 4}}\n    mask: label\n    since: 0.1.0\n    \
                 reference: none\n    tests:\n      - {{in: 'x badge_{name}_1234', out: 'x [badge]'}}\n      \
                 - {{same: 'badge_{name}_'}}\n"
            );
        }
        text
    }

    fn refs(paths: &[&Path]) -> Vec<PackRef> {
        paths.iter().map(|path| PackRef::Folder(path.to_path_buf())).collect()
    }

    #[test]
    fn exceptions_act_until_their_last_day_and_name_rules_that_exist() {
        let allow = |rule: Option<&str>, until| Allow {
            test: AllowTest::Domain("acme.example".into()),
            rule: rule.map(str::to_owned),
            reason: "ours".into(),
            until,
        };
        let builtin = [PackRef::Builtin];
        let load = |allow| load(&builtin, &Policy { allow: vec![allow], ..Policy::default() }, &mut |_| {});
        let plain = super::load(&builtin, &Policy::default(), &mut |_| {}).unwrap().fingerprint();
        assert_eq!(load(allow(None, Some(19_000))).unwrap().fingerprint(), plain, "ended");
        assert_ne!(load(allow(None, Some(today()))).unwrap().fingerprint(), plain, "today is its last day");
        assert_ne!(load(allow(Some("email"), None)).unwrap().fingerprint(), plain, "without an end");
        let error = load(allow(Some("emial"), None)).err().unwrap().0.join("\n");
        assert!(error.contains("redaction.allow: there is no rule 'emial'; did you mean 'email'?"), "{error}");
    }

    #[test]
    fn a_later_pack_replaces_by_id_and_equal_ids_of_one_level_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        for path in [&one, &two] {
            std::fs::create_dir(path).unwrap();
        }
        std::fs::write(one.join("a.yaml"), pack("one", &["badge", "other"])).unwrap();
        std::fs::write(two.join("a.yaml"), pack("two", &["badge"])).unwrap();
        let set = load(&refs(&[&one, &two]), &Policy::default(), &mut |_| {})
            .unwrap_or_else(|error| panic!("{}", error.0.join("\n")));
        let from: Vec<(&str, &str)> = set.rules().iter().map(|rule| (&*rule.id, &*rule.origin.pack)).collect();
        assert_eq!(from, [("badge", "two"), ("other", "one")]);
        let alone = load(&refs(&[&one]), &Policy::default(), &mut |_| {}).unwrap();
        assert_ne!(set.fingerprint(), alone.fingerprint());
        std::fs::write(two.join("b.yaml"), pack("three", &["badge"])).unwrap();
        let error = load(&refs(&[&one, &two]), &Policy::default(), &mut |_| {}).err().unwrap().0.join("\n");
        assert!(error.contains("two rules are called 'badge'") && error.contains("b.yaml"), "{error}");
    }
}
