//! `logveil rules promote`: takes a rule out of shadow, where the running agent has seen what it would do.
//!
//! Only the stage is changed in the rule's file, everything else stays as it is written. Nothing is written unless
//! every example holds with the rule in force.

use super::configured::{self, ConfigFile};
use super::exit;
use super::shadow_samples;
use crate::agent::shadow::{ShadowBook, Watched};
use crate::config::settings::PackRef;
use crate::config::{self, Config, Depth};
use crate::durable;
use crate::redact::rule::{BESIDE, Rule, Stage};
use crate::redact::{RuleSet, rule_file, rule_test};
use crate::rules_dir;
use serde_json::json;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Id of the rule.
    id: String,
    /// Configuration of the agent; without it $LOGVEIL_CONFIG, then /etc/logveil/logveil.yaml.
    #[command(flatten)]
    config: ConfigFile,
    /// Also when the agent has not seen the rule at work.
    #[arg(long)]
    unseen: bool,
    /// Say what would be done, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Promotes: 1 when an example does not hold, 2 when no such rule of a folder is in shadow, 4 when the file cannot be
/// written, 5 when the agent has not seen the rule at work.
pub(super) fn run(out: &mut dyn Write, args: &Args) -> io::Result<ExitCode> {
    let loaded = match args.config.load(Depth::Text) {
        Ok(loaded) => loaded,
        Err(code) => return Ok(code),
    };
    let Some(config) = &loaded.config else { return Ok(ExitCode::from(exit::INVALID)) };
    let set = match config::rules::load(&config.redaction.packs, &config.redaction.policy, &mut |_| {}) {
        Ok(set) => set,
        Err(error) => return Ok(configured::show_mistakes(&error)),
    };
    let Some(rule) = in_shadow(&set, &args.id) else {
        return Ok(exit::fail(exit::USAGE, nothing_to_promote(&set, &args.id)));
    };
    let noted = ShadowBook::read(&config.agent.state_dir).unwrap_or_default().remove(&rule.id).unwrap_or_default();
    if noted.records == 0 && !args.unseen {
        let told = format_args!(
            "no agent has seen the rule '{}' at work, so nobody knows what it would mask; wait, or add --unseen",
            args.id
        );
        return Ok(exit::fail(exit::POLICY, told));
    }
    if let Some(why) = broken(&set, rule, &args.id) {
        return Ok(exit::fail(exit::FINDINGS, why));
    }
    match changed(config, rule) {
        Err(why) => Ok(exit::fail(exit::USAGE, why)),
        Ok((file, text)) => {
            if !args.dry_run
                && let Err(error) = write(Path::new(&file), &text)
            {
                return Ok(exit::fail(exit::UNREACHABLE, format_args!("cannot write {file}: {error}")));
            }
            report(out, args, rule, &noted, &file)
        }
    }
}

fn in_shadow<'s>(set: &'s RuleSet, id: &str) -> Option<&'s Rule> {
    let meant = |rule: &&Rule| rule.id == id || rule.id.strip_suffix(BESIDE) == Some(id);
    set.rules().iter().filter(meant).find(|rule| rule.stage == Stage::Shadow)
}

fn nothing_to_promote(set: &RuleSet, id: &str) -> String {
    match set.rules().iter().any(|rule| rule.id == id) {
        true => format!("the rule '{id}' is in force already"),
        false => {
            let near = crate::strict_yaml::nearest(id, set.rules().iter().map(|rule| rule.id.as_str()));
            let hint = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
            format!("no rule is called '{id}'{hint}")
        }
    }
}

/// The first example that does not hold with the rule in force, in place of a form that runs beside it.
fn broken(set: &RuleSet, promoted: &Rule, id: &str) -> Option<String> {
    let others = set.rules().iter().filter(|rule| rule.id != id && rule.id != promoted.id).cloned();
    let next = Rule { id: id.to_owned(), stage: Stage::Enforce, ..promoted.clone() };
    let rules: Vec<Rule> = others.chain([next]).collect();
    match rule_test::run(&rules) {
        Err(error) => Some(error.to_string()),
        Ok(report) => report.rules.iter().find(|outcome| !outcome.failures.is_empty()).map(|outcome| {
            let check = outcome.failures[0].check;
            format!("in force it breaks an example of '{}' ({check}); logveil rules test shows it", outcome.id)
        }),
    }
}

/// The rule's file and its text with the rule in force; an explanation where that is not for us to write.
fn changed(config: &Config, rule: &Rule) -> Result<(String, String), String> {
    let folders = config.redaction.packs.iter().filter_map(|pack| match pack {
        PackRef::Folder(path) => Some(path),
        PackRef::Builtin => None,
    });
    let id = rule.id.strip_suffix(BESIDE).unwrap_or(&rule.id);
    let files = folders.flat_map(|folder| rules_dir::read(folder).unwrap_or_default());
    let Some(file) = files.into_iter().find(|file| file.file == rule.origin.file) else {
        return Err(format!("'{id}' is a rule of the built-in pack; write redaction: {{enforce: [{id}]}} instead"));
    };
    let before = rule_file::load(&file.file, &file.text).pack.rules;
    let text = in_force(&file.text, rule.origin.line, &before);
    let by_hand = || format!("{}:{}: change 'stage: shadow' of '{id}' by hand", file.file, rule.origin.line);
    let text = text.ok_or_else(by_hand)?;
    let after = rule_file::load(&file.file, &text).pack.rules;
    let wanted = before.into_iter().map(|rule| match rule.id == id {
        true => Rule { stage: Stage::Enforce, ..rule },
        false => rule,
    });
    if after.into_iter().eq(wanted) { Ok((file.file, text)) } else { Err(by_hand()) }
}

/// The text with the one `stage: shadow` of the rule that begins at `line` changed.
fn in_force(text: &str, line: u32, rules: &[Rule]) -> Option<String> {
    let next = rules.iter().map(|rule| rule.origin.line).filter(|other| *other > line).min().unwrap_or(u32::MAX);
    let start_of = |line: u32| match line {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', text.as_bytes()).nth(line as usize - 2).map_or(text.len(), |at| at + 1),
    };
    let part = start_of(line)..start_of(next);
    let stage = regex::Regex::new(r#"\bstage:\s*(?P<stage>'shadow'|"shadow"|shadow)"#).ok()?;
    let mut found = stage.captures_iter(&text[part.clone()]).filter_map(|found| found.name("stage"));
    let place = found.next().filter(|_| found.next().is_none())?.range();
    let (from, to) = (part.start + place.start, part.start + place.end);
    Some(format!("{}enforce{}", &text[..from], &text[to..]))
}

/// Replaces the file, behind links too, with the rights it has.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let mode = fs::metadata(&path)?.permissions().mode() & 0o777;
    durable::replace(&path, text.as_bytes(), mode)
}

fn report(out: &mut dyn Write, args: &Args, rule: &Rule, noted: &Watched, file: &str) -> io::Result<ExitCode> {
    if args.json {
        let told = json!({"rule": args.id, "records": noted.records, "file": file, "written": !args.dry_run});
        return writeln!(out, "{told}").map(|()| ExitCode::SUCCESS);
    }
    shadow_samples::print(out, rule, Some(noted))?;
    let (verb, id) = (if args.dry_run { "would write" } else { "wrote" }, &args.id);
    writeln!(out, "{verb} {file}: {id} is in force (stage: enforce)")?;
    if !args.dry_run {
        writeln!(out, "the running agent takes it over by itself; logveil reload waits for it")?;
    }
    Ok(ExitCode::SUCCESS)
}
