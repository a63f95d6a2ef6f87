//! The rules of a configuration, read again while the agent runs: packs and the section `redaction`.
//!
//! Everything else of the file holds from the start of the agent to its end; what was changed there is named,
//! so that nobody takes a reload for a restart.

use super::rules;
use super::settings::PackRef;
use super::{Config, Depth, Loaded};
use crate::agent::reload::{Proposal, RuleSource};
use crate::rules_dir::Look;
use crate::strict_yaml::{self, Node, Problems, Severity, Value};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The section that a reload takes over.
const LIVE: &str = "redaction";

/// Where the rules of a running agent come from.
pub struct ConfiguredRules {
    path: PathBuf,
    /// The text that the agent was started with.
    started_with: String,
    packs: Mutex<Vec<PackRef>>,
}

impl ConfiguredRules {
    /// The rules of a configuration that was loaded.
    pub fn new(loaded: &Loaded, config: &Config) -> ConfiguredRules {
        ConfiguredRules {
            path: loaded.path.clone(),
            started_with: loaded.text.clone(),
            packs: Mutex::new(config.redaction.packs.clone()),
        }
    }
}

impl RuleSource for ConfiguredRules {
    fn look(&self) -> Look {
        let packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        let folders = packs.iter().filter_map(|pack| match pack {
            PackRef::Builtin => None,
            PackRef::Folder(path) => Some(path.as_path()),
        });
        Look::at(std::iter::once(self.path.as_path()).chain(folders))
    }

    fn load(&self) -> Result<Proposal, Vec<String>> {
        let lines = |mistakes: Vec<rules::Mistake>| mistakes.into_iter().map(|mistake| mistake.line);
        let unreadable = |error| vec![format!("cannot read {}: {error}", self.path.display())];
        let loaded = super::load(&self.path, Depth::Text).map_err(unreadable)?;
        let Some(config) = loaded.config else {
            let errors = loaded.problems.iter().filter(|problem| problem.severity == Severity::Error);
            let of_rules = loaded.redaction.as_ref().map(rules::mistakes).unwrap_or_default();
            return Err(errors.map(ToString::to_string).chain(lines(of_rules)).collect());
        };
        *self.packs.lock().unwrap_or_else(PoisonError::into_inner) = config.redaction.packs.clone();
        Ok(Proposal {
            rules: rules::compile(&config.redaction).map_err(|error| lines(error.0).collect::<Vec<_>>())?,
            policy: config.redaction.policy,
            allow_loosening: config.allow_loosening,
            needs_restart: changed_sections(&self.path, &self.started_with, &loaded.text),
        })
    }
}

/// Names of the sections that differ, but for the one that a reload takes over.
fn changed_sections(path: &Path, before: &str, after: &str) -> Vec<String> {
    let sections = |text: &str| {
        let root = strict_yaml::parse(text, &Problems::new(&path.display().to_string(), text));
        match root.map(|root| root.value) {
            Some(Value::Map(entries)) => entries,
            _ => Vec::new(),
        }
    };
    let (before, after) = (sections(before), sections(after));
    let mut names: Vec<String> = Vec::new();
    for (one, other) in [(&before, &after), (&after, &before)] {
        for entry in one.iter().filter(|entry| entry.key != LIVE) {
            let same = other.iter().any(|found| found.key == entry.key && says_the_same(&found.value, &entry.value));
            if !same && !names.contains(&entry.key) {
                names.push(entry.key.clone());
            }
        }
    }
    names
}

/// True when the two differ in nothing but their places.
fn says_the_same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| says_the_same(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(a, b)| a.key == b.key && says_the_same(&a.value, &b.value))
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_that_need_a_restart_are_named() {
        let before = "version: 1\nregion: eu\ntags: [env:a]\nredaction: {packs: [builtin]}\n";
        let changed = |after: &str| changed_sections(Path::new("x"), before, after).join(" ");
        assert_eq!(changed("# a comment\nversion: 1\nredaction: {}\nregion: eu\ntags:\n  - env:a\n"), "");
        assert_eq!(changed("version: 1\nregion: us\ntags: [env:a, b:c]\nspool: {}\n"), "region tags spool");
        assert_eq!(changed("version: 1\n"), "region tags");
    }
}
