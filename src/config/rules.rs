//! The rules a configuration asks for: packs in their order, compiled under its policy. A rule of a later
//! pack replaces the one with the same id.

use super::settings::{Config, PackRef};
use crate::redact::rule::Rule;
use crate::redact::{RuleSet, builtin, rule_file};
use crate::rules_dir;
use crate::strict_yaml::Severity;
use std::sync::Arc;

/// Why there is no rule set; every mistake, ready to be shown.
#[derive(Debug)]
pub struct RulesError(pub Vec<String>);

/// Reads and compiles.
///
/// # Errors
/// [`RulesError`]: a folder cannot be read, a file has mistakes, or the policy names an unknown rule.
pub fn compile(config: &Config) -> Result<Arc<RuleSet>, RulesError> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut mistakes = Vec::new();
    for pack in &config.packs {
        match pack {
            PackRef::Builtin => overlay(&mut rules, builtin::packs().into_iter().flat_map(|pack| pack.rules)),
            PackRef::Folder(path) => match rules_dir::read(path) {
                Err(error) => mistakes.push(format!("error: {error}")),
                Ok(files) => {
                    for file in files {
                        let loaded = rule_file::load(&file.file, &file.text);
                        let errors = loaded.problems.iter().filter(|problem| problem.severity == Severity::Error);
                        mistakes.extend(errors.map(|problem| problem.render(&file.text, false)));
                        overlay(&mut rules, loaded.pack.rules.into_iter());
                    }
                }
            },
        }
    }
    for id in &config.policy.disable {
        if !rules.iter().any(|rule| rule.id == *id) {
            let near = crate::strict_yaml::nearest(id, rules.iter().map(|rule| rule.id.as_str()));
            let help = near.map(|name| format!("; did you mean '{name}'?")).unwrap_or_default();
            mistakes.push(format!("error: redaction.disable: there is no rule '{id}'{help}"));
        }
    }
    if !mistakes.is_empty() {
        return Err(RulesError(mistakes));
    }
    RuleSet::compile(rules, &config.policy).map(Arc::new).map_err(|error| RulesError(vec![format!("error: {error}")]))
}

fn overlay(rules: &mut Vec<Rule>, more: impl Iterator<Item = Rule>) {
    for rule in more {
        match rules.iter_mut().find(|known| known.id == rule.id) {
            Some(known) => *known = rule,
            None => rules.push(rule),
        }
    }
}
