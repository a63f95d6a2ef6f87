//! `logveil explain`: why a text is masked, or why not; and the page of an error code, offline.
//!
//! The line shown is the redacted one, with carets under the masks and tildes under what was looked at and
//! kept. The raw line is shown on a terminal only, and only with `--show-raw`; the redacted one then stands below.

use super::exit;
use super::keyring_file::Mint;
use super::marked_line::{Mark, MarkedLine};
use super::rule_choice::RuleChoice;
use crate::redact::RawLine;
use crate::redact::RuleSet;
use crate::redact::explain::{Explainer, Explanation, Shown};
use crate::redact::reason::{Fate, Seen};
use crate::telemetry::errors;
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const MASKED: Style = AnsiColor::Green.on_default();
const MISSED: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();
/// Standard input is read up to here, bytes: an explanation is for a few lines.
const MOST: u64 = 16 << 20;
/// The time told is that of the fastest pass among this many, begun within [`PATIENCE`].
const PASSES: usize = 16;
const PATIENCE: Duration = Duration::from_millis(50);

/// Explain what is masked in a text and why, or an error code.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The text, or an error code such as LV0203; without it standard input, line by line.
    text: Option<String>,
    /// List the error codes.
    #[arg(long, conflicts_with = "text")]
    codes: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Show the line as read; only on a terminal.
    #[arg(long, conflicts_with = "json")]
    show_raw: bool,
    /// Write tokens of this keyring's present key in place of labels of persons.
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
    #[command(flatten)]
    rules: RuleChoice,
}

/// Explains to the end; 2 when there is no such code, 5 when raw text was asked for where it would be kept.
pub fn run(args: Args) -> ExitCode {
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    if args.codes {
        for page in errors::pages() {
            let _ = writeln!(out, "{}", page.lines().next().unwrap_or_default().trim_start_matches("## "));
        }
        return ExitCode::SUCCESS;
    }
    if let Some(code) = args.text.as_deref().filter(|text| is_code(text)) {
        return match errors::page(code) {
            Some(page) => {
                let _ = writeln!(out, "{}", page.trim_start_matches("## "));
                ExitCode::SUCCESS
            }
            None => {
                exit::fail(exit::USAGE, format_args!("there is no code '{code}'; logveil explain --codes lists them"))
            }
        };
    }
    if args.show_raw && !io::stdout().is_terminal() {
        return exit::fail(exit::POLICY, "--show-raw works on a terminal only: elsewhere raw text would be kept");
    }
    match explain(&args, &mut out).and_then(|code| out.flush().map(|()| code)) {
        Ok(code) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => exit::fail(exit::UNREACHABLE, format_args!("cannot read or write: {error}")),
    }
}

/// `LV` and four digits, in any case.
fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix("LV").or_else(|| text.strip_prefix("lv"));
    digits.is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn explain(args: &Args, out: &mut impl Write) -> io::Result<ExitCode> {
    let text = match &args.text {
        Some(text) => text.clone().into_bytes(),
        None => {
            let mut text = Vec::new();
            io::stdin().lock().take(MOST).read_to_end(&mut text)?;
            text
        }
    };
    let rules = match args.rules.load() {
        Ok(rules) => rules,
        Err(code) => return Ok(code),
    };
    let mint = match Mint::of(args.keyring.as_deref()) {
        Ok(mint) => mint,
        Err(code) => return Ok(code),
    };
    let mut explainer = Explainer::new(rules, mint.map(|mint| mint.minter()));
    let text = text.strip_suffix(b"\n").unwrap_or(&text);
    let (mut candidates, mut hits) = (0, 0);
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let told = explainer.explain(RawLine(line));
        let rules = explainer.rules();
        (candidates, hits) = (candidates + told.seen.len(), hits + told.masks.len());
        if args.json {
            writeln!(out, "{}", as_json(number + 1, &told, rules))?;
        } else {
            show(out, number + 1, &told, args.show_raw.then_some(line), rules)?;
        }
    }
    if !args.json {
        let took = time(&mut explainer, text).as_secs_f64() * 1e6;
        let (count, digest) = (explainer.rules().len(), explainer.rules().fingerprint().0);
        writeln!(
            out,
            "{DIM}{count} rules, {candidates} candidates, {hits} hits, {took:.1} µs; digest {digest:016x}{DIM:#}"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the engine takes for the text, in memory as it is by now.
fn time(explainer: &mut Explainer, text: &[u8]) -> Duration {
    let mut ends: Vec<u32> = memchr::memchr_iter(b'\n', text).map(|at| at as u32 + 1).collect();
    if ends.last().is_none_or(|end| (*end as usize) < text.len()) {
        ends.push(text.len() as u32);
    }
    let start = Instant::now();
    let mut best = Duration::MAX;
    for _ in 0..PASSES {
        let begin = Instant::now();
        explainer.repeat(text, &ends);
        best = best.min(begin.elapsed());
        if start.elapsed() > PATIENCE {
            break;
        }
    }
    best
}

fn show(
    out: &mut impl Write,
    number: usize,
    told: &Explanation,
    raw: Option<&[u8]>,
    rules: &RuleSet,
) -> io::Result<()> {
    let misses: Vec<&Seen> = told.seen.iter().filter(|seen| seen.fate != Fate::Masked).collect();
    let place = |span: &std::ops::Range<usize>| if raw.is_some() { span.clone() } else { moved(&told.masks, span) };
    let mut marks: Vec<Mark> = misses.iter().map(|seen| Mark { span: place(&seen.span), sign: '~' }).collect();
    for mask in &told.masks {
        marks.push(Mark { span: if raw.is_some() { mask.raw.clone() } else { mask.masked.clone() }, sign: '^' });
    }
    let line = MarkedLine { text: raw.unwrap_or(&told.redacted), marks: &marks };
    line.write(out, &format!("{number}  "))?;
    if raw.is_some() {
        MarkedLine { text: &told.redacted, marks: &[] }.write(out, "=  ")?;
    }
    let wide = told.seen.iter().map(|seen| rules.id(seen.rule).len()).max().unwrap_or(0);
    for mask in &told.masks {
        show_mask(out, mask, told, rules, wide)?;
    }
    for seen in misses {
        let (id, why) = (rules.id(seen.rule), seen.fate.told(rules));
        writeln!(out, "   {MISSED}~{MISSED:#} {id:wide$}  {}{why}", through(seen))?;
    }
    let ids: Vec<&str> = told.rules.iter().map(|rule| rules.id(*rule)).collect();
    if !ids.is_empty() {
        writeln!(out, "   {DIM}logveil.rules{DIM:#}  {}", ids.join(" "))?;
    }
    if !told.tokens.is_empty() {
        writeln!(out, "   {DIM}logveil.tokens{DIM:#} {}", told.tokens.join(" "))?;
    }
    if let Some(reason) = told.withheld {
        writeln!(out, "   the whole line is withheld: {}", reason.name())?;
    } else if told.masks.is_empty() && told.seen.is_empty() {
        writeln!(out, "   {DIM}nothing here is a candidate of any rule{DIM:#}")?;
    }
    Ok(())
}

/// A mask, the rule it shows, and the rules whose findings it also covers.
fn show_mask(out: &mut impl Write, mask: &Shown, told: &Explanation, rules: &RuleSet, wide: usize) -> io::Result<()> {
    let Some(rule) = mask.rule else { return Ok(()) };
    let inside =
        |seen: &&Seen| seen.fate == Fate::Masked && seen.span.start < mask.raw.end && mask.raw.start < seen.span.end;
    let found: Vec<&Seen> = told.seen.iter().filter(inside).collect();
    let first = found.iter().find(|seen| seen.rule == rule);
    let origin = &rules.rules()[usize::from(rule.0)].origin;
    let stands = String::from_utf8_lossy(&told.redacted[mask.masked.clone()]);
    let view = first.map(|seen| through(seen)).unwrap_or_default();
    let bytes = mask.raw.len();
    write!(out, "   {MASKED}^{MASKED:#} {:wide$}  {view}{bytes} bytes → {stands}", rules.id(rule))?;
    let mut others: Vec<&str> = found.iter().filter(|seen| seen.rule != rule).map(|seen| rules.id(seen.rule)).collect();
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        write!(out, ", also {}", others.join(", "))?;
    }
    writeln!(out, "  {DIM}{}:{}{DIM:#}", origin.file, origin.line)
}

/// The encodings a candidate was read through, ready to be put before something else.
fn through(seen: &Seen) -> String {
    seen.chain.map(|chain| format!("in {chain}: ")).unwrap_or_default()
}

/// Where bytes of the raw line stand in the redacted one; those under a mask map to the whole mask.
fn moved(masks: &[Shown], span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let place = |at: usize, end: bool| {
        let mut shift = 0isize;
        for mask in masks {
            if at <= mask.raw.start {
                break;
            }
            if at < mask.raw.end {
                return if end { mask.masked.end } else { mask.masked.start };
            }
            shift = mask.masked.end as isize - mask.raw.end as isize;
        }
        at.saturating_add_signed(shift)
    };
    place(span.start, false)..place(span.end, true)
}

fn as_json(number: usize, told: &Explanation, rules: &RuleSet) -> Value {
    let masks: Vec<Value> = told
        .masks
        .iter()
        .map(|mask| {
            json!({"rule": mask.rule.map(|rule| rules.id(rule)), "raw": [mask.raw.start, mask.raw.end],
                "masked": [mask.masked.start, mask.masked.end],
                "text": String::from_utf8_lossy(&told.redacted[mask.masked.clone()])})
        })
        .collect();
    let candidates: Vec<Value> = told
        .seen
        .iter()
        .map(|seen| {
            json!({"rule": rules.id(seen.rule), "span": [seen.span.start, seen.span.end],
                "view": seen.chain.map(|chain| chain.to_string()), "fate": seen.fate.name(),
                "why": seen.fate.told(rules)})
        })
        .collect();
    json!({"line": number, "redacted": String::from_utf8_lossy(&told.redacted), "masks": masks,
        "candidates": candidates, "rules": told.rules.iter().map(|rule| rules.id(*rule)).collect::<Vec<_>>(),
        "tokens": told.tokens, "withheld": told.withheld.map(|reason| reason.name()),
        "set": format!("{:016x}", rules.fingerprint().0)})
}
