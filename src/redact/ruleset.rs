//! The compiled rule set: immutable, shared as `Arc`, identified by its fingerprint.

use super::rule::RuleIndex;
use crate::record::Fingerprint;
use std::sync::Arc;

/// Rules compiled once, with every table the engine needs.
pub struct RuleSet {
    fingerprint: Fingerprint,
    ids: Vec<String>,
}

impl RuleSet {
    /// The pack compiled into the binary.
    pub fn builtin() -> Arc<RuleSet> {
        Arc::new(RuleSet { fingerprint: Fingerprint(0), ids: Vec::new() })
    }

    /// Digest over everything that decides what is masked.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True without rules.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The id of a rule, as written in its file.
    pub fn id(&self, rule: RuleIndex) -> &str {
        &self.ids[rule.0 as usize]
    }
}
