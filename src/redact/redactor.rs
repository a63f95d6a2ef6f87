//! The door of the engine: blocks of raw records in, [`Redacted`] records out.
//!
//! Invariants: [`Redacted`] is made here only; every record handed in comes out exactly once and in
//! order; if anything fails while a record is redacted it comes out withheld, never raw.

use super::claims::{Claims, Origin};
pub use super::finding::Withheld;
use super::finding::{Finding, Span};
use super::json_borders::Begins;
use super::json_number::{Number, Numbers};
use super::key::{self, Carry};
use super::long_record::{LONG, LongRecord, Windows};
use super::prefilter::{Hit, Target};
use super::reason::Seen;
pub use super::redacted::{Piece, Redacted};
use super::rule::RuleIndex;
use super::ruleset::RuleSet;
use super::search::{Found, Scratch, Sight, Window, search, search_text};
use super::shape::key_block::{self, Block, Line};
use super::steps;
use super::trigger::Triggers;
use super::view::{Encodings, Expander};
use crate::record::Fingerprint;
use crate::token::Minter;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Records longer than this get their views window by window, bytes.
const VIEW_WINDOW: usize = 1 << 20;
/// Overlap of such windows: not shorter than the longest bounded secret.
const VIEW_OVERLAP: usize = 64 << 10;
/// Records a key block may reach over.
const BLOCK_RECORDS: u16 = 256;

/// In tests the engine panics on a record that holds this.
#[cfg(test)]
pub(super) const TRIPWIRE: &[u8] = b"the-engine-trips-over-this";

/// Raw record text on its way into the engine. Deliberately without `Debug`, `Display` and `Serialize`.
#[derive(Clone, Copy)]
pub struct RawLine<'a>(pub &'a [u8]);

/// Redacts for one worker: owns scratch space that is cleared and reused, never dropped.
pub struct Redactor {
    rules: Arc<RuleSet>,
    minter: Option<Minter>,
    sight: Sight,
    work: Work,
}

/// Scratch of one record.
#[derive(Default)]
struct Work {
    scratch: Scratch,
    view_scratch: Scratch,
    view_sight: Sight,
    expander: Expander,
    found: Vec<Found>,
    claims: Claims,
    /// Bare numbers of the view in work.
    numbers: Numbers,
}

/// What must be remembered of one stream between calls: an open key block that continues on later records.
/// Equal states make the same of the same records.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct StreamState {
    /// Records since the BEGIN marker of an open block.
    open: Option<u16>,
    /// A key whose value is expected in the next record, and the rules it speaks of.
    carry: Option<(Fingerprint, Carry)>,
}

impl StreamState {
    /// Goes on under another rule set. A value that is still expected stays expected, and a table stays open, under the
    /// rules of the same ids; so does a key block.
    pub fn follow(&mut self, old: &RuleSet, new: &RuleSet) {
        let Some((of, carry)) = self.carry.take() else { return };
        let number =
            |rule| new.rules().iter().position(|other| other.id == old.id(rule)).map(|at| RuleIndex(at as u16));
        let carry = if of == old.fingerprint() { carry.renumbered(number) } else { None };
        self.carry = carry.map(|carry| (new.fingerprint(), carry));
    }

    /// True when the next record is read as if it were the first.
    fn is_idle(&self) -> bool {
        self.open.is_none() && self.carry.is_none()
    }

    /// True while a later record may continue something: never for more than 256 records in a row.
    fn is_open(&self) -> bool {
        self.open.is_some() || self.carry.as_ref().is_some_and(|(_, carry)| carry.holds())
    }
}

impl Redactor {
    /// A redactor over a compiled rule set.
    pub fn new(rules: Arc<RuleSet>) -> Redactor {
        Redactor { rules, minter: None, sight: Sight::default(), work: Work::default() }
    }

    /// Continues with another rule set; takes effect at the next call of [`Redactor::redact`].
    pub fn set_rules(&mut self, rules: Arc<RuleSet>) {
        self.rules = rules;
        // Some of the scratch space is shaped by the rules.
        (self.work.scratch, self.work.view_scratch) = Default::default();
    }

    /// The rule set in force.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Mints tokens from now on for rules that ask for them; `None`: labels.
    pub fn set_minter(&mut self, minter: Option<Minter>) {
        self.minter = minter;
    }

    /// Every candidate of the record handed out last and what became of it; empty unless the rule set was
    /// asked for reasons.
    pub(super) fn seen(&self) -> &[Seen] {
        self.work.claims.seen()
    }

    /// Redacts the records of `block` and hands them to `each` in order. Record `i` ends at `ends[i]`
    /// (its terminating `\n`, where it has one, is the last byte before that offset and is not part of the
    /// record's text) and starts where the one before it ended.
    pub fn redact(
        &mut self,
        stream: &mut StreamState,
        block: &[u8],
        ends: &[u32],
        each: &mut dyn FnMut(&Redacted<'_>),
    ) {
        if block.len() <= LONG {
            return self.records(stream, block, 0, ends, each);
        }
        let (mut start, mut first, mut done) = (0, 0, 0);
        for (place, &end) in ends.iter().enumerate() {
            let end = end as usize;
            if end - start > LONG {
                self.records(stream, &block[done..start], done, &ends[first..place], each);
                self.long(stream, &block[start..end], start, each);
                (first, done) = (place + 1, end);
            }
            start = end;
        }
        self.records(stream, &block[done..start], done, &ends[first..], each);
    }

    /// Redacts records none of which is long; `block` begins at `base`, from which their ends do not count.
    fn records(
        &mut self,
        stream: &mut StreamState,
        block: &[u8],
        base: usize,
        ends: &[u32],
        each: &mut dyn FnMut(&Redacted<'_>),
    ) {
        self.sight.of(&self.rules, block);
        let (mut start, mut first_hit) = (0, 0);
        for &end in ends {
            let range = start..end as usize - base;
            let rest = &self.sight.hits[first_hit..];
            let last_hit = first_hit + rest.iter().take_while(|hit| (hit.start() as usize) < range.end).count();
            let idle = first_hit == last_hit && stream.is_idle() && self.sight.triggers.are_silent(block, &range);
            if idle && !key::may_open(&block[without_line_end(block, &range)]) {
                self.untouched(block, base, range.clone(), each);
            } else {
                self.record(stream, block, base, range.clone(), first_hit..last_hit, each);
            }
            (start, first_hit) = (range.end, last_hit);
        }
    }

    /// Redacts one record of any length window by window; it begins at `base`.
    fn long(&mut self, stream: &mut StreamState, record: &[u8], base: usize, each: &mut dyn FnMut(&Redacted<'_>)) {
        let raw = record.strip_suffix(b"\n").unwrap_or(record);
        let mut long = LongRecord::default();
        let withheld = self.windows(stream, raw, &mut long).err();
        if let Some(reason) = withheld {
            self.work.claims.withhold(raw, reason);
        }
        let claims = &self.work.claims;
        let of_claims = withheld.is_some();
        each(&Redacted {
            raw,
            range: base..base + record.len(),
            edits: if of_claims { claims.edits() } else { &long.edits },
            masks: if of_claims { claims.masks() } else { &long.masks },
            rules: if of_claims { &[] } else { &long.rules },
            shadowed: &long.shadowed,
            allowed: &long.allowed,
            tokens: if of_claims { &[] } else { &long.tokens },
            withheld,
            in_open_block: stream.is_open(),
        });
        // What a long record needed is not kept for the ones behind it.
        (self.sight, self.work) = Default::default();
    }

    fn windows(&mut self, stream: &mut StreamState, raw: &[u8], long: &mut LongRecord) -> Result<(), Withheld> {
        let mut windows = Windows::new(raw);
        while let Some(mut plan) = windows.plan() {
            let before = (stream.open, stream.carry);
            let last = loop {
                let text = &raw[plan.text.clone()];
                self.sight.of(&self.rules, text);
                self.attempt(stream, text, 0..text.len(), 0..self.sight.hits.len(), plan.begins)?;
                if windows.is_last(&plan) {
                    break true;
                }
                // What a container holds is masked by its key, which the next window does not see.
                if !stream.carry.as_ref().is_some_and(|(_, carry)| carry.is_container()) {
                    break false;
                }
                plan = windows.widen(&plan).ok_or(Withheld::Oversize)?;
                (stream.open, stream.carry) = before;
            };
            let masked = long.take(raw, &plan, &self.work.claims)?;
            if !last {
                // The next window sees again what the overlap left open.
                (stream.open, stream.carry) = (None, None);
            }
            windows.finished(&plan, masked);
        }
        Ok(())
    }

    /// Searches one record or window; the reason when it must be withheld.
    fn attempt(
        &mut self,
        stream: &mut StreamState,
        block: &[u8],
        text: Range<usize>,
        hits: Range<usize>,
        begins: Begins,
    ) -> Result<(), Withheld> {
        let Redactor { rules, minter, sight: Sight { hits: all, triggers }, work } = self;
        let window = Window { hits: &all[hits], record: text };
        work.claims.set_begins(begins);
        let outcome =
            catch_unwind(AssertUnwindSafe(|| work.find(rules, minter.as_mut(), stream, block, &window, triggers)));
        outcome.unwrap_or_else(|_| {
            *work = Work::default();
            Err(Withheld::Internal)
        })
    }

    /// Hands out a record that is withheld as a whole, for a reason that its source knows. Of `record` only
    /// the first byte matters: it says whether a JSON value is expected in the record's place.
    pub fn withhold(&mut self, record: &[u8], reason: Withheld, each: &mut dyn FnMut(&Redacted<'_>)) {
        let claims = &mut self.work.claims;
        claims.begin(0..record.len());
        claims.withhold(record, reason);
        each(&Redacted {
            raw: record,
            range: 0..record.len(),
            edits: claims.edits(),
            masks: claims.masks(),
            rules: &[],
            shadowed: &[],
            allowed: &[],
            tokens: &[],
            withheld: Some(reason),
            in_open_block: false,
        });
    }

    /// Hands out a record that nothing was seen in.
    fn untouched(&mut self, block: &[u8], base: usize, range: Range<usize>, each: &mut dyn FnMut(&Redacted<'_>)) {
        let raw = without_line_end(block, &range);
        self.work.claims.begin(raw.clone());
        each(&Redacted {
            raw: &block[raw],
            range: range.start + base..range.end + base,
            edits: &[],
            masks: &[],
            rules: &[],
            shadowed: &[],
            allowed: &[],
            tokens: &[],
            withheld: None,
            in_open_block: false,
        });
    }

    fn record(
        &mut self,
        stream: &mut StreamState,
        block: &[u8],
        base: usize,
        range: Range<usize>,
        hits: Range<usize>,
        each: &mut dyn FnMut(&Redacted<'_>),
    ) {
        let text = without_line_end(block, &range);
        let withheld = self.attempt(stream, block, text.clone(), hits, Begins::Record).err();
        let work = &mut self.work;
        let raw = &block[text];
        if let Some(reason) = withheld {
            work.claims.withhold(raw, reason);
        }
        let claims = &self.work.claims;
        each(&Redacted {
            raw,
            range: range.start + base..range.end + base,
            edits: claims.edits(),
            masks: claims.masks(),
            rules: claims.rules(),
            shadowed: claims.shadowed(),
            allowed: claims.allowed(),
            tokens: claims.tokens(),
            withheld,
            in_open_block: stream.is_open(),
        });
    }
}

fn without_line_end(block: &[u8], range: &Range<usize>) -> Range<usize> {
    let ends = range.end > range.start && block[range.end - 1] == b'\n';
    range.start..range.end - usize::from(ends)
}

impl Work {
    /// Finds everything in one record and writes its edits.
    fn find(
        &mut self,
        rules: &RuleSet,
        mut minter: Option<&mut Minter>,
        stream: &mut StreamState,
        block: &[u8],
        window: &Window<'_>,
        triggers: &mut Triggers,
    ) -> Result<(), Withheld> {
        let record = window.record.clone();
        #[cfg(test)]
        assert!(memchr::memmem::find(&block[record.clone()], TRIPWIRE).is_none(), "the tripwire of a test");
        self.found.clear();
        self.claims.begin(record.clone());
        self.key_blocks(rules, stream, block, window);
        // Numbers of rules mean nothing to another rule set.
        let fingerprint = rules.fingerprint();
        let carry = stream.carry.take().filter(|(of, _)| *of == fingerprint);
        let mut carry = carry.map(|(_, carry)| carry);
        search(rules, block, window, triggers, &mut carry, &mut self.scratch, &mut self.found);
        stream.carry = carry.map(|carry| (fingerprint, carry));
        for found in self.found.drain(..) {
            self.claims.add(rules, minter.as_deref_mut(), block, found, None);
        }
        // Without a trace of an encoding in the record there is no view of it.
        let mut from = record.start;
        loop {
            let to = record.end.min(from + VIEW_WINDOW);
            let encodings = triggers.encodings(from, to);
            if encodings.any() {
                self.views(rules, minter.as_deref_mut(), &block[from..to], from, encodings)?;
            }
            if to == record.end {
                break;
            }
            from = to - VIEW_OVERLAP;
        }
        self.claims.finish(rules, block);
        Ok(())
    }

    /// Searches every view of `text`, which begins at `offset` of the block.
    fn views(
        &mut self,
        rules: &RuleSet,
        mut minter: Option<&mut Minter>,
        text: &[u8],
        offset: usize,
        encodings: Encodings<'_>,
    ) -> Result<(), Withheld> {
        let Work { expander, view_scratch, view_sight, found, claims, numbers, .. } = self;
        expander
            .expand(text, encodings, &mut |view| {
                found.clear();
                let decoded = view.text();
                search_text(rules, decoded, view_sight, view_scratch, found);
                key_blocks_of(rules, decoded, &view_sight.hits, found);
                found.sort_unstable_by_key(|found| (found.finding.span.start, found.finding.span.end));
                numbers.begin(decoded.len());
                steps::add(decoded.len());
                for found in found.drain(..).filter(|found| !view.is_context(found.finding.span)) {
                    let number = numbers.around(decoded, found.finding.span, 0, decoded.len());
                    let span = number.map_or(found.finding.span, |number| number.span);
                    let run = view.whole_run();
                    let raw = run.unwrap_or_else(|| view.to_raw(span));
                    let raw = Span::new(raw.start as usize + offset, raw.end as usize + offset);
                    let from =
                        Origin { raw, chain: view.chain(), run: run.is_some(), number: number.map(Number::depth) };
                    claims.add(rules, minter.as_deref_mut(), decoded, found, Some(from));
                }
            })
            .map_err(|_| Withheld::Decode)
    }

    /// Key blocks that begin in this record, go on in it or end in it.
    fn key_blocks(&mut self, rules: &RuleSet, stream: &mut StreamState, block: &[u8], window: &Window<'_>) {
        let Some(rule) = rules.key_block else { return };
        let record = &window.record;
        let strong = true;
        let mut add = |span: Span| self.found.push(Found { finding: Finding { rule, span }, strong, refused: false });
        if let Some(records) = stream.open.take() {
            match key_block::line(&block[record.clone()]) {
                Line::Body(span) => {
                    add(Span::new(record.start + span.start as usize, record.start + span.end as usize));
                    stream.open = Some(records + 1);
                }
                Line::Neutral => stream.open = Some(records + 1),
                Line::End | Line::Outside => {}
            }
            stream.open = stream.open.filter(|records| *records < BLOCK_RECORDS);
        }
        let mut read = record.start;
        for hit in window.hits.iter().filter(|hit| is_block_marker(rules, hit)) {
            if (hit.start() as usize) < read {
                continue;
            }
            match key_block::bodies(&block[..record.end], hit.start() as usize, &mut add) {
                Block::None => {}
                Block::Opens => stream.open = Some(0),
                Block::Inside(end) => read = end,
            }
        }
    }
}

/// Key blocks inside one view.
fn key_blocks_of(rules: &RuleSet, text: &[u8], hits: &[Hit], found: &mut Vec<Found>) {
    let Some(rule) = rules.key_block else { return };
    for hit in hits.iter().filter(|hit| is_block_marker(rules, hit)) {
        key_block::bodies(text, hit.start() as usize, &mut |span| {
            found.push(Found { finding: Finding { rule, span }, strong: true, refused: false });
        });
    }
}

fn is_block_marker(rules: &RuleSet, hit: &Hit) -> bool {
    let of_blocks = |target: &Target| matches!(target, Target::Shape(number) if Some(rules.shapes[usize::from(*number)].0) == rules.key_block);
    rules.prefilter.targets(*hit).iter().any(of_blocks)
}
