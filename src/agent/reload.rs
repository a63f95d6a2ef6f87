//! The rule set in force, replaceable while everything runs.
//!
//! A worker looks once a chunk: a batch never holds records of two rule sets. Waiting batches that an older
//! set masked are masked once more by the shipper before they leave.

use crate::redact::RuleSet;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// A handle on the rule set in force; clones share it.
#[derive(Clone)]
pub struct LiveRules(Arc<ArcSwap<RuleSet>>);

impl LiveRules {
    /// The rule set in force.
    pub fn current(&self) -> Arc<RuleSet> {
        self.0.load_full()
    }

    /// Puts another rule set in force.
    pub fn replace(&self, rules: Arc<RuleSet>) {
        self.0.store(rules);
    }
}

impl From<Arc<RuleSet>> for LiveRules {
    fn from(rules: Arc<RuleSet>) -> Self {
        LiveRules(Arc::new(ArcSwap::new(rules)))
    }
}
