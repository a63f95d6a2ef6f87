//! The hard cases: every record of `tests/corpus/hard-cases.txt`, as it stands, in carriers and side by side.
//!
//! Cases that do not hold yet stand in a list of open ones; a case that holds while it is listed fails the test as
//! well, so the lists can only become shorter.

#[path = "hard_cases/carrier.rs"]
mod carrier;
#[path = "hard_cases/case_file.rs"]
mod case_file;
#[path = "hard_cases/check.rs"]
mod check;
#[path = "hard_cases/open.rs"]
mod open;
#[path = "hard_cases/plain.rs"]
mod plain;

use case_file::Case;
use check::{faults, leak, lost, redact, redactor, shape};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

#[test]
fn every_case_holds() {
    let mut redactor = redactor();
    let mut found: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    let mut report = String::new();
    let cases = case_file::load();
    assert_eq!(cases.len(), 211);
    for case in &cases {
        let output = redact(&mut redactor, &case.input);
        let again = redact(&mut redactor, &output);
        let faults = faults(case, &output, &again);
        if let Some(fault) = faults.first() {
            found.entry(case.number).or_default().insert("bare");
            let _ = writeln!(report, "case {}, {}: {}\n    {}", case.number, case.title, short(fault), short(&output));
        }
    }
    settle(&found, open::CASES, &report);
}

/// Groups B to E in every carrier.
#[test]
fn every_value_is_found_in_every_carrier() {
    let mut redactor = redactor();
    let mut found: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    let mut report = String::new();
    let alone = |case: &&Case| ('B'..='E').contains(&case.group) && !case.input.contains('\n') && !case.miss;
    for case in case_file::load().iter().filter(alone) {
        for carrier in carrier::ALL {
            let Some(wrapped) = (carrier.wrap)(&case.input) else { continue };
            let output = redact(&mut redactor, &wrapped);
            let fault = carried_fault(case, carrier, &wrapped, &output);
            let again = redact(&mut redactor, &output);
            let moved = (again != output).then(|| format!("a second pass gives {}", short(&again)));
            if let Some(fault) = fault.or(moved) {
                found.entry(case.number).or_default().insert(carrier.name);
                let _ = writeln!(
                    report,
                    "case {} in {}: {}\n    {}",
                    case.number,
                    carrier.name,
                    short(&fault),
                    short(&output)
                );
            }
        }
    }
    settle(&found, open::CARRIED, &report);
}

/// The plain ways back really lead back, so that a fault in a carrier is the engine's.
#[test]
fn every_carrier_is_read_back() {
    for case in case_file::load().iter().filter(|case| !case.input.contains('\n')) {
        for carrier in carrier::ALL {
            let Some(wrapped) = (carrier.wrap)(&case.input) else { continue };
            let back = (carrier.unwrap)(&wrapped).expect(carrier.name);
            assert!(back.contains(&case.input), "case {} in {}: {back}", case.number, carrier.name);
        }
    }
}

fn carried_fault(case: &Case, carrier: &carrier::Carrier, wrapped: &str, output: &str) -> Option<String> {
    if let Some(fault) = shape(wrapped, output) {
        return Some(fault);
    }
    let Some(text) = (carrier.unwrap)(output) else { return Some("carrier broken".to_owned()) };
    let leaked = leak(&case.input, &case.masked(), &text);
    if carrier.opaque && !case.mask.is_empty() {
        return leaked;
    }
    leaked.or_else(|| lost(&case.kept(), &text))
}

/// Anchored tokens directly beside each other and with every usual separator between.
#[test]
fn neighbours_do_not_hide_each_other() {
    let mut redactor = redactor();
    let cases = case_file::load();
    // Number of the case, and how many of its first texts have an anchor of their own.
    let anchored: BTreeMap<u16, usize> =
        [(111, 1), (113, 1), (114, 1), (116, 2), (117, 2), (118, 1), (120, 1), (121, 1), (122, 3), (134, 1)].into();
    let tokens: Vec<&str> = cases
        .iter()
        .filter_map(|case| Some(case.mask.iter().take(*anchored.get(&case.number)?)))
        .flatten()
        .map(|mask| mask.text.as_str())
        .collect();
    assert_eq!(tokens.len(), anchored.values().sum::<usize>());
    let mut report = String::new();
    for left in &tokens {
        for right in &tokens {
            for between in ["", ",", ";", "|", "=", ":", "\"", "'", "\\", "\u{a0}"] {
                let input = format!("{left}{between}{right}");
                let output = redact(&mut redactor, &input);
                let places = [0..left.len(), input.len() - right.len()..input.len()];
                if let Some(fault) = leak(&input, &places, &output) {
                    let _ = writeln!(report, "{between:?}: {}\n    {}", short(&fault), short(&output));
                }
            }
        }
    }
    let direct = report.lines().filter(|line| line.starts_with("\"\": ")).count();
    let all = report.lines().filter(|line| line.contains(": leaks ")).count();
    assert!(all == direct && direct == open::DIRECT_NEIGHBOURS, "{report}");
}

/// Case 208 with the secret at every offset around the places where a long line is taken apart.
#[test]
fn a_secret_is_found_wherever_a_border_falls() {
    let mut redactor = redactor();
    for border in [8 << 10, 64 << 10, 256 << 10, 1 << 20] {
        for before in border - 24..border + 2 {
            let input = format!("{} token=FAKEborder7Qw", "x".repeat(before));
            let output = redact(&mut redactor, &input);
            let place = input.len() - "FAKEborder7Qw".len()..input.len();
            assert_eq!(leak(&input, &[place], &output), None, "{before} bytes before it");
        }
    }
}

/// Compares what failed with what is known to be open.
fn settle(found: &BTreeMap<u16, BTreeSet<&'static str>>, open: &[(u16, &'static str)], report: &str) {
    let open: BTreeMap<u16, BTreeSet<&str>> =
        open.iter().map(|&(case, places)| (case, places.split(' ').collect())).collect();
    if *found == open {
        return;
    }
    let mut list = String::new();
    for (case, places) in found {
        let places: Vec<&str> = places.iter().copied().collect();
        let _ = writeln!(list, "    ({case}, \"{}\"),", places.join(" "));
    }
    let shown: String = report.lines().take(400).map(|line| format!("{line}\n")).collect();
    panic!("{shown}\n{} cases fail; the list of open ones would have to be\n{list}", found.len());
}

/// The end of a long text is where the trouble is.
fn short(text: &str) -> &str {
    let at = text.len().saturating_sub(400);
    let at = (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(at);
    &text[at..]
}
