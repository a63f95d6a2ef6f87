//! `logveil check`: the whole truth about a configuration before it runs, on the same path as `run`.

use super::check_sources::{self, Verdict};
use super::configured::{self, ConfigFile};
use super::{admin_client, exit};
use crate::agent::{Output, TokenSettings};
use crate::config::rules::Mistake;
use crate::config::settings::PackRef;
use crate::config::{self, Config, Depth, Loaded};
use crate::keyring::Keyring;
use crate::redact::RuleSet;
use crate::sink::datadog::Datadog;
use crate::sink::http::Timeouts;
use crate::sink::{Outcome, Sink, datadog};
use crate::spool;
use crate::strict_yaml::Severity;
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// Check a configuration without starting anything.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Only the text and the rules: no secret, no folder, no network.
    #[arg(long, conflicts_with = "live")]
    offline: bool,
    /// Ask the running agent whether it is ready.
    #[arg(long)]
    live: bool,
    /// One JSON object.
    #[arg(long, conflicts_with = "live")]
    json: bool,
}

/// The table as it is printed, or kept for JSON.
#[derive(Default)]
struct Table {
    lines: usize,
    failed: usize,
    title: &'static str,
    json: Option<Vec<Value>>,
}

/// Runs the checks: 3 or 5 for the file, 4 when the target does not take records, 1 when a running agent is
/// not ready.
pub fn run(args: Args) -> ExitCode {
    let depth = if args.offline || args.live { Depth::Text } else { Depth::Host };
    let loaded = if args.json { args.config.read(depth) } else { args.config.load(depth) };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let Some(config) = &loaded.config else {
        let mistakes = configured::rule_mistakes(&loaded);
        let _ = writeln!(anstream::stdout(), "{}", as_json(&loaded, &[], loaded.errors(), &mistakes));
        return ExitCode::from(configured::unusable(&loaded, &mistakes).0);
    };
    if args.live {
        return live(config);
    }
    let table = Table { json: args.json.then(Vec::new), ..Table::default() };
    match config::rules::compile(&config.redaction) {
        Ok(rules) => report(&loaded, config, &rules, args.offline, table),
        Err(error) if args.json => {
            let _ = writeln!(anstream::stdout(), "{}", as_json(&loaded, &[], 0, &error.0));
            ExitCode::from(exit::INVALID)
        }
        Err(error) => configured::show_mistakes(&error),
    }
}

/// Everything that was found, for machines; mistakes of rules are errors too.
fn as_json(loaded: &Loaded, checks: &[Value], errors: usize, mistakes: &[Mistake]) -> Value {
    let mistakes: Vec<&str> = mistakes.iter().map(|mistake| mistake.line.as_str()).collect();
    let problems = loaded.problems.iter().map(|problem| {
        let error = problem.severity == Severity::Error;
        json!({"line": problem.line, "column": problem.column, "level": if error { "error" } else { "warning" },
            "message": problem.message, "help": problem.help})
    });
    json!({"config": loaded.path.display().to_string(), "checks": checks, "problems": problems.collect::<Vec<_>>(),
        "rule_mistakes": mistakes, "warnings": loaded.warnings(), "errors": errors + mistakes.len()})
}

fn report(loaded: &Loaded, config: &Config, rules: &RuleSet, offline: bool, mut table: Table) -> ExitCode {
    table.line("config", &loaded.path.display().to_string(), Verdict::Ok);
    let packs: Vec<String> = config.redaction.packs.iter().map(pack_name).collect();
    let about = format!("{}: {} rules, digest {:016x}", packs.join(" · "), rules.len(), rules.fingerprint().0);
    table.line("rules", &about, Verdict::Ok);
    for (about, verdict) in check_sources::examine(loaded, &config.agent, offline) {
        table.line("sources", &about, verdict);
    }
    let region = config.region.name();
    let place = match &config.site {
        Some(site) => format!("region {region}, site {site}"),
        None => format!("region {region}, no site: loopback, standard output or allowed by name"),
    };
    table.line("residency", &place, Verdict::Ok);
    if let Some(tokens) = &config.agent.tokens {
        let about = format!("keyring {}, region {}", tokens.path.display(), tokens.region);
        table.line("tokens", &about, keyring(tokens, offline));
    }
    let tag = &config.agent.retention;
    let verdict = Verdict::Skipped("not asked without an application key: logveil retention check");
    table.line("retention", &format!("{tag} on every record"), verdict);
    let spool = &config.agent.spool;
    let kind = if spool.kind == spool::Kind::Disk { "disk" } else { "memory" };
    let folder = config.agent.state_dir.display();
    let verdict = if offline { Verdict::Skipped("state directory not looked at") } else { Verdict::Ok };
    table.line("spool", &format!("{kind}, up to {} MiB, state in {folder}", spool.max_bytes >> 20), verdict);
    output(&mut table, config, offline);
    let (errors, warnings) = (table.failed, loaded.warnings());
    let _ = match &table.json {
        Some(checks) => writeln!(anstream::stdout(), "{}", as_json(loaded, checks, errors, &[])),
        None => writeln!(anstream::stdout(), "\n{} checks, {warnings} warnings, {errors} errors", table.lines),
    };
    if errors > 0 { ExitCode::from(exit::UNREACHABLE) } else { ExitCode::SUCCESS }
}

/// Whether the keyring mints now and holds nothing that should be gone.
fn keyring(tokens: &TokenSettings, offline: bool) -> Verdict {
    if offline {
        return Verdict::Skipped("keyring not looked at");
    }
    let ring = match Keyring::load_for(&tokens.path, tokens.region) {
        Ok(ring) => ring,
        Err(error) => return Verdict::Failed(error.to_string()),
    };
    let now = super::keyring_file::now();
    match (ring.active(now), ring.overdue(now).next()) {
        (Err(error), _) => Verdict::Failed(error.to_string()),
        (_, Some(key)) => Verdict::Failed(format!("the key of epoch {} should have been destroyed", key.epoch)),
        _ => Verdict::Ok,
    }
}

fn pack_name(pack: &PackRef) -> String {
    match pack {
        PackRef::Builtin => format!("builtin {}", env!("CARGO_PKG_VERSION")),
        PackRef::Folder(path) => path.display().to_string(),
    }
}

impl Table {
    fn line(&mut self, title: &'static str, about: &str, verdict: Verdict) {
        let shown = if self.title == title { "" } else { title };
        (self.title, self.lines) = (title, self.lines + 1);
        self.failed += usize::from(matches!(verdict, Verdict::Failed(_)));
        if let Some(checks) = &mut self.json {
            let (verdict, why) = match verdict {
                Verdict::Ok => ("ok", None),
                Verdict::Skipped(why) => ("skipped", Some(why.to_owned())),
                Verdict::Failed(why) => ("failed", Some(why)),
            };
            return checks.push(json!({"name": title, "about": about, "verdict": verdict, "why": why}));
        }
        let mut out = anstream::stdout().lock();
        let _ = match verdict {
            Verdict::Ok => writeln!(out, "{shown:<10} {about:<60} {GOOD}ok{GOOD:#}"),
            Verdict::Skipped(why) => writeln!(out, "{shown:<10} {about:<60} {DIM}skipped{DIM:#} ({why})"),
            Verdict::Failed(why) => writeln!(out, "{shown:<10} {about:<60} {BAD}failed{BAD:#}: {why}"),
        };
    }
}

fn output(table: &mut Table, config: &Config, offline: bool) {
    let Output::Datadog(settings) = &config.agent.output else {
        return table.line("output", "standard output", Verdict::Ok);
    };
    let origin = settings.origin.origin().ascii_serialization();
    if offline {
        return table.line("output", &origin, Verdict::Skipped("target and key not checked: --offline"));
    }
    let start = Instant::now();
    let verdict = probe((**settings).clone());
    let took = start.elapsed().as_millis();
    match verdict {
        Ok(()) => table.line("output", &format!("{origin} answered in {took} ms, key accepted"), Verdict::Ok),
        Err(why) => table.line("output", &origin, Verdict::Failed(format!("{why}; logveil explain LV0502"))),
    }
}

/// Asks the intake with the key, sending no record.
fn probe(settings: datadog::Settings) -> Result<(), String> {
    let times = Timeouts { connect: Duration::from_secs(5), answer: Duration::from_secs(10) };
    let mut sink =
        Datadog::new(datadog::Settings { timeouts: times, ..settings }).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    match runtime.block_on(sink.probe()) {
        Outcome::Delivered => Ok(()),
        Outcome::Held(reason) => Err(reason.to_string()),
        _ => Err(sink.last_error().unwrap_or("no answer").to_owned()),
    }
}

/// The running agent's own readiness, for use as a health check.
fn live(config: &Config) -> ExitCode {
    match admin_client::get(config.admin, "/readyz") {
        Err(error) => exit::fail(exit::UNREACHABLE, error),
        Ok((ready, text)) => {
            let _ = write!(anstream::stdout(), "{text}");
            if ready { ExitCode::SUCCESS } else { ExitCode::from(exit::FINDINGS) }
        }
    }
}
