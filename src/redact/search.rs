//! The search of one text (a raw record or a view of it): prefilter hits and triggers in, findings out.
//!
//! Every form verifies in a bounded window around its hit, and every reader to the right has a cursor, so
//! the search is linear in the text. Scratch space is cleared and reused.

use super::context::Nearness;
use super::finding::{Finding, Span};
use super::key::{self, Carry, KeyCursor, WordHit};
use super::prefilter::{Hit, Target};
use super::rule::{Alphabet, AnchorFind, RuleIndex, ShortAnchorFind};
use super::ruleset::{FIRST_RUN, RuleSet};
use super::shape::ShapeHit;
use super::steps;
use super::trigger::Triggers;
use super::validate::Verdict;
use std::ops::Range;

/// A finding in the searched text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) finding: Finding,
    /// Claimed by an anchor, a key or an expression: no keep rule can free it.
    pub(super) strong: bool,
    /// A candidate that its rule refused; reported only where reasons are asked for.
    pub(super) refused: bool,
}

/// Reused between texts.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) hits: Vec<Hit>,
    pub(super) triggers: Triggers,
    keyed: Vec<Finding>,
    cursor: KeyCursor,
    /// Per shape and anchor: triggers before this offset need not be asked.
    shape_resume: Vec<u32>,
    anchor_resume: Vec<u32>,
    /// Per anchor: the run read last, so that many literals in one run read it once.
    anchor_run: Vec<AnchorRun>,
    regex_resume: Vec<u32>,
}

/// A run of an anchor's alphabet.
#[derive(Clone, Copy, Default)]
struct AnchorRun {
    from: usize,
    /// First byte behind the run.
    to: usize,
    /// The same without punctuation at its end.
    trimmed: usize,
}

/// Hits and triggers of a text that belong to one record.
pub(super) struct Window<'h> {
    pub(super) hits: &'h [Hit],
    pub(super) record: Range<usize>,
}

/// Searches one text that is a record of its own (a view): prefilter, triggers, verification.
pub(super) fn search_text(rules: &RuleSet, text: &[u8], scratch: &mut Scratch, out: &mut Vec<Found>) {
    let mut hits = std::mem::take(&mut scratch.hits);
    hits.clear();
    rules.prefilter.scan(text, &mut hits);
    scratch.triggers.scan(text, rules.by_trigger.fewest_digits);
    let window = Window { hits: &hits, record: 0..text.len() };
    search(rules, text, &window, 0..usize::MAX, &mut None, scratch, out);
    scratch.hits = hits;
}

/// Verifies the hits of `window` and the triggers of `scratch` that lie in its record. `triggers`
/// restricts trigger positions; it is the record's own range for blocks. `carry` is a value that the record before
/// left open, afterwards what this one leaves.
pub(super) fn search(
    rules: &RuleSet,
    text: &[u8],
    window: &Window<'_>,
    triggers: Range<usize>,
    carry: &mut Option<Carry>,
    scratch: &mut Scratch,
    out: &mut Vec<Found>,
) {
    scratch.reset(rules, window.record.clone());
    if let Some(open) = carry.take() {
        key::resume(text, open, &rules.keys, &mut scratch.cursor, &mut scratch.keyed);
    }
    let wanted =
        window.hits.iter().flat_map(|hit| rules.prefilter.targets(*hit).iter().map(move |target| (*hit, *target)));
    for (hit, target) in wanted {
        steps::add(1);
        match target {
            Target::Anchor(number) => {
                let (rule, anchor) = &rules.anchors[usize::from(number)];
                let resume = &mut scratch.anchor_resume[usize::from(number)];
                let run = &mut scratch.anchor_run[usize::from(number)];
                // A literal that reaches out of the run read last begins a token of its own.
                if hit.end() <= *resume {
                    continue;
                }
                // Glued to a token that was just found, an anchor needs no other border.
                let glued = out.last().is_some_and(|last| last.strong && last.finding.span.end >= hit.start());
                if let Some((span, read)) = anchored(text, &window.record, hit, anchor, glued, run) {
                    *resume = read;
                    accept(rules, text, &window.record, *rule, span, None, true, out);
                } else {
                    *resume = hit.end();
                }
            }
            Target::Key(word) => {
                let word = WordHit { start: hit.start(), end: hit.end(), word };
                key::find(text, word, &rules.keys, &mut scratch.cursor, &mut scratch.keyed);
            }
            Target::Shape(number) => ask(rules, text, &window.record, number, hit.start(), scratch, out),
            Target::Regex(number) => expression(rules, text, &window.record, number, hit, scratch, out),
        }
    }
    *carry = scratch.cursor.carry();
    out.extend(scratch.keyed.drain(..).map(|finding| Found { finding, strong: true, refused: false }));
    ask_triggers(rules, text, &window.record, triggers, scratch, out);
}

impl Scratch {
    fn reset(&mut self, rules: &RuleSet, record: Range<usize>) {
        let start = record.start as u32;
        self.cursor.begin(record);
        self.keyed.clear();
        for (resumes, count) in [
            (&mut self.shape_resume, rules.shapes.len()),
            (&mut self.anchor_resume, rules.anchors.len()),
            (&mut self.regex_resume, rules.expressions.len()),
        ] {
            resumes.clear();
            resumes.resize(count, start);
        }
        self.anchor_run.clear();
        self.anchor_run.resize(rules.anchors.len(), AnchorRun::default());
    }
}

/// The positions of a sorted list that lie in `range`.
fn within<T>(list: &[T], range: &Range<usize>, place: impl Fn(&T) -> u32) -> Range<usize> {
    let from = list.partition_point(|entry| (place(entry) as usize) < range.start);
    let to = from + list[from..].partition_point(|entry| (place(entry) as usize) < range.end);
    from..to
}

fn ask_triggers(
    rules: &RuleSet,
    text: &[u8],
    record: &Range<usize>,
    range: Range<usize>,
    scratch: &mut Scratch,
    out: &mut Vec<Found>,
) {
    let triggers = std::mem::take(&mut scratch.triggers);
    let table = &rules.by_trigger;
    for (list, shapes) in [
        (&triggers.at, &table.at),
        (&triggers.dotted, &table.dotted),
        (&triggers.colons, &table.colons),
        (&triggers.pairs, &table.pairs),
    ] {
        for &at in &list[within(list, &range, |at| *at)] {
            for &number in shapes {
                ask(rules, text, record, number, at, scratch, out);
            }
        }
    }
    for &(at, count) in &triggers.digits[within(&triggers.digits, &range, |(at, _)| *at)] {
        let first = text[at as usize..record.end].iter().take(FIRST_RUN).take_while(|byte| byte.is_ascii_digit());
        for &(least, number) in &table.digits[first.count()] {
            if count < least {
                break;
            }
            ask(rules, text, record, number, at, scratch, out);
        }
    }
    for &(start, end) in &triggers.opaque[within(&triggers.opaque, &range, |(start, _)| *start)] {
        for &number in &table.opaque {
            ask(rules, text, record, number, start, scratch, out);
        }
        for number in rules.short_index.at(text, start as usize..end as usize) {
            let (rule, short) = &rules.short_anchors[usize::from(number)];
            if let Some(span) = short_anchored(text, record, start as usize..end as usize, short) {
                accept(rules, text, record, *rule, span, None, true, out);
            }
        }
    }
    scratch.triggers = triggers;
}

/// Asks one shape at one trigger.
fn ask(
    rules: &RuleSet,
    text: &[u8],
    record: &Range<usize>,
    number: u16,
    at: u32,
    scratch: &mut Scratch,
    out: &mut Vec<Found>,
) {
    let (rule, shape) = &rules.shapes[usize::from(number)];
    let resume = &mut scratch.shape_resume[usize::from(number)];
    if at < *resume {
        return;
    }
    let record_text = &text[..record.end];
    steps::add(1);
    if let Some(hit) = (shape.find)(record_text, at as usize, (*resume as usize).max(record.start)) {
        *resume = hit.resume.max(at + 1);
        steps::add((*resume - at) as usize);
        accept(rules, text, record, *rule, hit.span, Some(hit), false, out);
    }
}

/// Weighs checks and context words, and reports the candidate when they carry it.
#[allow(clippy::too_many_arguments)] // the candidate and its place; a struct would be built per candidate only to be taken apart
fn accept(
    rules: &RuleSet,
    text: &[u8],
    record: &Range<usize>,
    rule: RuleIndex,
    span: Span,
    shape: Option<ShapeHit>,
    strong: bool,
    out: &mut Vec<Found>,
) {
    let compiled = rules.of(rule);
    if compiled.demands.iter().any(|demand| demand(span.of(text)) == Verdict::Refutes) {
        return;
    }
    let mut verdict = shape.map_or(Verdict::Silent, |hit| hit.verdict);
    for check in &compiled.checks {
        verdict = match (verdict, check(span.of(text))) {
            (Verdict::Refutes, _) | (_, Verdict::Refutes) => Verdict::Refutes,
            (Verdict::Proves, _) | (_, Verdict::Proves) => Verdict::Proves,
            _ => Verdict::Silent,
        };
    }
    let near = match &compiled.near {
        Some(near) => near.nearness(text, span, record.start, record.end),
        None if strong => Nearness::Near,
        None => Nearness::None,
    };
    if near == Nearness::None
        && compiled
            .not_near
            .as_ref()
            .is_some_and(|words| words.nearness(text, span, record.start, record.end) != Nearness::None)
    {
        return refuse(rules, rule, span, out);
    }
    let carried = match verdict {
        Verdict::Proves => true,
        Verdict::Silent => near != Nearness::None || compiled.near.is_none(),
        Verdict::Refutes => strong && compiled.near.is_none() || near == Nearness::Adjacent,
    };
    if carried && !span.is_empty() {
        out.push(Found { finding: Finding { rule, span }, strong, refused: false });
    } else {
        refuse(rules, rule, span, out);
    }
}

/// Reports a refused candidate to who asked for reasons; what was found last stays last.
fn refuse(rules: &RuleSet, rule: RuleIndex, span: Span, out: &mut Vec<Found>) {
    if rules.reasons && !span.is_empty() {
        out.push(Found { finding: Finding { rule, span }, strong: false, refused: true });
        let last = out.len() - 1;
        out.swap(last, last.saturating_sub(1));
    }
}

/// The span of an anchor hit and how far was read.
fn anchored(
    text: &[u8],
    record: &Range<usize>,
    hit: Hit,
    anchor: &AnchorFind,
    glued: bool,
    run: &mut AnchorRun,
) -> Option<(Span, u32)> {
    let (start, end) = (hit.start() as usize, hit.end() as usize);
    if anchor.boundary && !glued && start > record.start && text[start - 1].is_ascii_alphanumeric() {
        return None;
    }
    let alphabet = anchor.alphabet;
    if !(run.from <= end && end <= run.to) {
        *run = AnchorRun::read(text, end, record.end, alphabet);
    }
    let read = run.to;
    let mut stop = run.trimmed.max(end);
    let mut length = stop - end;
    if alphabet == Alphabet::Base64 {
        stop += text[stop..record.end].iter().take(2).take_while(|byte| **byte == b'=').count();
        length = stop - end;
    }
    if length < anchor.min as usize || anchor.max.is_some_and(|max| length > max as usize) {
        return None;
    }
    let mut from = if anchor.keep_anchor { end } else { start };
    if anchor.before > 0 {
        let lowest = start.saturating_sub(512).max(record.start);
        let run = text[lowest..start].iter().rev().take_while(|byte| alphabet.holds(**byte)).count();
        if run < anchor.before as usize {
            return None;
        }
        from = start - run;
    }
    (from < stop).then(|| (Span::new(from, stop), read as u32))
}

impl AnchorRun {
    fn read(text: &[u8], from: usize, limit: usize, alphabet: Alphabet) -> AnchorRun {
        let to = from + text[from..limit].iter().take_while(|byte| alphabet.holds(**byte)).count();
        steps::add(to - from);
        let trailing = text[from..to].iter().rev().take_while(|byte| alphabet.trails(**byte)).count();
        AnchorRun { from, to, trimmed: to - trailing }
    }
}

/// A short anchor at its place of an opaque run. The run is cut at characters outside the rule's alphabet
/// and may begin after any of `.`-free separators.
fn short_anchored(text: &[u8], record: &Range<usize>, run: Range<usize>, short: &ShortAnchorFind) -> Option<Span> {
    let start = run.start + short.at as usize;
    for literal in &short.short_anchor {
        let after = start + literal.len();
        if after > run.end || text[start..after] != *literal.as_bytes() {
            continue;
        }
        let mut stop = after + text[after..record.end].iter().take_while(|byte| short.alphabet.holds(**byte)).count();
        steps::add(stop - after);
        while stop > after && short.alphabet.trails(text[stop - 1]) {
            stop -= 1;
        }
        let length = stop - after;
        if length >= short.min as usize && short.max.is_none_or(|max| length <= max as usize) {
            return Some(Span::new(run.start, stop));
        }
    }
    None
}

/// Runs an expression in its window around a literal hit.
fn expression(
    rules: &RuleSet,
    text: &[u8],
    record: &Range<usize>,
    number: u16,
    hit: Hit,
    scratch: &mut Scratch,
    out: &mut Vec<Found>,
) {
    let expression = &rules.expressions[usize::from(number)];
    let resume = &mut scratch.regex_resume[usize::from(number)];
    if hit.start() < *resume {
        return;
    }
    let from = (hit.start() as usize).saturating_sub(expression.before).max(record.start);
    let to = (hit.start() as usize + expression.after).max(hit.end() as usize).min(record.end);
    steps::add(to - from);
    let Some(found) = expression.regex.captures(&text[from..to]) else { return };
    let value = found.name("value").or_else(|| found.get(0));
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        let span = Span::new(from + value.start(), from + value.end());
        *resume = span.end.max(hit.end());
        accept(rules, text, record, expression.rule, span, None, true, out);
    }
}

impl Alphabet {
    /// Whether a token of this alphabet may hold the byte.
    pub fn holds(self, byte: u8) -> bool {
        match self {
            Alphabet::Digits => byte.is_ascii_digit(),
            Alphabet::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Alphabet::HexAny => byte.is_ascii_hexdigit(),
            Alphabet::Base36 => byte.is_ascii_digit() || byte.is_ascii_lowercase(),
            Alphabet::Base36Upper => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Alphabet::Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
            Alphabet::Base62 => byte.is_ascii_alphanumeric(),
            Alphabet::Base64Url => byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-',
            Alphabet::Base64 => byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/',
            Alphabet::TokenDots => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Alphabet::Token => byte.is_ascii_alphanumeric() || b"_-.~+/=%:".contains(&byte),
        }
    }

    /// Punctuation of the sentence around a token rather than its last character.
    fn trails(self, byte: u8) -> bool {
        matches!((self, byte), (Alphabet::TokenDots | Alphabet::Token, b'.' | b':'))
    }
}
