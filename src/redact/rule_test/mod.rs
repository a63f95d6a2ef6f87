//! Runs the examples of rules against the engine: what `logveil rules test` and `cargo test` do.
//!
//! Every positive example must come out as written, alone and inside every carrier (see [`carrier`]);
//! every negative example must come out unchanged with *all* rules in force; every output must come out
//! unchanged a second time. Fillers are expanded here.

pub mod carrier;

#[cfg(test)]
mod tests;

use super::filler;
use super::policy::{KeepOrMask, Policy};
use super::redactor::{RawLine, Redactor, StreamState};
use super::rule::{BESIDE, Rule, RuleTest, Stage};
use super::ruleset::{CompileError, RuleSet};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What one rule's examples gave.
#[derive(Debug)]
pub struct RuleOutcome {
    /// The rule.
    pub id: String,
    /// Checks that held.
    pub passed: usize,
    /// Checks that did not.
    pub failures: Vec<Failure>,
}

/// An example that did not come out as it should. Examples are the author's own text, never log text.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What was checked: `example`, `negative`, `second pass`, or a carrier's name.
    pub check: &'static str,
    /// Text handed to the engine.
    pub input: String,
    /// What should have come out, or what is wrong with what did.
    pub wanted: String,
    /// What came out.
    pub got: String,
    /// Rules that masked something in it.
    pub by: Vec<String>,
}

/// What all examples gave.
#[derive(Debug)]
pub struct Report {
    /// One entry a rule, in the order of the rules.
    pub rules: Vec<RuleOutcome>,
}

impl Report {
    /// Number of checks that held and that did not.
    pub fn totals(&self) -> (usize, usize) {
        self.rules.iter().fold((0, 0), |(passed, failed), rule| (passed + rule.passed, failed + rule.failures.len()))
    }
}

/// Runs every example of `rules`, all of them in force.
pub fn run(rules: &[Rule]) -> Result<Report, CompileError> {
    let mut bench = Bench::new(rules, &Policy::default())?;
    let mut awake = awake(rules)?;
    let outcomes = rules.iter().map(|rule| {
        let mut outcome = RuleOutcome { id: rule.id.clone(), passed: 0, failures: Vec::new() };
        let asleep = rule.stage == Stage::Shadow || !Policy::default().enables(&rule.id);
        for test in &rule.tests {
            match test {
                RuleTest::Changes { input, output } if asleep => positive(&mut awake, input, output, &mut outcome),
                RuleTest::Changes { input, output } => positive(&mut bench, input, output, &mut outcome),
                RuleTest::Same(input) => negative(&mut bench, input, &mut outcome),
            }
        }
        outcome
    });
    Ok(Report { rules: outcomes.collect() })
}

/// A bench on which rules that are in shadow or switched off by default mask too.
fn awake(rules: &[Rule]) -> Result<Bench, CompileError> {
    // Of a rule with a new form beside it only the new form is awake: the old one has the other bench.
    let replaced = |rule: &Rule| rules.iter().any(|other| other.id.strip_suffix(BESIDE) == Some(&rule.id));
    let awake = |rule: &Rule| Rule { stage: Stage::Enforce, ..rule.clone() };
    let rules: Vec<Rule> = rules.iter().filter(|rule| !replaced(rule)).map(awake).collect();
    Bench::new(&rules, &Policy { user_agents: KeepOrMask::Mask, ..Policy::default() })
}

fn positive(bench: &mut Bench, input: &str, output: &str, outcome: &mut RuleOutcome) {
    let Some((input, output)) = expanded(input, output, outcome) else { return };
    let (got, by) = bench.redact(&input);
    let held = got == output;
    outcome.note(held, "example", &input, &output, &got, by);
    let (again, by) = bench.redact(&got);
    outcome.note(again == got, "second pass", &got, &got, &again, by);
    if !held {
        return;
    }
    let plants = carrier::plants(&input, &output);
    for carrier in carrier::ALL {
        let Some(written) = carrier.write(&input) else { continue };
        let (got, by) = bench.redact(&written.text());
        let wrong = carrier::fault(&written, &plants, &got);
        outcome.note(wrong.is_none(), carrier.name, &written.text(), wrong.as_deref().unwrap_or(""), &got, by);
    }
}

fn negative(bench: &mut Bench, input: &str, outcome: &mut RuleOutcome) {
    let Some((input, _)) = expanded(input, "", outcome) else { return };
    let (got, by) = bench.redact(&input);
    outcome.note(got == input, "negative", &input, &input, &got, by);
}

/// Both texts with their fillers expanded; the loader has checked that they can be.
fn expanded(input: &str, output: &str, outcome: &mut RuleOutcome) -> Option<(String, String)> {
    match (filler::expand(input), filler::expand(output)) {
        (Ok(input), Ok(output)) => Some((input, output)),
        (Err(message), _) | (_, Err(message)) => {
            outcome.note(false, "filler", input, &message, "", Vec::new());
            None
        }
    }
}

impl RuleOutcome {
    fn note(&mut self, held: bool, check: &'static str, input: &str, wanted: &str, got: &str, by: Vec<String>) {
        if held {
            self.passed += 1;
            return;
        }
        let (input, wanted, got) = (input.to_owned(), wanted.to_owned(), got.to_owned());
        self.failures.push(Failure { check, input, wanted, got, by });
    }
}

/// A compiled set and a redactor over it.
pub struct Bench {
    redactor: Redactor,
}

impl Bench {
    /// Compiles `rules`.
    pub fn new(rules: &[Rule], policy: &Policy) -> Result<Bench, CompileError> {
        let set = RuleSet::compile(rules.to_vec(), policy)?;
        Ok(Bench { redactor: Redactor::new(Arc::new(set)) })
    }

    /// Redacts `text`, line by line; with it the ids of the rules that masked something.
    pub fn redact(&mut self, text: &str) -> (String, Vec<String>) {
        let raw = RawLine(text.as_bytes());
        let mut ends: Vec<u32> = memchr::memchr_iter(b'\n', raw.0).map(|at| at as u32 + 1).collect();
        if ends.last().is_none_or(|&end| (end as usize) < raw.0.len()) {
            ends.push(raw.0.len() as u32);
        }
        let mut out = Vec::new();
        let mut by = BTreeSet::new();
        let last = ends.len() - 1;
        let mut at = 0;
        self.redactor.redact(&mut StreamState::default(), raw.0, &ends, &mut |record| {
            record.write_to(&mut out);
            if at < last || raw.0.ends_with(b"\n") {
                out.push(b'\n');
            }
            by.extend(record.rules().iter().copied());
            at += 1;
        });
        let set = self.redactor.rules();
        let by = by.into_iter().map(|rule| set.id(rule).to_owned()).collect();
        (String::from_utf8_lossy(&out).into_owned(), by)
    }
}
