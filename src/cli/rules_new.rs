//! `logveil rules new`: drafts a rule from pasted samples.

use super::exit;
use super::rule_choice::RuleChoice;
use crate::redact::draft::{self, Draft, Wish};
use crate::redact::rule_file::CLASSES;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Samples are read up to here, bytes.
const MOST: u64 = 1 << 20;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Id of the rule, also the label its masks show: small letters, digits and hyphens.
    id: String,
    /// Samples, one a line: the value, or a line with it, marked <<…>> where several could be meant. Without
    /// it standard input.
    samples: Option<PathBuf>,
    /// Class of what it finds.
    #[arg(long, value_name = "CLASS", default_value = "credential",
        value_parser = PossibleValuesParser::new(CLASSES.iter().map(|(name, _)| *name)))]
    class: String,
    /// Write the rule into a new file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// One JSON object.
    #[arg(long, conflicts_with = "out")]
    json: bool,
    #[command(flatten)]
    rules: RuleChoice,
}

/// Drafts: 2 when the samples give no rule, 4 when they cannot be read or the file cannot be written.
pub(super) fn run(out: &mut dyn Write, args: &Args) -> io::Result<ExitCode> {
    let samples = match read(args) {
        Ok(samples) => samples,
        Err(error) => return Ok(exit::fail(exit::UNREACHABLE, format_args!("cannot read the samples: {error}"))),
    };
    let known = match args.rules.load() {
        Ok(rules) => rules,
        Err(code) => return Ok(code),
    };
    let wish = Wish { id: &args.id, class: &args.class, since: env!("CARGO_PKG_VERSION") };
    let draft = match draft::draft(&samples, &wish, known.rules()) {
        Ok(draft) => draft,
        Err(refusal) => return Ok(exit::fail(exit::USAGE, refusal)),
    };
    if args.json {
        let told = json!({"rule": args.id, "finds": draft.finds, "samples": draft.samples, "notes": draft.notes,
            "yaml": draft.yaml});
        return writeln!(out, "{told}").map(|()| ExitCode::SUCCESS);
    }
    match &args.out {
        None => out.write_all(draft.yaml.as_bytes())?,
        Some(path) => {
            let written = OpenOptions::new().write(true).create_new(true).open(path);
            if let Err(error) = written.and_then(|mut file| file.write_all(draft.yaml.as_bytes())) {
                let told = format_args!("cannot write {}: {error}; a file is never overwritten", path.display());
                return Ok(exit::fail(exit::UNREACHABLE, told));
            }
        }
    }
    out.flush()?;
    told(args, &draft)
}

fn read(args: &Args) -> io::Result<String> {
    let mut text = String::new();
    match &args.samples {
        Some(path) => File::open(path)?.take(MOST).read_to_string(&mut text)?,
        None => {
            if io::stdin().is_terminal() {
                writeln!(anstream::stderr(), "paste samples, one a line; end with Ctrl-D:")?;
            }
            io::stdin().lock().take(MOST).read_to_string(&mut text)?
        }
    };
    Ok(text)
}

/// Says on standard error what was drafted and what comes next.
fn told(args: &Args, draft: &Draft) -> io::Result<ExitCode> {
    let mut err = anstream::stderr();
    let place = args.out.as_ref().map_or("FILE".to_owned(), |path| path.display().to_string());
    writeln!(err, "{} values; finds {}; its examples hold, in shadow", draft.samples, draft.finds)?;
    for note in &draft.notes {
        writeln!(err, "note: {note}")?;
    }
    writeln!(err, "next: logveil scan --shadow --rules builtin --rules {place} LOGS")?;
    Ok(ExitCode::SUCCESS)
}
