//! Once a minute synthetic values of every class go through the rules in force; a miss turns readiness red.

use super::live_rules::LiveRules;
use super::progress::Progress;
use crate::redact::Redactor;
use crate::redact::selftest::{Round, round};
use std::sync::Arc;
use std::time::Duration;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(60);

/// Probes until it is dropped. The redaction itself runs on the blocking pool, never on the runtime's thread.
pub(super) async fn follow(rules: LiveRules, progress: Arc<Progress>) {
    loop {
        let rules = rules.current();
        let probed = tokio::task::spawn_blocking(move || {
            let mut seed = [0u8; 8];
            // Without randomness the values are the same each time: still a probe.
            let _ = getrandom::fill(&mut seed);
            round(&mut Redactor::new(rules), u64::from_le_bytes(seed))
        });
        match probed.await {
            Ok(round) => note(&round, &progress),
            Err(_) => {
                let (missed, classes) = (vec!["(the probe failed)"], vec![("none", [1, 1])]);
                note(&Round { sent: 1, missed, classes }, &progress);
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn note(round: &Round, progress: &Progress) {
    progress.add_probes(&round.classes);
    let missed = (!round.missed.is_empty()).then(|| format!("probes came out readable: {}", round.missed.join(", ")));
    if let Some(missed) = &missed {
        tracing::error!(code = "LV0303", missed, "self-test: synthetic values were not masked");
    }
    progress.set_selftest(missed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_is_counted_and_shown_until_it_is_gone() {
        let progress = Progress::default();
        note(&Round { sent: 8, missed: vec!["email"], classes: vec![("contact", [2, 1])] }, &progress);
        assert!(progress.selftest().is_some_and(|why| why.contains("email")));
        note(&Round { sent: 8, missed: Vec::new(), classes: vec![("contact", [2, 0])] }, &progress);
        assert_eq!(progress.selftest(), None);
        assert_eq!(progress.probes()["contact"], [4, 1]);
    }
}
