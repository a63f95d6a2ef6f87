//! `logveil run`: the agent in the foreground, until a signal.

use super::configured::{self, ConfigFile};
use super::exit;
use crate::agent::{self, Progress};
use crate::config::{Config, Depth};
use crate::hardening::{self, Applied};
use crate::redact::RuleSet;
use crate::{admin, telemetry};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Tail, mask and ship until a signal comes.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
}

/// Runs the agent; 0 after a stop that was asked for.
pub fn run(args: Args) -> ExitCode {
    let loaded = match args.config.load(Depth::Host) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let Some(config) = loaded.config else { return ExitCode::from(exit::INVALID) };
    match configured::rules(&config) {
        Ok(rules) => start(config, rules),
        Err(code) => code,
    }
}

fn start(config: Config, rules: Arc<RuleSet>) -> ExitCode {
    let applied = hardening::apply(&config.agent.state_dir);
    telemetry::install(config.log_level, config.log_format, rules.clone());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::fail(exit::UNREACHABLE, format_args!("[LV0401] cannot start: {error}")),
    };
    runtime.block_on(async {
        match agent::stop_signal() {
            Ok(stop) => serve(config, rules, &applied, stop).await,
            Err(error) => exit::fail(exit::UNREACHABLE, format_args!("[LV0401] cannot listen to signals: {error}")),
        }
    })
}

async fn serve(config: Config, rules: Arc<RuleSet>, applied: &Applied, signal: impl Future<Output = ()>) -> ExitCode {
    let progress = Arc::new(Progress::default());
    let facts = admin::Facts {
        region: config.region.name(),
        rules: rules.len(),
        fingerprint: format!("{:016x}", rules.fingerprint().0),
        hardening: applied.to_string(),
    };
    let admin = tokio::spawn(admin::serve(config.admin, Arc::new(admin::Health::new(facts, progress.clone()))));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), rules = rules.len(), hardening = %applied, "logveil starts");
    let manager = tokio::spawn(report(progress.clone(), sd_notify::watchdog_enabled()));
    let stop = async move {
        signal.await;
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        tracing::info!("stopping: what was read is made durable; a second signal ends at once");
    };
    let ended = agent::run(config.agent, rules, progress.clone(), stop).await;
    admin.abort();
    manager.abort();
    match ended {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => exit::fail(exit::UNREACHABLE, format_args!("[LV0401] {error}")),
    }
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
