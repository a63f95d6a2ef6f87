//! Another rule set while everything runs.
//!
//! A new set is read, compiled and tried aside, on a thread of its own; only a set that has passed everything
//! is put in force, as a whole. Whatever is wrong leaves the old set in force and is said in the own log, by a
//! counter and in `/readyz`, until a later reload succeeds.

use super::live_rules::{InForce, LiveRules};
use super::loosening;
pub use super::loosening::is_refusal as refused_for_loosening;
use super::progress::Progress;
use crate::redact::policy::Policy;
use crate::redact::rule::Rule;
use crate::redact::{Redactor, RuleSet, selftest};
use crate::rules_dir::Look;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(1);
/// Mistakes that are told one by one; the rest is counted.
const TOLD: usize = 5;

/// Where rules come from.
pub trait RuleSource: Send + Sync + 'static {
    /// What the files look like now. Cheap.
    fn look(&self) -> Look;

    /// Reads, compiles and tries everything.
    ///
    /// # Errors
    /// Every mistake, one a line.
    fn load(&self) -> Result<Proposal, Vec<String>>;
}

/// A rule set that could come into force.
pub struct Proposal {
    /// The set; every example of its rules holds.
    pub rules: Arc<RuleSet>,
    /// The policy it was compiled under.
    pub policy: Policy,
    /// Rules that may go out of force; `*`: any.
    pub allow_loosening: Vec<String>,
    /// Parts of the configuration that were changed and are not taken over.
    pub needs_restart: Vec<String>,
}

/// What became of a reload.
pub enum Outcome {
    /// Another set is in force.
    Replaced(Arc<RuleSet>),
    /// The files say what was in force already.
    Same,
    /// The old set stays in force; why.
    Refused(String),
}

/// Asks for a reload: SIGHUP.
///
/// # Errors
/// The signal cannot be watched.
pub fn signalled() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Reloads when `asked` and when the files have changed, until it is dropped. `seen` is what the files looked
/// like when the set in force was read. `begins` hears of every reload, `ended` what became of it.
pub async fn follow(
    source: Arc<dyn RuleSource>,
    mut seen: Look,
    live: LiveRules,
    progress: Arc<Progress>,
    mut asked: Signal,
    begins: impl Fn(),
    ended: impl Fn(&Outcome),
) {
    let (mut before, mut retired) = (seen.clone(), Vec::new());
    loop {
        let at_once = tokio::select! { Some(()) = asked.recv() => true, () = tokio::time::sleep(LOOK) => false };
        // Workers that have moved on hold the old set no more: it is freed here, not while they redact.
        retired.retain(|old| Arc::strong_count(old) > 1);
        let looking = source.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || looking.look()).await else { continue };
        // Somebody may still be writing: two looks that agree.
        let settled = now == std::mem::replace(&mut before, now.clone());
        if !at_once && (now == seen || !settled) {
            continue;
        }
        seen = now;
        begins();
        let old = live.current();
        let outcome = match aside(source.clone(), old.clone()).await {
            Ok((proposal, next)) => put_in_force(proposal, next, &live, &progress),
            Err(mistakes) => refuse(&mistakes, &progress),
        };
        if matches!(outcome, Outcome::Replaced(_)) {
            retired.push(old);
        }
        if at_once {
            Progress::add(&progress.rules_reload_requests, 1);
        }
        ended(&outcome);
    }
}

/// Loads and judges on a thread of its own, behind the threads that redact.
async fn aside(source: Arc<dyn RuleSource>, old: Arc<RuleSet>) -> Result<(Proposal, InForce), Vec<String>> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let work = move || {
        // Where the system refuses, it competes for the processor as every thread does.
        let _ = rustix::process::nice(10);
        let _ = tell.send(source.load().and_then(|proposal| judge(proposal, &old)));
    };
    match std::thread::Builder::new().name("reload".into()).spawn(work) {
        Ok(_) => told.await.unwrap_or_else(|_| Err(vec!["reading the rules panicked".to_owned()])),
        Err(error) => Err(vec![format!("cannot start a thread: {error}")]),
    }
}

/// What examples cannot show: probes of every class are masked, and no rule in force is lost.
fn judge(proposal: Proposal, old: &RuleSet) -> Result<(Proposal, InForce), Vec<String>> {
    let missed = selftest::round(&mut Redactor::new(proposal.rules.clone()), 1).missed;
    if !missed.is_empty() {
        return Err(vec![format!("probes came out readable: {}", missed.join(", "))]);
    }
    let lost = loosening::between(old, &proposal.rules, &proposal.policy, &proposal.allow_loosening);
    if !lost.is_empty() {
        return Err(vec![loosening::told(&lost)]);
    }
    let next = InForce::from(proposal.rules.clone());
    Ok((proposal, next))
}

fn put_in_force(proposal: Proposal, next: InForce, live: &LiveRules, progress: &Progress) -> Outcome {
    let (old, new) = (live.current(), proposal.rules);
    progress.set_reload(None);
    if !proposal.needs_restart.is_empty() {
        let sections = proposal.needs_restart.join(", ");
        tracing::warn!(sections, "the configuration was changed in parts that need a restart; only rules are reloaded");
    }
    if old.fingerprint() == new.fingerprint() {
        tracing::info!(digest = %new.fingerprint(), "rules were read again and say the same");
        return Outcome::Same;
    }
    live.replace(next);
    Progress::add(&progress.rules_reloads, 1);
    let (added, removed, changed) = compared(old.rules(), new.rules());
    let (from, to) = (old.fingerprint(), new.fingerprint());
    tracing::info!(%from, %to, added, removed, changed, rules = new.len(), "rules reloaded");
    Outcome::Replaced(new)
}

fn refuse(mistakes: &[String], progress: &Progress) -> Outcome {
    Progress::add(&progress.rules_reload_failures, 1);
    let more = mistakes.len().saturating_sub(TOLD);
    for why in mistakes.iter().take(TOLD) {
        tracing::error!(code = "LV0304", why, more, "reload refused; the rules in force stay");
    }
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    let told = mistakes.iter().take(TOLD).map(|line| line.replace('\n', " ")).collect::<Vec<_>>().join("; ");
    let why = format!("reload refused, the old rules stay in force: {told}{rest}");
    progress.set_reload(Some(why.clone()));
    Outcome::Refused(why)
}

/// How many rules are new, gone and different.
fn compared(old: &[Rule], new: &[Rule]) -> (usize, usize, usize) {
    let find = |rules: &'_ [Rule], id: &str| rules.iter().position(|rule| rule.id == id);
    let added = new.iter().filter(|rule| find(old, &rule.id).is_none()).count();
    let removed = old.iter().filter(|rule| find(new, &rule.id).is_none()).count();
    let differs = |rule: &&Rule| find(old, &rule.id).is_some_and(|at| !old[at].decides_like(rule));
    (added, removed, new.iter().filter(differs).count())
}
