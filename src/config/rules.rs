//! The rules a configuration asks for: packs in their order, compiled under its policy. A rule of a later
//! pack replaces the one with the same id.
//!
//! A set that holds rules of a folder is used only when every example of every rule holds; the built-in pack
//! alone was tested when the program was built.

use super::settings::{PackRef, Redaction};
use crate::agent::live_rules::today;
use crate::redact::policy::{Policy, adjust, drop_ended};
use crate::redact::rule::{BESIDE, Pack, Rule, Stage};
use crate::redact::rule_test::{self, RuleOutcome};
use crate::redact::{RuleSet, builtin, rule_file};
use crate::rules_dir;
use crate::strict_yaml::Severity;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Why there is no rule set: every mistake.
#[derive(Debug)]
pub struct RulesError(pub Vec<Mistake>);

/// One mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// In one line, for logs: what is wrong and where.
    pub line: String,
    /// For people: with the place in the text.
    pub shown: String,
}

impl Mistake {
    fn plain(line: String) -> Mistake {
        Mistake { shown: format!("error: {line}"), line }
    }
}

/// Reads, compiles and tries what a configuration asks for.
///
/// # Errors
/// [`RulesError`]: a folder cannot be read, a file has mistakes, an example does not hold, or the policy
/// names an unknown rule.
pub fn compile(asked: &Redaction) -> Result<Arc<RuleSet>, RulesError> {
    if asked.packs == [PackRef::Builtin] {
        return load(&asked.packs, &asked.policy, &mut |_| {}).map(Arc::new);
    }
    let mut rules = gather(&asked.packs, &builtin_with_examples)?;
    let mut mistakes = try_examples(&rules);
    // They have done their work and would only take memory.
    rules.iter_mut().for_each(|rule| rule.tests = Vec::new());
    match finish(rules, &asked.policy) {
        Ok(set) if mistakes.is_empty() => return Ok(Arc::new(set)),
        Ok(_) => {}
        Err(RulesError(more)) => mistakes.extend(more),
    }
    mistakes.dedup();
    Err(RulesError(mistakes))
}

/// Reads the packs in their order and compiles them under a policy; `change` may change each rule before.
/// Examples are read and not run.
///
/// # Errors
/// Those of [`compile`] but for examples; also two packs of one name, or two rules of one id, on one level,
/// where neither comes later than the other.
pub fn load(packs: &[PackRef], policy: &Policy, change: &mut dyn FnMut(&mut Rule)) -> Result<RuleSet, RulesError> {
    let mut rules = gather(packs, &builtin::rules)?;
    rules.iter_mut().for_each(change);
    finish(rules, policy)
}

/// What is wrong with what a configuration asks for that has mistakes of its own.
pub fn mistakes(asked: &Redaction) -> Vec<Mistake> {
    compile(asked).err().map(|error| error.0).unwrap_or_default()
}

fn builtin_with_examples() -> Vec<Rule> {
    builtin::packs().into_iter().flat_map(|pack| pack.rules).collect()
}

/// The rules of all packs, later ones over earlier ones.
fn gather(packs: &[PackRef], builtin: &dyn Fn() -> Vec<Rule>) -> Result<Vec<Rule>, RulesError> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut mistakes = Vec::new();
    for pack in packs {
        let level = match pack {
            PackRef::Builtin => builtin(),
            PackRef::Folder(path) => folder(path, &mut mistakes),
        };
        overlay(&mut rules, level);
    }
    if mistakes.is_empty() { Ok(rules) } else { Err(RulesError(mistakes)) }
}

fn finish(mut rules: Vec<Rule>, policy: &Policy) -> Result<RuleSet, RulesError> {
    let mut mistakes = unknown(&rules, "disable", policy.disable.iter());
    mistakes.extend(unknown(&rules, "allow", policy.allow.iter().filter_map(|allow| allow.rule.as_ref())));
    mistakes.extend(unknown(&rules, "enforce", policy.enforce.iter()));
    mistakes.extend(unknown(&rules, "keys", policy.keys.iter().map(|more| &more.rule)));
    let refused = adjust(&mut rules, policy).into_iter();
    mistakes.extend(refused.map(|why| Mistake::plain(format!("redaction.keys: {why}"))));
    if !mistakes.is_empty() {
        return Err(RulesError(mistakes));
    }
    let mut policy = policy.clone();
    drop_ended(&mut rules, &mut policy, today());
    RuleSet::compile(rules, &policy).map_err(|error| RulesError(vec![Mistake::plain(error.to_string())]))
}

/// Names in the policy that no rule has.
fn unknown<'a>(rules: &[Rule], setting: &str, ids: impl Iterator<Item = &'a String>) -> Vec<Mistake> {
    let known = || rules.iter().map(|rule| rule.id.as_str());
    ids.filter(|id| !known().any(|known| known == id.as_str()))
        .map(|id| {
            let help = crate::strict_yaml::nearest(id, known()).map(|name| format!("; did you mean '{name}'?"));
            Mistake::plain(format!("redaction.{setting}: there is no rule '{id}'{}", help.unwrap_or_default()))
        })
        .collect()
}

/// Runs every example of every rule, in every carrier, with all rules in force.
fn try_examples(rules: &[Rule]) -> Vec<Mistake> {
    let report = match rule_test::run(rules) {
        Ok(report) => report,
        Err(error) => return vec![Mistake::plain(error.to_string())],
    };
    let broken = report.rules.iter().zip(rules).filter(|(outcome, _)| !outcome.failures.is_empty());
    broken.map(|(outcome, rule)| broken_promise(outcome, rule)).collect()
}

/// Examples are the author's own text, but only `logveil rules test` shows them.
fn broken_promise(outcome: &RuleOutcome, rule: &Rule) -> Mistake {
    let mut checks: Vec<&str> = outcome.failures.iter().map(|failure| failure.check).collect();
    checks.dedup();
    let mut by: Vec<&str> = outcome.failures.iter().flat_map(|failure| &failure.by).map(String::as_str).collect();
    by.sort_unstable();
    by.dedup();
    let by = if by.is_empty() { String::new() } else { format!("; masked there: {}", by.join(", ")) };
    let (origin, count) = (&rule.origin, outcome.failures.len());
    Mistake::plain(format!(
        "{}:{}: {}: {count} of its examples do not hold ({}){by}; run: logveil rules test",
        origin.file,
        origin.line,
        rule.id,
        checks.join(", ")
    ))
}

/// The rules of a folder or file; what is wrong with them is added to `mistakes`.
fn folder(path: &Path, mistakes: &mut Vec<Mistake>) -> Vec<Rule> {
    let files = match rules_dir::read(path) {
        Ok(files) => files,
        Err(error) => {
            mistakes.push(Mistake::plain(error.to_string()));
            return Vec::new();
        }
    };
    let mut packs = Vec::new();
    for file in files {
        let loaded = rule_file::load(&file.file, &file.text);
        let errors = loaded.problems.iter().filter(|problem| problem.severity == Severity::Error);
        mistakes.extend(
            errors.map(|problem| Mistake { line: problem.to_string(), shown: problem.render(&file.text, false) }),
        );
        packs.push((file.file, loaded.pack));
    }
    mistakes.extend(same_names(&packs));
    let rules: Vec<Rule> = packs.into_iter().flat_map(|(_, pack)| pack.rules).collect();
    mistakes.extend(twice(&rules).map(|(_, message)| Mistake::plain(message)));
    rules
}

/// Packs of one level that share a name: a rule's pack would not say which file it stands in.
fn same_names(packs: &[(String, Pack)]) -> impl Iterator<Item = Mistake> {
    packs.iter().enumerate().filter_map(|(place, (file, pack))| {
        let (first, _) = packs[..place].iter().find(|(_, other)| other.name == pack.name && !pack.name.is_empty())?;
        let name = &pack.name;
        Some(Mistake::plain(format!("two packs are called '{name}': {first} and {file}; rename one, or list it later")))
    })
}

/// Rules of one level whose id another before them has, and what to say: nobody could tell which of them counts.
pub fn twice(level: &[Rule]) -> impl Iterator<Item = (&Rule, String)> {
    let mut known: HashMap<&str, &Rule> = HashMap::new();
    level.iter().filter_map(move |rule| {
        let first = known.insert(&rule.id, rule)?;
        let (one, two) = (&first.origin, &rule.origin);
        let message = format!(
            "two rules are called '{}': {}:{} and {}:{}; rename one, or put it in a later pack",
            rule.id, one.file, one.line, two.file, two.line
        );
        Some((rule, message))
    })
}

/// A rule of a later level replaces the one with the same id, in its place. One that is in shadow does not
/// take the place of one in force: it runs beside it.
fn overlay(rules: &mut Vec<Rule>, more: Vec<Rule>) {
    for mut rule in more {
        let beside = format!("{}{BESIDE}", rule.id);
        let place = rules.iter().position(|known| known.id == rule.id);
        let in_force = place.is_some_and(|at| rules[at].stage == Stage::Enforce);
        rules.retain(|known| known.id != beside);
        match place {
            Some(at) if in_force && rule.stage == Stage::Shadow => {
                rule.id = beside;
                rules.insert(at + 1, rule);
            }
            Some(at) => rules[at] = rule,
            None => rules.push(rule),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::policy::MoreKeys;
    use crate::redact::rule::{Allow, AllowTest};
    use crate::redact::{Redactor, StreamState};

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

    fn told(error: &RulesError) -> String {
        error.0.iter().map(|mistake| mistake.line.clone() + "\n").collect()
    }

    fn refs(paths: &[&Path]) -> Vec<PackRef> {
        paths.iter().map(|path| PackRef::Folder(path.to_path_buf())).collect()
    }

    #[test]
    fn own_keys_are_found_and_shadow_rules_enforced() {
        let builtin = [PackRef::Builtin];
        let more = |rule: &str, word: &str| MoreKeys { rule: rule.into(), words: vec![word.into()] };
        let load = |keys| {
            let policy = Policy { enforce: vec!["customer-id".into()], keys: vec![keys], ..Policy::default() };
            load(&builtin, &policy, &mut |_| {})
        };
        let mut redactor = Redactor::new(Arc::new(load(more("customer-id", "numer kontrahenta")).unwrap()));
        let (text, mut out) = (b"numerKontrahenta=K-448812 customer_id=cus-17 order=7", Vec::new());
        redactor
            .redact(&mut StreamState::default(), text, &[text.len() as u32], &mut |record| record.write_to(&mut out));
        assert_eq!(String::from_utf8(out).unwrap(), "numerKontrahenta=[customer-id] customer_id=[customer-id] order=7");
        for (keys, why) in [(more("email", "x"), "looks for no keys"), (more("customer", "x y"), "there is no rule")] {
            let error = load(keys).err().unwrap().0[0].shown.clone();
            assert!(error.contains("redaction.keys") && error.contains(why), "{error}");
        }
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
        let error = told(&load(allow(Some("emial"), None)).err().unwrap());
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
            .unwrap_or_else(|error| panic!("{}", told(&error)));
        let from: Vec<(&str, &str)> = set.rules().iter().map(|rule| (&*rule.id, &*rule.origin.pack)).collect();
        assert_eq!(from, [("badge", "two"), ("other", "one")]);
        let alone = load(&refs(&[&one]), &Policy::default(), &mut |_| {}).unwrap();
        assert_ne!(set.fingerprint(), alone.fingerprint());
        std::fs::write(two.join("b.yaml"), pack("three", &["badge"])).unwrap();
        let error = told(&load(&refs(&[&one, &two]), &Policy::default(), &mut |_| {}).err().unwrap());
        assert!(error.contains("two rules are called 'badge'") && error.contains("b.yaml"), "{error}");
    }

    #[test]
    fn two_packs_of_one_name_on_one_level_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (level, later) = (folder.path().join("level"), folder.path().join("later"));
        for path in [&level, &later] {
            std::fs::create_dir(path).unwrap();
            std::fs::write(path.join("a.yaml"), pack("acme", &["badge"])).unwrap();
        }
        assert!(load(&refs(&[&level, &later]), &Policy::default(), &mut |_| {}).is_ok(), "levels overlay");
        std::fs::write(level.join("b.yaml"), pack("acme", &["other"])).unwrap();
        let error = told(&load(&refs(&[&level]), &Policy::default(), &mut |_| {}).err().unwrap());
        assert!(error.contains("two packs are called 'acme'") && error.contains("b.yaml"), "{error}");
    }

    #[test]
    fn rules_whose_examples_do_not_hold_are_no_set() {
        let folder = tempfile::tempdir().unwrap();
        let good = pack("acme", &["badge"]);
        std::fs::write(folder.path().join("a.yaml"), &good).unwrap();
        let try_now = || try_examples(&gather(&refs(&[folder.path()]), &builtin::rules).unwrap());
        assert!(try_now().is_empty());
        std::fs::write(folder.path().join("a.yaml"), good.replace("x [badge]", "x [bandage]")).unwrap();
        let error = told(&RulesError(try_now()));
        assert!(error.contains("a.yaml:4: badge: 1 of its examples do not hold (example)"), "{error}");
    }

    #[test]
    fn a_new_form_in_shadow_runs_beside_the_one_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let levels = ["one", "two", "three"].map(|name| folder.path().join(name));
        let shadow =
            |name: &str| pack(name, &["badge"]).replace("    mask: label\n", "    mask: label\n    stage: shadow\n");
        for (path, text) in
            levels.iter().zip([pack("one", &["badge", "other"]), shadow("two"), pack("three", &["badge"])])
        {
            std::fs::create_dir(path).unwrap();
            std::fs::write(path.join("a.yaml"), text).unwrap();
        }
        let of = |paths: &[&Path]| {
            let set = load(&refs(paths), &Policy::default(), &mut |_| {}).unwrap();
            let rules = set.rules().iter().map(|rule| (rule.id.clone(), rule.origin.pack.clone(), rule.stage));
            rules.collect::<Vec<_>>()
        };
        let told = |id: &str, pack: &str, stage| (id.to_owned(), pack.to_owned(), stage);
        let [one, two, three] = levels.each_ref().map(|path| path.as_path());
        let wanted = [
            told("badge", "one", Stage::Enforce),
            told("badge@shadow", "two", Stage::Shadow),
            told("other", "one", Stage::Enforce),
        ];
        assert_eq!(of(&[one, two]), wanted);
        assert_eq!(of(&[one, two, three])[0], told("badge", "three", Stage::Enforce));
        assert_eq!(of(&[one, two, three]).len(), 2, "the next form in force ends the trial");
        let rules = gather(&refs(&[one, two]), &builtin::rules).unwrap();
        assert!(try_examples(&rules).is_empty(), "each form keeps its own word");
        let off = Policy { disable: vec!["badge".into()], ..Policy::default() };
        assert_eq!(load(&refs(&[one, two]), &off, &mut |_| {}).unwrap().len(), 1);
    }
}
