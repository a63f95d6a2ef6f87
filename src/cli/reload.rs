//! `logveil reload`: asks the running agent to read its rules again and says what became of it.
//!
//! The agent is found by the lock on its state directory and asked by SIGHUP; its admin endpoints say when the
//! reload has ended and how. Nothing but the signal is sent: there is no way to change rules over the network.

use super::configured::ConfigFile;
use super::{admin_client, exit};
use crate::agent::reload::refused_for_loosening;
use crate::config::{Config, Depth};
use crate::spool::inspect;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Between two questions.
const AGAIN: Duration = Duration::from_millis(100);

/// Ask the running agent to read its rules again, and say what became of it.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// The agent's process; without it the one that works with the configuration's state directory.
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pid: Option<i32>,
    /// Seconds to wait for the end of the reload.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    wait: u64,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// What the agent says of itself.
struct Told {
    /// Reloads that were asked for and have ended.
    ended: u64,
    digest: String,
    rules: u64,
    /// Why the last reload was refused.
    refused: Option<String>,
}

/// 0 when what the files say is in force, 3 when it was refused, 5 when it would make values visible, 4 when
/// there is no agent or it does not tell.
pub fn run(args: Args) -> ExitCode {
    let loaded = match args.config.load(Depth::Text) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let Some(config) = &loaded.config else { return ExitCode::from(exit::INVALID) };
    let state_dir = &config.agent.state_dir;
    let Some(pid) = args.pid.or_else(|| inspect::user(state_dir)).and_then(Pid::from_raw) else {
        let none = format_args!("no agent works with the state directory {}; --pid names one", state_dir.display());
        return exit::fail(exit::UNREACHABLE, none);
    };
    let before = ask(config);
    if let Err(error) = kill_process(pid, Signal::HUP) {
        let id = pid.as_raw_nonzero();
        return exit::fail(exit::UNREACHABLE, format_args!("cannot signal process {id}: {error}; as root or its user"));
    }
    let after =
        before.and_then(|before| wait(config, &before, Duration::from_secs(args.wait)).map(|after| (before, after)));
    match after {
        Ok((before, after)) => report(&before, &after, args.json),
        Err(why) => {
            exit::fail(exit::UNREACHABLE, format_args!("the agent was asked; what became of it is in its log: {why}"))
        }
    }
}

/// Asks until one more reload has ended.
fn wait(config: &Config, before: &Told, patience: Duration) -> Result<Told, String> {
    let until = Instant::now() + patience;
    loop {
        let now = ask(config)?;
        if now.ended != before.ended {
            return Ok(now);
        }
        if Instant::now() >= until {
            return Err(format!("it has not ended after {} s", patience.as_secs()));
        }
        std::thread::sleep(AGAIN);
    }
}

fn ask(config: &Config) -> Result<Told, String> {
    let metrics = admin_client::get(config.admin, "/metrics")?.1;
    let ready = admin_client::get(config.admin, "/readyz")?.1;
    let value = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    let digest = ready.split_once(" in force, digest ").and_then(|(_, rest)| rest.split(',').next());
    let refused = ready.lines().find_map(|line| line.strip_prefix("[-] rules: ")).map(str::to_owned);
    let strange = || format!("what answers at {} is no agent of this version", config.admin);
    Ok(Told {
        ended: value("logveil_rules_reload_requests_total ").ok_or_else(strange)?,
        rules: ["enforce", "shadow"]
            .into_iter()
            .map(|stage| value(&format!("logveil_rules_loaded{{stage=\"{stage}\"}} ")))
            .sum::<Option<_>>()
            .ok_or_else(strange)?,
        digest: digest.ok_or_else(strange)?.to_owned(),
        refused,
    })
}

fn report(before: &Told, after: &Told, json: bool) -> ExitCode {
    let outcome = match &after.refused {
        Some(_) => "refused",
        None if before.digest == after.digest => "same",
        None => "replaced",
    };
    let mut out = anstream::stdout().lock();
    let _ = match (json, outcome) {
        (true, _) => writeln!(
            out,
            "{}",
            json!({"outcome": outcome, "from": before.digest, "to": after.digest, "rules": after.rules,
                "why": after.refused})
        ),
        (false, "same") => writeln!(out, "digest {} stays in force: the files say the same", after.digest),
        (false, "replaced") => {
            let more = after.rules as i64 - before.rules as i64;
            writeln!(out, "digest {} → {}   {} rules in force ({more:+})", before.digest, after.digest, after.rules)
        }
        _ => writeln!(out, "digest {} stays in force", after.digest),
    };
    drop(out);
    match &after.refused {
        None => ExitCode::SUCCESS,
        Some(why) if refused_for_loosening(why) => exit::fail(exit::POLICY, format_args!("[LV0304] {why}")),
        Some(why) => exit::fail(exit::INVALID, format_args!("[LV0304] {why}")),
    }
}
