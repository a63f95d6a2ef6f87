//! The search of one text (a raw record or a view of it): prefilter hits and triggers in, findings out.
//!
//! Every form verifies in a bounded window around its hit, and every reader to the right has a cursor, so
//! the search is linear in the text. Scratch space is cleared and reused.

use super::anchor::{AnchorRun, anchored, short_anchored};
use super::context::Nearness;
use super::finding::{Finding, Span};
use super::gate::Open;
use super::key::{self, Carry, KeyCursor, WordHit};
use super::prefilter::{Hit, Target};
use super::rule::RuleIndex;
use super::ruleset::RuleSet;
use super::shape::ShapeHit;
use super::simd;
use super::steps;
use super::trigger::{Triggers, here, within};
use super::validate::Verdict;
use regex::bytes::{CaptureLocations, Regex};
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
    keyed: Vec<Finding>,
    /// Words of the record that open shapes of digits.
    open: Open,
    cursor: KeyCursor,
    /// Per anchor: the run read last, so that many literals in one run read it once.
    anchor_run: Vec<AnchorRun>,
    /// Per shape, anchor and expression: what begins before this offset need not be asked; and per expression again: in
    /// windows that end before this one it finds nothing.
    resume: [Resume; 4],
    /// Furthest resume of the shapes of digits.
    digits_resume: u32,
    /// Groups of the expression asked last, kept by expression.
    groups: Vec<Option<CaptureLocations>>,
}

const SHAPES: usize = 0;
const ANCHORS: usize = 1;
const EXPRESSIONS: usize = 2;
const QUIET: usize = 3;

/// Offsets to resume at; what a record did not touch costs the next one nothing.
#[derive(Default)]
struct Resume {
    offsets: Vec<u32>,
    touched: Vec<u16>,
}

impl Resume {
    #[inline]
    fn reset(&mut self, count: usize) {
        if !self.touched.is_empty() || self.offsets.len() != count {
            self.forget(count);
        }
    }

    fn forget(&mut self, count: usize) {
        if self.offsets.len() == count {
            self.touched.drain(..).for_each(|number| self.offsets[usize::from(number)] = 0);
        } else {
            self.touched.clear();
            self.offsets.clear();
            self.offsets.resize(count, 0);
        }
    }

    /// 0 where nothing was found in this record.
    fn of(&self, number: u16) -> u32 {
        self.offsets[usize::from(number)]
    }

    fn set(&mut self, number: u16, offset: u32) {
        if self.of(number) == 0 {
            self.touched.push(number);
        }
        self.offsets[usize::from(number)] = offset;
    }
}

/// Hits and triggers of a text that belong to one record.
pub(super) struct Window<'h> {
    pub(super) hits: &'h [Hit],
    pub(super) record: Range<usize>,
}

/// What the first visit of a text leaves for the second: hits of literals, and triggers.
#[derive(Default)]
pub(super) struct Sight {
    /// In order of their starts.
    pub(super) hits: Vec<Hit>,
    pub(super) triggers: Triggers,
}

impl Sight {
    /// Visits `text`; forgets the one before.
    pub(super) fn of(&mut self, rules: &RuleSet, text: &[u8]) {
        self.hits.clear();
        rules.prefilter.scan(text, &mut self.hits);
        self.triggers.scan(text, &rules.by_trigger.digit_filter);
    }
}

/// Searches one text that is a record of its own (a view): prefilter, triggers, verification.
pub(super) fn search_text(
    rules: &RuleSet,
    text: &[u8],
    sight: &mut Sight,
    scratch: &mut Scratch,
    out: &mut Vec<Found>,
) {
    sight.of(rules, text);
    let window = Window { hits: &sight.hits, record: 0..text.len() };
    search(rules, text, &window, &mut sight.triggers, &mut None, scratch, out);
}

/// Verifies the hits of `window` and the triggers that lie in its record. `carry` is a value that the record before
/// left open, afterwards what this one leaves.
pub(super) fn search(
    rules: &RuleSet,
    text: &[u8],
    window: &Window<'_>,
    triggers: &mut Triggers,
    carry: &mut Option<Carry>,
    scratch: &mut Scratch,
    out: &mut Vec<Found>,
) {
    scratch.reset(rules, window.record.clone());
    if let Some(open) = carry.take() {
        key::resume(text, open, &rules.keys, &mut scratch.cursor, &mut scratch.keyed);
    }
    for &hit in window.hits {
        for &target in rules.prefilter.targets(hit) {
            steps::add(1);
            match target {
                Target::Anchor(number) => {
                    let (rule, anchor) = &rules.anchors[usize::from(number)];
                    let resume = &mut scratch.resume[ANCHORS];
                    let run = &mut scratch.anchor_run[usize::from(number)];
                    // A literal that reaches out of the run read last begins a token of its own.
                    if hit.end() <= resume.of(number) {
                        continue;
                    }
                    // Glued to a token that was just found, an anchor needs no other border.
                    let glued = out.last().is_some_and(|last| last.strong && last.finding.span.end >= hit.start());
                    if let Some((span, read)) = anchored(text, &window.record, hit, anchor, glued, run) {
                        resume.set(number, read);
                        accept(rules, text, &window.record, *rule, span, None, true, out);
                    } else {
                        resume.set(number, hit.end());
                    }
                }
                Target::Key(word) => {
                    let word = WordHit { start: hit.start(), end: hit.end(), word };
                    key::find(text, word, &rules.keys, &mut scratch.cursor, &mut scratch.keyed);
                }
                Target::Shape(number) => ask(rules, text, &window.record, number, hit.start(), scratch, out),
                Target::Gate(word) => scratch.open.push(hit.start(), hit.end(), word),
                Target::Regex(number) => expression(rules, text, &window.record, number, hit, scratch, out),
            }
        }
    }
    *carry = key::finish(text, &rules.keys, &mut scratch.cursor, &mut scratch.keyed);
    out.extend(scratch.keyed.drain(..).map(|finding| Found { finding, strong: true, refused: false }));
    ask_triggers(rules, text, &window.record, triggers, scratch, out);
    names_beside(rules, text, &window.record, scratch, out);
}

/// Asks for names around what was found of persons.
fn names_beside(rules: &RuleSet, text: &[u8], record: &Range<usize>, scratch: &mut Scratch, out: &mut Vec<Found>) {
    const REACH: usize = 256;
    let Some(number) = rules.names_beside else { return };
    let mut asked = record.start;
    for index in 0..out.len() {
        let Found { finding, refused, .. } = &out[index];
        if *refused || !rules.compiled[usize::from(finding.rule.0)].of_person {
            continue;
        }
        let (start, end) = (finding.span.start as usize, finding.span.end as usize);
        let from = asked.max(start.saturating_sub(REACH));
        let to = record.end.min(end.saturating_add(REACH));
        if from < to {
            steps::add(to - from);
            asked = to;
        }
        for at in from..to {
            if text[at].is_ascii_uppercase() || (0xC3..=0xC5).contains(&text[at]) {
                ask(rules, text, record, number, at as u32, scratch, out);
            }
        }
    }
}

impl Scratch {
    fn reset(&mut self, rules: &RuleSet, record: Range<usize>) {
        self.cursor.begin(record);
        self.keyed.clear();
        self.open.clear();
        self.digits_resume = 0;
        // Runs are those of the record before: forget the ones it read.
        for number in &self.resume[ANCHORS].touched {
            if let Some(run) = self.anchor_run.get_mut(usize::from(*number)) {
                *run = AnchorRun::default();
            }
        }
        self.anchor_run.resize(rules.anchors.len(), AnchorRun::default());
        let expressions = rules.expressions.len();
        let counts = [rules.shapes.len(), rules.anchors.len(), expressions, expressions];
        for (resume, count) in self.resume.iter_mut().zip(counts) {
            resume.reset(count);
        }
    }
}

fn ask_triggers(
    rules: &RuleSet,
    text: &[u8],
    record: &Range<usize>,
    triggers: &mut Triggers,
    scratch: &mut Scratch,
    out: &mut Vec<Found>,
) {
    let [at, dotted, colons, pairs, opaque] = &mut triggers.done;
    let table = &rules.by_trigger;
    let mut ask_all = |shapes: &[u16], at| {
        for &number in shapes {
            ask(rules, text, record, number, at, scratch, out);
        }
    };
    for (list, shapes, done) in [(&triggers.at, &table.at, at), (&triggers.dotted, &table.dotted, dotted)] {
        for &at in here(list, record, done) {
            ask_all(shapes, at);
        }
    }
    // One shape asks at both: in order, so that a later hit does not hide an earlier one.
    let mut pairs = here(&triggers.pairs, record, pairs).iter().peekable();
    for &at in here(&triggers.colons, record, colons) {
        while let Some(&before) = pairs.next_if(|before| **before < at) {
            ask_all(&table.pairs, before);
        }
        ask_all(&table.colons, at);
    }
    pairs.for_each(|&at| ask_all(&table.pairs, at));
    let opaque = within(&triggers.opaque, record, opaque, |(start, _)| *start);
    simd::with_bit_instructions(|| ask_digits(rules, text, record, triggers, scratch, out));
    for &(start, end) in &triggers.opaque[opaque] {
        for &number in &table.opaque {
            ask(rules, text, record, number, start, scratch, out);
        }
        let mut taken = None;
        for (number, literal) in rules.short_index.at(text, start as usize..end as usize) {
            let (rule, short) = &rules.short_anchors[usize::from(number)];
            // Of several literals of a rule (`sk_test_`, `sk_`) the first that fits.
            if taken == Some(number) {
                continue;
            }
            if let Some(span) = short_anchored(text, record, start as usize..end as usize, short, literal) {
                taken = Some(number);
                accept(rules, text, record, *rule, span, None, true, out);
            }
        }
    }
    ask_behind_tokens(rules, text, record, out);
}

/// Asks short anchors inside of runs, where a token that was found ends: glued to it, they need no other border.
fn ask_behind_tokens(rules: &RuleSet, text: &[u8], record: &Range<usize>, out: &mut Vec<Found>) {
    /// No short anchor needs a longer run.
    const REACH: usize = 256;
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let (mut index, mut done) = (0, record.start);
    while index < out.len() {
        let Found { finding, strong, refused } = out[index];
        index += 1;
        let at = finding.span.end as usize;
        if !strong || refused || at < done || at >= record.end || !token(&text[at - 1]) || !token(&text[at]) {
            continue;
        }
        let run = at..at + text[at..record.end.min(at + REACH)].iter().take_while(|byte| token(byte)).count();
        steps::add(run.len());
        for (number, literal) in rules.short_index.at(text, run.clone()) {
            let (rule, short) = &rules.short_anchors[usize::from(number)];
            if let Some(span) = short_anchored(text, record, run.clone(), short, literal) {
                done = done.max(span.end as usize);
                accept(rules, text, record, *rule, span, None, true, out);
            }
        }
    }
}

/// Asks the shapes of digits at the groups of a record.
#[inline(always)]
fn ask_digits(
    rules: &RuleSet,
    text: &[u8],
    record: &Range<usize>,
    triggers: &Triggers,
    scratch: &mut Scratch,
    out: &mut Vec<Found>,
) {
    let index = &rules.by_trigger.digits;
    let mut open = std::mem::take(&mut scratch.open);
    // What a filter for whole blocks cannot know: that a record begins or ends in the middle of a line.
    let bordered = |at: usize, outer: bool| outer || text[at] == b'\n';
    let whole =
        bordered(record.start.wrapping_sub(1), record.start == 0) && bordered(record.end, record.end >= text.len());
    let every = !whole || !open.is_empty();
    let mut from = record.start;
    loop {
        let at = if !whole && from == record.start && text.get(from).is_some_and(u8::is_ascii_digit) {
            Some(from as u32)
        } else {
            next_group(triggers, from..record.end, every, scratch.digits_resume)
        };
        let Some(at) = at else { break };
        from = at as usize + 1;
        // Left of its own last hit a shape sees nothing.
        let behind_hit = at <= scratch.digits_resume + 1 && scratch.digits_resume > 0;
        let near = open.at(&rules.gates, index.always(), at);
        let group = triggers.group(at);
        if behind_hit {
            let rows = near.unwrap_or(index.always());
            index.any(group.count, rows, |number| ask(rules, text, record, number, at, scratch, out));
        } else if near.is_some() || !every || !whole || triggers.is_likely(at) {
            let rows = near.unwrap_or(index.always());
            index.at(text, record, group, rows, |number| ask(rules, text, record, number, at, scratch, out));
        }
    }
    scratch.open = open;
}

/// The next group to look at: every one right behind a hit that ends at `resume` and where `every` is wanted, otherwise
/// one that is likely to be something.
fn next_group(triggers: &Triggers, range: Range<usize>, every: bool, resume: u32) -> Option<u32> {
    if every {
        return triggers.next_group(range);
    }
    let near = if resume > 0 { range.end.min(resume as usize + 2) } else { 0 };
    let behind_hit = (range.start < near).then(|| triggers.next_group(range.start..near)).flatten();
    behind_hit.or_else(|| triggers.next_likely(range))
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
    let resume = scratch.resume[SHAPES].of(number);
    if at < resume {
        return;
    }
    let record_text = &text[..record.end];
    steps::add(1);
    if let Some(hit) = (shape.find)(record_text, at as usize, (resume as usize).max(record.start)) {
        let resume = hit.resume.max(at + 1);
        steps::add((resume - at) as usize);
        scratch.resume[SHAPES].set(number, resume);
        if rules.by_trigger.digits.knows(number) {
            scratch.digits_resume = scratch.digits_resume.max(resume);
        }
        accept(rules, text, record, *rule, hit.span, Some(hit), hit.named, out);
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
    let Scratch { resume, groups, .. } = scratch;
    let (resumed, quiet) = (resume[EXPRESSIONS].of(number), resume[QUIET].of(number));
    if hit.start() < resumed {
        return;
    }
    let from = (hit.start() as usize).saturating_sub(expression.before).max(record.start);
    let to = (hit.start() as usize + expression.after).max(hit.end() as usize).min(record.end);
    if to <= quiet as usize {
        return;
    }
    // Left of its own last value an expression sees nothing.
    let begin = from.max(resumed as usize);
    steps::add(to - begin);
    if groups.len() <= usize::from(number) {
        groups.resize(rules.expressions.len(), None);
    }
    let compiled = expression.expression.compiled();
    let groups = groups[usize::from(number)].get_or_insert_with(|| compiled.regex.capture_locations());
    if compiled.regex.captures_read_at(groups, &text[from..to], begin - from).is_none() {
        let until = if quiet as usize > from { quiet_until(&compiled.regex, text, begin..to, record) } else { to };
        return resume[QUIET].set(number, until as u32);
    }
    let value = groups.get(compiled.value).or_else(|| groups.get(0));
    if let Some((start, end)) = value.filter(|(start, end)| start < end) {
        let span = Span::new(from + start, from + end);
        resume[EXPRESSIONS].set(number, span.end.max(hit.end()));
        accept(rules, text, record, expression.rule, span, None, true, out);
    }
}

/// Where the first match behind a window without one begins, or as far as it was looked for: where literals of an
/// expression stand one beside the other, the windows of those to come are not searched one by one.
fn quiet_until(regex: &Regex, text: &[u8], window: Range<usize>, record: &Range<usize>) -> usize {
    let end = record.end.min(window.end + window.len());
    steps::add(end - window.start);
    regex.find(&text[window.start..end]).map_or(end, |found| window.end.max(window.start + found.start()))
}
