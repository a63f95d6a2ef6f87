//! Whether the agent does its job, condition by condition.

use crate::agent::{LiveRules, Progress};
use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Waiting batches without any acknowledgement for this long are no longer a hiccup.
const GRACE: Duration = Duration::from_secs(60);

/// What does not change while the agent runs.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Region of the configuration.
    pub region: &'static str,
    /// What the process has given up at its start.
    pub hardening: String,
}

/// Judges the agent from its counters.
pub struct Health {
    /// What does not change.
    pub facts: Facts,
    /// The rules in force.
    pub rules: LiveRules,
    /// The agent's counters.
    pub progress: Arc<Progress>,
    moved: Mutex<Moved>,
}

/// When delivery last moved, or had nothing to do.
struct Moved {
    delivered: u64,
    at: Instant,
}

/// One condition of readiness.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// Its name.
    pub name: &'static str,
    /// None when it holds, else why not.
    pub failed: Option<String>,
}

impl Health {
    /// Judges `rules` and `progress`.
    pub fn new(facts: Facts, rules: LiveRules, progress: Arc<Progress>) -> Health {
        Health { facts, rules, progress, moved: Mutex::new(Moved { delivered: 0, at: Instant::now() }) }
    }

    /// Every condition at `now`.
    pub fn conditions(&self, now: Instant) -> Vec<Condition> {
        let delivered = self.progress.batches_delivered.load(Ordering::Relaxed);
        let waiting = self.progress.spool_batches.load(Ordering::Relaxed);
        let still = {
            let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
            if delivered != moved.delivered || waiting == 0 {
                *moved = Moved { delivered, at: now };
            }
            now.saturating_duration_since(moved.at)
        };
        let stalled = (still >= GRACE)
            .then(|| format!("{waiting} batches wait; nothing was acknowledged for {} s", still.as_secs()));
        let no_rules = self.rules.current().is_empty().then(|| "no rule is loaded".to_owned());
        let closed: Vec<&str> =
            self.progress.sources().iter().filter(|s| !s.now().is_open()).map(|s| s.name.as_str()).collect();
        let closed = (!closed.is_empty())
            .then(|| format!("not all of it can be read: {}; the log says why (LV0801)", closed.join(", ")));
        vec![
            Condition { name: "rules", failed: no_rules.or_else(|| self.progress.reload()) },
            Condition { name: "spool", failed: self.progress.refusals() },
            Condition { name: "sources", failed: closed },
            Condition { name: "delivery", failed: self.progress.held() },
            Condition { name: "intake", failed: stalled },
            Condition { name: "tokens", failed: self.progress.tokens() },
            Condition { name: "selftest", failed: self.progress.selftest() },
        ]
    }

    /// True when every condition holds, and the list as text, one a line.
    pub fn report(&self, now: Instant) -> (bool, String) {
        let conditions = self.conditions(now);
        let mut text = String::new();
        for condition in &conditions {
            let _ = match &condition.failed {
                None => writeln!(text, "[+] {} ok", condition.name),
                Some(why) => writeln!(text, "[-] {}: {why}", condition.name),
            };
        }
        let (rules, since) = (self.rules.current(), jiff::Timestamp::try_from(self.rules.since()).unwrap_or_default());
        let _ = writeln!(text, "[i] rules: {} in force, digest {}, since {since:.0}", rules.len(), rules.fingerprint());
        let _ = writeln!(text, "[i] process: {}", self.facts.hardening);
        (conditions.iter().all(|condition| condition.failed.is_none()), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::RuleSet;

    fn health() -> Health {
        let facts = Facts { region: "eu", hardening: String::new() };
        Health::new(facts, RuleSet::builtin().into(), Arc::new(Progress::default()))
    }

    #[test]
    fn a_refused_reload_is_not_ready_until_one_succeeds() {
        let health = health();
        let digest = format!("digest {}", RuleSet::builtin().fingerprint());
        health.progress.set_reload(Some("acme.yaml:9: no such thing".into()));
        let (ready, text) = health.report(Instant::now());
        assert!(!ready && text.contains("[-] rules: acme.yaml:9: no such thing") && text.contains(&digest), "{text}");
        health.progress.set_reload(None);
        assert!(health.report(Instant::now()).0);
    }

    #[test]
    fn delivery_that_stands_still_is_not_ready() {
        let health = health();
        let start = Instant::now();
        assert!(health.report(start + 10 * GRACE).0, "nothing to do is fine");
        health.progress.spool_batches.store(2, Ordering::Relaxed);
        assert!(health.report(start + 10 * GRACE).0);
        let (ready, text) = health.report(start + 11 * GRACE);
        assert!(!ready && text.contains("[-] intake: 2 batches wait"), "{text}");
        health.progress.batches_delivered.store(1, Ordering::Relaxed);
        assert!(health.report(start + 11 * GRACE).0);
    }

    #[test]
    fn a_held_delivery_says_why() {
        let health = health();
        health.progress.set_held(Some("the key was refused".into()));
        let (ready, text) = health.report(Instant::now());
        assert!(!ready && text.contains("[-] delivery: the key was refused"), "{text}");
    }
}
