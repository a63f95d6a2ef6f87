//! `logveil rules show ID --samples`: what the running agent has noted of a rule in shadow.

use super::configured::{self, ConfigFile};
use super::exit;
use super::marked_line::printable;
use crate::agent::shadow::{ShadowBook, Watched};
use crate::config::{self, Depth};
use crate::redact::rule::{BESIDE, Rule, Stage};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Shows counts and masked samples of the rule, and of a new form that runs in shadow beside it. 2 when no such
/// rule is in shadow, 4 when there is no agent's file.
pub(super) fn show(out: &mut dyn Write, id: &str, config: Option<PathBuf>, json: bool) -> io::Result<ExitCode> {
    let loaded = match config.map_or_else(ConfigFile::default, ConfigFile::named).load(Depth::Text) {
        Ok(loaded) => loaded,
        Err(code) => return Ok(code),
    };
    let Some(config) = loaded.config else { return Ok(ExitCode::from(exit::INVALID)) };
    let set = match config::rules::load(&config.redaction.packs, &config.redaction.policy, &mut |_| {}) {
        Ok(set) => set,
        Err(error) => return Ok(configured::show_mistakes(&error)),
    };
    let meant = |rule: &&Rule| rule.id == id || rule.id.strip_suffix(BESIDE) == Some(id);
    let rules: Vec<&Rule> = set.rules().iter().filter(meant).filter(|rule| rule.stage == Stage::Shadow).collect();
    if rules.is_empty() {
        return Ok(exit::fail(exit::USAGE, format_args!("no rule '{id}' is in shadow in {}", loaded.path.display())));
    }
    let state_dir = &config.agent.state_dir;
    let noted = match ShadowBook::read(state_dir) {
        Ok(noted) => noted,
        Err(error) => {
            let told = format!("no agent has noted anything in {}: {error}", state_dir.display());
            return Ok(exit::fail(exit::UNREACHABLE, told));
        }
    };
    for rule in rules {
        match json {
            true => print_json(out, rule, &noted)?,
            false => print(out, rule, noted.get(&rule.id))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the count and the samples of one rule.
pub(super) fn print(out: &mut dyn Write, rule: &Rule, noted: Option<&Watched>) -> io::Result<()> {
    writeln!(out, "{}  {}", rule.id, rule.title)?;
    let Some(watched) = noted.filter(|watched| watched.records > 0) else {
        return writeln!(out, "  in shadow; nothing seen yet");
    };
    let (first, last) = (time(watched.first), time(watched.last));
    writeln!(out, "  would mask something in {} records, from {first} to {last}", watched.records)?;
    for sample in &watched.samples {
        writeln!(out, "  {}  {}  {}", time(Some(sample.at)), sample.source, printable(sample.text.as_bytes()))?;
    }
    Ok(())
}

fn print_json(out: &mut dyn Write, rule: &Rule, noted: &BTreeMap<String, Watched>) -> io::Result<()> {
    let watched = noted.get(&rule.id).cloned().unwrap_or_default();
    let samples: Vec<_> = watched
        .samples
        .iter()
        .map(|sample| json!({"time": time(Some(sample.at)), "source": sample.source, "text": sample.text}))
        .collect();
    let times = [watched.first, watched.last].map(|at| at.map(|at| time(Some(at))));
    let told =
        json!({"rule": rule.id, "records": watched.records, "first": times[0], "last": times[1], "samples": samples});
    writeln!(out, "{told}")
}

/// Unix milliseconds for people, in UTC.
fn time(at: Option<i64>) -> String {
    let at = jiff::Timestamp::from_millisecond(at.unwrap_or_default()).unwrap_or_default();
    format!("{at:.0}")
}
