//! `logveil run`: the agent in the foreground, until a signal.

use super::configured::{self, ConfigFile};
use super::exit;
use crate::agent::reload::{self, Outcome, RuleSource};
use crate::agent::{self, LiveRules, Progress};
use crate::config::{Config, ConfiguredRules, Depth, reach};
use crate::hardening::{self, Applied};
use crate::rules_dir::Look;
use crate::telemetry::LogRules;
use crate::{admin, telemetry};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;

/// Tail, mask and ship until a signal comes.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
}

/// Runs the agent; 0 after a stop that was asked for.
pub fn run(args: Args) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::fail(exit::UNREACHABLE, format_args!("[LV0401] cannot start: {error}")),
    };
    // Before anything else: a reload that is asked for while we start must not end us.
    let asked = match runtime.block_on(async { reload::signalled() }) {
        Ok(asked) => asked,
        Err(error) => return deaf(&error),
    };
    let loaded = match args.config.load(Depth::Host) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let Some(config) = &loaded.config else { return ExitCode::from(exit::INVALID) };
    let source = ConfiguredRules::new(&loaded, config);
    // Before they are read: what changes from here on is another look.
    let seen = source.look();
    let live: LiveRules = match configured::rules(config) {
        Ok(rules) => rules.into(),
        Err(code) => return code,
    };
    let applied = hardening::apply(&config.agent.state_dir, &reach::paths(&loaded, config));
    let log = telemetry::install(config.log_level, config.log_format, live.current());
    let rules = Rules { source: Arc::new(source), seen, live, asked, log };
    runtime.block_on(async {
        match agent::stop_signal() {
            Ok(stop) => serve(config.clone(), rules, &applied, stop).await,
            Err(error) => deaf(&error),
        }
    })
}

fn deaf(error: &std::io::Error) -> ExitCode {
    exit::fail(exit::UNREACHABLE, format_args!("[LV0401] cannot listen to signals: {error}"))
}

/// The rules in force and everything that changes them.
struct Rules {
    source: Arc<ConfiguredRules>,
    /// What the files looked like when they were read.
    seen: Look,
    live: LiveRules,
    asked: Signal,
    /// The own log, which is masked by them too.
    log: LogRules,
}

async fn serve(config: Config, rules: Rules, applied: &Applied, signal: impl Future<Output = ()>) -> ExitCode {
    let (progress, live) = (Arc::new(Progress::default()), rules.live.clone());
    let facts = admin::Facts { region: config.region.name(), hardening: applied.to_string() };
    let health = admin::Health::new(facts, live.clone(), progress.clone());
    let admin = tokio::spawn(admin::serve(config.admin, Arc::new(health)));
    let Rules { source, seen, asked, log, .. } = rules;
    let own_log = tokio::spawn(follow(live.clone(), log));
    let reloading = reload::follow(source, seen, live.clone(), progress.clone(), asked, reloads, reloaded);
    let reloading = tokio::spawn(reloading);
    let (count, digest) = (live.current().len(), live.current().fingerprint());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), rules = count, %digest, hardening = %applied, "logveil starts");
    let manager = tokio::spawn(report(progress.clone(), sd_notify::watchdog_enabled()));
    let stop = async move {
        signal.await;
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        tracing::info!("stopping: what was read is made durable; a second signal ends at once");
    };
    let ended = agent::run(config.agent, live, progress.clone(), stop).await;
    admin.abort();
    reloading.abort();
    own_log.abort();
    manager.abort();
    match ended {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => exit::fail(exit::UNREACHABLE, format_args!("[LV0401] {error}")),
    }
}

/// Tells the service manager that a reload begins.
fn reloads() {
    let now = sd_notify::NotifyState::monotonic_usec_now().ok();
    let states: Vec<_> = std::iter::once(sd_notify::NotifyState::Reloading).chain(now).collect();
    let _ = sd_notify::notify(&states);
}

/// Keeps the own log masked by the rules in force, also when an exception has ended.
async fn follow(live: LiveRules, log: LogRules) {
    let mut changes = live.changes();
    while changes.changed().await.is_ok() {
        log.replace(live.current());
    }
}

/// Tells the service manager what became of a reload.
fn reloaded(outcome: &Outcome) {
    let status = match outcome {
        Outcome::Replaced(rules) => format!("rules {} in force, {} rules", rules.fingerprint(), rules.len()),
        Outcome::Same => "the rules are unchanged".to_owned(),
        Outcome::Refused(why) => why.clone(),
    };
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready, sd_notify::NotifyState::Status(&status)]);
}

/// Tells the service manager when the agent is up and, from then on, that it lives: not while a thread is stuck
/// in one piece of work. An intake that does not answer is no reason for a restart.
async fn report(progress: Arc<Progress>, watchdog: Option<Duration>) {
    progress.started.notified().await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let Some(patience) = watchdog else { return };
    let mut seen = Vec::new();
    loop {
        if progress.is_moving(&mut seen) {
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
        tokio::time::sleep(patience / 4).await;
    }
}
