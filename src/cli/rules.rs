//! `logveil rules …`: what the rules are, whether they keep their word, and their way into force.

use super::exit::{self, fail};
use super::{junit, rules_new, rules_promote, shadow_samples};
use crate::config::rules::twice;
use crate::redact::rule::{Rule, RuleTest, Severity, Stage};
use crate::redact::rule_test::{self, Failure, Report};
use crate::redact::{builtin, catalogue, rule_file, rule_lint};
use crate::rules_dir;
use crate::strict_yaml;
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Yellow.on_default();
/// Failures shown in full; the rest is counted.
const SHOWN: usize = 50;

/// List, show, test, lint, draft and promote rules.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// List the rules: one line each, or a JSON array.
    List {
        /// A JSON array, one object a rule.
        #[arg(long)]
        json: bool,
        /// Rule file or folder; the built-in pack without it.
        path: Option<PathBuf>,
    },
    /// Show one rule with its examples.
    Show {
        /// Id of the rule.
        id: String,
        /// As a JSON object.
        #[arg(long)]
        json: bool,
        /// Show what the running agent has noted of the rule in shadow: a count and masked samples.
        #[arg(long, conflicts_with = "path")]
        samples: bool,
        /// Configuration of that agent; without it $LOGVEIL_CONFIG, then /etc/logveil/logveil.yaml.
        #[arg(long, value_name = "FILE", requires = "samples")]
        config: Option<PathBuf>,
        /// Rule file or folder; the built-in pack without it.
        path: Option<PathBuf>,
    },
    /// Run every example, in every carrier, and every negative against all rules.
    Test {
        /// Rule file or folder; the built-in pack without it.
        path: Option<PathBuf>,
        /// Results as JSON.
        #[arg(long)]
        json: bool,
        /// Also write the results as JUnit XML.
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
    },
    /// Say what is wrong or weak: every mistake of every file in one run.
    Lint {
        /// Rule file or folder; the built-in pack without it.
        path: Option<PathBuf>,
        /// Results as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Draft a rule from pasted samples.
    New(rules_new::Args),
    /// Take a rule out of shadow into force.
    Promote(rules_promote::Args),
    /// Print the catalogue of the built-in pack as Markdown.
    #[command(hide = true)]
    Catalogue,
}

/// Runs the command.
pub fn run(args: Args) -> ExitCode {
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let done = match args.command {
        Command::List { json, path } => with_rules(path.as_deref(), |rules| list(&mut out, rules, json)),
        Command::Show { id, json, samples: true, config, .. } => shadow_samples::show(&mut out, &id, config, json),
        Command::Show { id, json, path, .. } => with_rules(path.as_deref(), |rules| show(&mut out, rules, &id, json)),
        Command::Test { path, json, junit } => {
            with_rules(path.as_deref(), |rules| test(&mut out, rules, json, junit.as_deref()))
        }
        Command::Lint { path, json } => lint(&mut out, path.as_deref(), json),
        Command::New(args) => rules_new::run(&mut out, &args),
        Command::Promote(args) => rules_promote::run(&mut out, &args),
        Command::Catalogue => write!(out, "{}", catalogue::markdown(&builtin::packs())).map(|()| ExitCode::SUCCESS),
    };
    match done.and_then(|code| out.flush().map(|()| code)) {
        Ok(code) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(exit::UNREACHABLE, format!("cannot write: {error}")),
    }
}

/// The rules of a path, or of the built-in pack; mistakes of the files go to standard error with carets.
fn with_rules(path: Option<&Path>, then: impl FnOnce(&[Rule]) -> io::Result<ExitCode>) -> io::Result<ExitCode> {
    let Some(path) = path else {
        let rules: Vec<Rule> = builtin::packs().into_iter().flat_map(|pack| pack.rules).collect();
        return then(&rules);
    };
    let files = match rules_dir::read(path) {
        Ok(files) => files,
        Err(error) => return Ok(fail(exit::UNREACHABLE, error)),
    };
    let mut rules = Vec::new();
    let mut wrong = 0;
    for file in &files {
        let loaded = rule_file::load(&file.file, &file.text);
        for problem in &loaded.problems {
            wrong += usize::from(problem.severity == strict_yaml::Severity::Error);
            writeln!(anstream::stderr(), "{}\n", problem.render(&file.text, true))?;
        }
        rules.extend(loaded.pack.rules);
    }
    if let Some((_, message)) = twice(&rules).next() {
        return Ok(fail(exit::INVALID, message));
    }
    if wrong > 0 {
        return Ok(fail(exit::INVALID, format!("{wrong} mistakes in {} files", files.len())));
    }
    then(&rules)
}

fn list(out: &mut dyn Write, rules: &[Rule], json: bool) -> io::Result<ExitCode> {
    if json {
        let list: Vec<Value> = rules.iter().map(summary).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list).map_err(io::Error::other)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let wide = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in rules {
        let shadow = if rule.stage == Stage::Shadow { " (shadow)" } else { "" };
        writeln!(
            out,
            "{:wide$}  {:<10}  {:<12}  {}{shadow}",
            rule.id,
            catalogue::class(rule),
            catalogue::form(rule),
            rule.title
        )?;
    }
    writeln!(out, "{} rules", rules.len())?;
    Ok(ExitCode::SUCCESS)
}

fn summary(rule: &Rule) -> Value {
    let positive = rule.tests.iter().filter(|test| matches!(test, RuleTest::Changes { .. })).count();
    json!({
        "id": rule.id,
        "title": rule.title,
        "pack": rule.origin.pack,
        "class": catalogue::class(rule),
        "severity": severity(rule),
        "label": rule.label,
        "form": catalogue::form(rule),
        "becomes": catalogue::becomes(rule).replace('`', ""),
        "stage": if rule.stage == Stage::Shadow { "shadow" } else { "enforce" },
        "since": rule.since,
        "reference": rule.reference,
        "examples": {"positive": positive, "negative": rule.tests.len() - positive},
        "file": rule.origin.file,
        "line": rule.origin.line,
    })
}

fn severity(rule: &Rule) -> &'static str {
    match rule.severity {
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
    }
}

fn show(out: &mut dyn Write, rules: &[Rule], id: &str, json: bool) -> io::Result<ExitCode> {
    let Some(rule) = rules.iter().find(|rule| rule.id == id) else {
        let near = strict_yaml::nearest(id, rules.iter().map(|rule| rule.id.as_str()));
        let hint = near.map_or("'logveil rules list' shows all".to_owned(), |near| format!("did you mean '{near}'?"));
        return Ok(fail(exit::USAGE, format!("no rule is called '{id}'; {hint}")));
    };
    if json {
        let mut object = summary(rule);
        object["tests"] = rule.tests.iter().map(example).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&object).map_err(io::Error::other)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{}  {}", rule.id, rule.title)?;
    writeln!(out, "  class     {} ({})", catalogue::class(rule), severity(rule))?;
    writeln!(out, "  finds by  {}", catalogue::form(rule))?;
    writeln!(out, "  becomes   {}", catalogue::becomes(rule).replace('`', ""))?;
    if !rule.check.is_empty() {
        writeln!(out, "  check     {}", rule.check.join(", "))?;
    }
    for (name, words) in [("near", &rule.near), ("not near", &rule.not_near)] {
        if let Some(words) = words {
            writeln!(out, "  {name:<8}  {} (within {})", words.words.join(", "), words.within)?;
        }
    }
    if !rule.reference.is_empty() {
        writeln!(out, "  source    {}", rule.reference)?;
    }
    writeln!(out, "  written   {}:{} ({})", rule.origin.file, rule.origin.line, rule.origin.pack)?;
    for test in &rule.tests {
        match test {
            RuleTest::Changes { input, output } => writeln!(out, "  in        {input}\n  out       {output}")?,
            RuleTest::Same(input) => writeln!(out, "  same      {input}")?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn example(test: &RuleTest) -> Value {
    match test {
        RuleTest::Changes { input, output } => json!({"in": input, "out": output}),
        RuleTest::Same(input) => json!({"same": input}),
    }
}

fn test(out: &mut dyn Write, rules: &[Rule], json: bool, to: Option<&Path>) -> io::Result<ExitCode> {
    let report = match rule_test::run(rules) {
        Ok(report) => report,
        Err(error) => return Ok(fail(exit::INVALID, error)),
    };
    if let Some(path) = to
        && let Err(error) = std::fs::write(path, junit::xml(rules, &report))
    {
        return Ok(fail(exit::UNREACHABLE, format!("cannot write {}: {error}", path.display())));
    }
    let (passed, failed) = report.totals();
    if json {
        writeln!(out, "{}", report_json(&report))?;
    } else {
        for (rule, failure) in failures(&report).take(SHOWN) {
            show_failure(out, rule, failure)?;
        }
        if failed > SHOWN {
            writeln!(out, "… and {} more", failed - SHOWN)?;
        }
        let color = if failed == 0 { GOOD } else { BAD };
        writeln!(out, "{color}{} rules: {passed} passed, {failed} failed{color:#}", rules.len())?;
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FINDINGS) })
}

fn failures(report: &Report) -> impl Iterator<Item = (&str, &Failure)> {
    report.rules.iter().flat_map(|rule| rule.failures.iter().map(move |failure| (rule.id.as_str(), failure)))
}

fn show_failure(out: &mut dyn Write, rule: &str, failure: &Failure) -> io::Result<()> {
    writeln!(out, "{BAD}{rule}{BAD:#}  {}", failure.check)?;
    writeln!(out, "  in    {}", failure.input)?;
    writeln!(out, "  want  {}", failure.wanted)?;
    writeln!(out, "  got   {}", failure.got)?;
    if !failure.by.is_empty() {
        writeln!(out, "  by    {}", failure.by.join(", "))?;
    }
    Ok(())
}

fn report_json(report: &Report) -> Value {
    let (passed, failed) = report.totals();
    let list: Vec<Value> = failures(report)
        .map(|(rule, failure)| {
            json!({"rule": rule, "check": failure.check, "in": failure.input, "want": failure.wanted,
                   "got": failure.got, "by": failure.by})
        })
        .collect();
    json!({"rules": report.rules.len(), "passed": passed, "failed": failed, "failures": list})
}

fn lint(out: &mut dyn Write, path: Option<&Path>, json: bool) -> io::Result<ExitCode> {
    let files: Vec<(String, String)> = match path {
        None => builtin::FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        Some(path) => match rules_dir::read(path) {
            Ok(files) => files.into_iter().map(|file| (file.file, file.text)).collect(),
            Err(error) => return Ok(fail(exit::UNREACHABLE, error)),
        },
    };
    let mut notes: Vec<Value> = Vec::new();
    let mut rules: Vec<Rule> = Vec::new();
    for (file, text) in &files {
        let loaded = rule_file::load(file, text);
        for problem in &loaded.problems {
            let error = problem.severity == strict_yaml::Severity::Error;
            notes.push(json!({"file": file, "line": problem.line, "level": if error { "error" } else { "warning" },
                "rule": problem.subject, "message": problem.message, "help": problem.help}));
            if !json {
                writeln!(out, "{}\n", problem.render(text, true))?;
            }
        }
        rules.extend(loaded.pack.rules);
    }
    for (rule, message) in twice(&rules) {
        notes.push(json!({"file": rule.origin.file, "line": rule.origin.line, "level": "error", "rule": rule.id,
            "message": message, "help": null}));
        if !json {
            writeln!(out, "{BAD}error{BAD:#}: {message}\n")?;
        }
    }
    let errors = notes.iter().filter(|note| note["level"] == "error").count();
    let known: Vec<Rule> = builtin::packs().into_iter().flat_map(|pack| pack.rules).collect();
    match rule_lint::lint(&rules, &known) {
        Ok(advice) => notes.extend(advice.into_iter().map(|advice| {
            json!({"file": advice.file, "line": advice.line, "level": "warning", "rule": advice.rule,
                   "message": advice.message, "help": advice.help})
        })),
        Err(error) => return Ok(fail(exit::INVALID, error)),
    }
    show_notes(out, &notes, json)?;
    if !json {
        let warnings = notes.len() - errors;
        writeln!(out, "{} files, {} rules: {errors} errors, {warnings} warnings", files.len(), rules.len())?;
    }
    Ok(match (errors, notes.len()) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(exit::FINDINGS),
        _ => ExitCode::from(exit::INVALID),
    })
}

/// Advice, one line each; errors were shown with their carets.
fn show_notes(out: &mut dyn Write, notes: &[Value], json: bool) -> io::Result<()> {
    if json {
        return writeln!(out, "{}", Value::from(notes.to_vec()));
    }
    for note in notes.iter().filter(|note| note["level"] == "warning") {
        let text = |name: &str| note[name].as_str().unwrap_or_default().to_owned();
        writeln!(
            out,
            "{}:{} {NOTE}warning{NOTE:#} {}: {} ({})",
            text("file"),
            note["line"],
            text("rule"),
            text("message"),
            text("help")
        )?;
    }
    Ok(())
}
