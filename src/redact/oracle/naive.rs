//! Every rule at every place of every reading.

use super::cells::{self, Cell, DECODERS};
use crate::redact::finding::Finding;
use crate::redact::key::{self, KeyCursor, KeyTable, Labels, WordHit};
use crate::redact::rule::{AnchorFind, Find, Rule, RuleIndex, What};
use crate::redact::shape::{self, Shape};
use crate::redact::validate::Verdict;
use std::ops::Range;

/// How deep readings are stacked here.
const DEPTH: usize = 2;

/// Raw bytes of `record` that no redaction by `rules` may leave readable.
pub(super) fn masked(rules: &[Rule], record: &[u8]) -> Vec<Range<usize>> {
    let raw = cells::raw(record);
    let mut found = Vec::new();
    keyed(rules, record, &mut found);
    readings(&raw, DEPTH, &mut |cells| {
        let text = cells::bytes(cells);
        let known = found.len();
        for rule in rules {
            match &rule.what {
                What::Mask(Find::Anchor(find)) => anchors(find, &text, cells, &mut found),
                What::Mask(Find::Shape(name)) => {
                    if let Some(shape) = shape::by_name(name) {
                        shapes(shape, &text, cells, &mut found);
                    }
                }
                _ => {}
            }
        }
        // No reading joins what a real quote parts.
        let decoded = cells.len() != record.len();
        let parted = |range: &Range<usize>| decoded && has_quote(&record[range.clone()]);
        let joined = found.split_off(known);
        found.extend(joined.into_iter().filter(|range| !parted(range)));
    });
    found
}

/// A double quote that no backslash escapes.
fn has_quote(text: &[u8]) -> bool {
    (0..text.len()).any(|at| {
        let slashes = text[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        text[at] == b'"' && slashes % 2 == 0
    })
}

/// The text itself and every reading of it, `depth` decoders deep.
fn readings(cells: &[Cell], depth: usize, each: &mut dyn FnMut(&[Cell])) {
    each(cells);
    if depth == 0 {
        return;
    }
    for (_, decode) in DECODERS {
        let decoded = decode(cells);
        if decoded.len() != cells.len() {
            readings(&decoded, depth - 1, each);
        }
    }
}

fn anchors(find: &AnchorFind, text: &[u8], cells: &[Cell], found: &mut Vec<Range<usize>>) {
    for literal in &find.anchor {
        for start in 0..text.len() {
            if !text[start..].starts_with(literal.as_bytes()) {
                continue;
            }
            let after = start + literal.len();
            let run = text[after..].iter().take_while(|byte| find.alphabet.holds(**byte)).count();
            if run >= find.min as usize {
                found.push(origin(&cells[start..after + run]));
            }
        }
    }
}

/// Hits that the shape itself proves, where they stand in one piece of text.
fn shapes(shape: &Shape, text: &[u8], cells: &[Cell], found: &mut Vec<Range<usize>>) {
    // As in the engine, what one hit has read is no part of the next.
    let mut floor = 0;
    for at in 0..text.len() {
        if at < floor || !triggers_at(shape, text, at) {
            continue;
        }
        let Some(hit) = (shape.find)(text, at, floor) else { continue };
        floor = (hit.resume as usize).max(at + 1);
        let span = hit.span.start as usize..hit.span.end as usize;
        let inside = span.contains(&at) || span.start == at;
        if hit.verdict == Verdict::Proves && inside {
            found.push(origin(&cells[span]));
        }
    }
}

/// Whether the prefilter would have asked the shape here.
fn triggers_at(shape: &Shape, text: &[u8], at: usize) -> bool {
    shape.triggers.iter().any(|trigger| match trigger {
        shape::Trigger::At => text[at] == b'@',
        _ => false,
    })
}

/// Keyed values of the record itself, and the cells of its tables.
fn keyed(rules: &[Rule], record: &[u8], found: &mut Vec<Range<usize>>) {
    let keys = rules.iter().enumerate().filter_map(|(at, rule)| match &rule.what {
        What::Mask(Find::Key(find)) => Some((RuleIndex(at as u16), find)),
        _ => None,
    });
    let Ok(mut table) = KeyTable::compile(keys) else { return };
    table.set_labels(Labels::new(rules.iter().map(|rule| rule.label.as_str())));
    let lower = record.to_ascii_lowercase();
    let mut hits: Vec<WordHit> = Vec::new();
    for (literal, word) in table.literals() {
        let places = (0..lower.len()).filter(|&at| lower[at..].starts_with(literal));
        hits.extend(places.map(|at| WordHit { start: at as u32, end: (at + literal.len()) as u32, word }));
    }
    hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
    let (mut cursor, mut findings) = (KeyCursor::default(), Vec::<Finding>::new());
    cursor.begin(0..record.len());
    for hit in hits {
        key::find(record, hit, &table, &mut cursor, &mut findings);
    }
    key::finish(record, &table, &mut cursor, &mut findings);
    found.extend(findings.iter().map(|finding| finding.span.start as usize..finding.span.end as usize));
}

fn origin(cells: &[Cell]) -> Range<usize> {
    let from = cells.iter().map(|cell| cell.from).min().unwrap_or(0);
    from..cells.iter().map(|cell| cell.to).max().unwrap_or(from)
}
