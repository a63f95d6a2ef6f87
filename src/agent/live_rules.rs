//! The rule set in force, replaceable while everything runs.
//!
//! A worker looks once a chunk: a batch never holds records of two rule sets. Waiting batches that an older
//! set masked are masked once more by the shipper before they leave. An exception that ends while the agent
//! runs makes a new set: what waits in the spool loses it too.

use super::shadow::ShadowBook;
use crate::redact::RuleSet;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Between two looks at the date.
const EVERY: Duration = Duration::from_secs(60);

/// A handle on the rule set in force; clones share it.
#[derive(Clone)]
pub struct LiveRules {
    in_force: Arc<ArcSwap<InForce>>,
    shadow: ShadowBook,
    changed: watch::Sender<()>,
}

/// A rule set and since when it is in force.
pub struct InForce {
    rules: Arc<RuleSet>,
    /// Its rules in shadow as if they were in force, where there are any.
    trial: Option<Arc<RuleSet>>,
    since: SystemTime,
}

impl From<Arc<RuleSet>> for InForce {
    /// Compiles what is tried in shadow: not for the runtime's thread.
    fn from(rules: Arc<RuleSet>) -> InForce {
        let trial = rules.awakened().unwrap_or_else(|error| {
            tracing::error!(%error, "rules in shadow do not compile as rules in force; they give no samples");
            None
        });
        InForce { rules, trial: trial.map(Arc::new), since: SystemTime::now() }
    }
}

impl LiveRules {
    /// The rule set in force.
    pub fn current(&self) -> Arc<RuleSet> {
        self.in_force.load().rules.clone()
    }

    /// Since when it is in force.
    pub fn since(&self) -> SystemTime {
        self.in_force.load().since
    }

    /// What rules in shadow would have done.
    pub fn shadow(&self) -> &ShadowBook {
        &self.shadow
    }

    /// The rules in shadow of `rules` as if they were in force; none where there are none, or when `rules` are in
    /// force no more.
    pub(super) fn trial_of(&self, rules: &Arc<RuleSet>) -> Option<Arc<RuleSet>> {
        let now = self.in_force.load();
        now.trial.clone().filter(|_| Arc::ptr_eq(&now.rules, rules))
    }

    /// Puts another rule set in force.
    pub fn replace(&self, next: InForce) {
        self.shadow.follow(&next.rules);
        self.in_force.store(Arc::new(next));
        self.changed.send_replace(());
    }

    /// Hears of every change, whoever makes it.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Drops exceptions whose last day is over, until it is dropped itself.
    pub(super) async fn follow_days(self) {
        loop {
            let (rules, today) = (self.clone(), today());
            // Compiling takes longer than the runtime's thread may be away.
            let _ = tokio::task::spawn_blocking(move || rules.end_exceptions(today)).await;
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Replaces a set in which exceptions have ended before `today`. One that was put in force meanwhile stays.
    fn end_exceptions(&self, today: i64) {
        let current = self.in_force.load();
        match current.rules.without_ended(today) {
            Ok(None) => {}
            Ok(Some(rules)) => {
                self.in_force.compare_and_swap(&current, Arc::new(Arc::new(rules).into()));
                self.changed.send_replace(());
                tracing::info!("exceptions of the rules have ended; what they let through is masked from now on");
            }
            Err(error) => tracing::error!(%error, "the rules without their ended exceptions do not compile"),
        }
    }
}

impl From<Arc<RuleSet>> for LiveRules {
    fn from(rules: Arc<RuleSet>) -> Self {
        let shadow = ShadowBook::default();
        shadow.follow(&rules);
        LiveRules { in_force: Arc::new(ArcSwap::from_pointee(rules.into())), shadow, changed: watch::Sender::new(()) }
    }
}

/// Days since 1970-01-01, in UTC: the calendar by which exceptions end.
pub fn today() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| (since.as_secs() / 86_400) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::policy::Policy;
    use crate::redact::rule::{Allow, AllowTest};
    use crate::redact::{Redactor, StreamState, builtin};

    fn masked(live: &LiveRules) -> bool {
        let (text, mut masks) = (b"mail from noreply@acme.example", 0);
        let mut redactor = Redactor::new(live.current());
        redactor.redact(&mut StreamState::default(), text, &[text.len() as u32], &mut |record| masks = record.masks());
        masks > 0
    }

    #[test]
    fn an_exception_ends_after_its_last_day_in_the_running_agent() {
        let test = AllowTest::Exact("noreply@acme.example".into());
        let allow = Allow { test, rule: None, reason: "system sender".into(), until: Some(20_000) };
        let policy = Policy { allow: vec![allow], ..Policy::default() };
        let set = Arc::new(RuleSet::compile(builtin::rules(), &policy).unwrap());
        let live = LiveRules::from(set.clone());
        let changes = live.changes();
        live.end_exceptions(20_000);
        assert!(Arc::ptr_eq(&live.current(), &set) && !masked(&live) && !changes.has_changed().unwrap());
        live.end_exceptions(20_001);
        assert!(masked(&live) && changes.has_changed().unwrap(), "the own log hears of it too");
        let plain = RuleSet::compile(builtin::rules(), &Policy::default()).unwrap();
        assert_eq!(live.current().fingerprint(), plain.fingerprint(), "as after a restart on that day");
    }
}
