//! The expander: makes every view of a record, one at a time, in scratch space that is reused.
//!
//! Invariants: a record without triggers costs a few `memchr`s and no allocation; decoded bytes of one record never
//! exceed [`budget`]; views come depth first, at most [`MAX_DEPTH`] deep.

use super::chain::{Chain, MAX_DEPTH};
use super::frame::Frame;
use super::region::{self, Inline};
use super::run::{self, Opaque, RunStarts};
use super::{base64, encoded_word, escape, fold, hex, html, percent, quoted_printable, syslog};
use crate::redact::finding::Span;

/// Makes the views of records; owns all scratch space.
#[derive(Default)]
pub struct Expander {
    frames: [Frame; MAX_DEPTH],
    scratch: Vec<u8>,
    spent: usize,
    budget: usize,
}

/// One decoded reading of a record. Deliberately without `Debug`: it holds raw text.
#[derive(Clone, Copy)]
pub struct View<'a> {
    frames: &'a [Frame],
}

/// The record's views would be larger than its budget: it must be withheld.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exhausted;

/// What of a text is worth looking for: nothing is found of a kind that a caller knows not to be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encodings<'b> {
    /// Encoded characters between plain ones.
    pub characters: bool,
    /// Long runs that are encoded as a whole.
    pub runs: RunStarts<'b>,
}

impl Encodings<'_> {
    /// Nothing is known.
    pub const ALL: Encodings<'static> = Encodings { characters: true, runs: RunStarts::Anywhere };

    /// Whether there is anything to look for.
    pub fn any(self) -> bool {
        self.characters || self.runs.next(0).is_some()
    }
}

/// Inline encodings, in canonical order.
const INLINE: [Inline; 7] = [
    escape::INLINE,
    syslog::INLINE,
    percent::INLINE,
    html::INLINE,
    quoted_printable::INLINE,
    encoded_word::INLINE,
    fold::INLINE,
];

/// How many decoded bytes all views of a record of `len` bytes may have together.
pub fn budget(len: usize) -> usize {
    (64 << 10).max(8 * len)
}

impl Expander {
    /// Hands every view of `record` to `each`; `encodings` says what may be in it. Spans that a view maps back are offsets into `record`.
    ///
    /// # Errors
    ///
    /// [`Exhausted`] when the views together exceed [`budget`]; the views already handed out were not all.
    pub fn expand(
        &mut self,
        record: &[u8],
        encodings: Encodings<'_>,
        each: &mut dyn FnMut(&View<'_>),
    ) -> Result<(), Exhausted> {
        self.spent = 0;
        self.budget = budget(record.len());
        if encodings.characters {
            self.descend_characters(record, 0, each)?;
        }
        self.descend_runs(record, 0, encodings.runs, each)
    }

    /// All views of the text at `depth` (0: the record itself).
    fn descend(&mut self, record: &[u8], depth: usize, each: &mut dyn FnMut(&View<'_>)) -> Result<(), Exhausted> {
        self.descend_characters(record, depth, each)?;
        self.descend_runs(record, depth, RunStarts::Anywhere, each)
    }

    /// All views of encoded characters in the text at `depth`.
    fn descend_characters(
        &mut self,
        record: &[u8],
        depth: usize,
        each: &mut dyn FnMut(&View<'_>),
    ) -> Result<(), Exhausted> {
        let triggers = region::triggers(levels(&mut self.frames, record, depth).0);
        for codec in INLINE.iter().filter(|codec| codec.triggers & triggers != 0) {
            let mut from = 0;
            loop {
                let (source, parent, next) = levels(&mut self.frames, record, depth);
                let Some(resume) = region::decode_next(codec, source, parent, from, next) else { break };
                from = resume;
                self.show(record, depth, each)?;
            }
        }
        Ok(())
    }

    /// All views of opaque runs of the text at `depth`, which begin at `starts`.
    fn descend_runs(
        &mut self,
        record: &[u8],
        depth: usize,
        starts: RunStarts<'_>,
        each: &mut dyn FnMut(&View<'_>),
    ) -> Result<(), Exhausted> {
        let mut from = 0;
        loop {
            let (source, parent, _) = levels(&mut self.frames, record, depth);
            let Some(found) = run::next(source, parent, starts, from) else { return Ok(()) };
            from = found.end as usize;
            self.descend_run(record, depth, found, each)?;
        }
    }

    /// The views of one run: every text in hex it holds, what stands between those in base64, and all of it
    /// in base64. The parts are disjoint, so that a run is read a bounded number of times.
    fn descend_run(
        &mut self,
        record: &[u8],
        depth: usize,
        found: Span,
        each: &mut dyn FnMut(&View<'_>),
    ) -> Result<(), Exhausted> {
        let mut rest = found;
        while let Some(text) = self.decode_run(&hex::OPAQUE, record, depth, rest, each)? {
            let before = Span { end: text.start, ..rest };
            if before != found {
                self.decode_run(&base64::OPAQUE, record, depth, before, each)?;
            }
            rest.start = text.end;
        }
        if rest != found {
            self.decode_run(&base64::OPAQUE, record, depth, rest, each)?;
        }
        self.decode_run(&base64::OPAQUE, record, depth, found, each).map(|_| ())
    }

    /// Hands out the view of a run's part by one encoding; the span that was decoded.
    fn decode_run(
        &mut self,
        codec: &Opaque,
        record: &[u8],
        depth: usize,
        part: Span,
        each: &mut dyn FnMut(&View<'_>),
    ) -> Result<Option<Span>, Exhausted> {
        if part.len() < run::SHORTEST {
            return Ok(None);
        }
        let (source, _, next) = levels(&mut self.frames, record, depth);
        let Some(whole) = (codec.decode)(source, part, &mut self.scratch, &mut next.text) else { return Ok(None) };
        next.encoding = Some(codec.encoding);
        next.whole = Some(whole);
        next.context = 0;
        self.show(record, depth, each)?;
        Ok(Some(whole))
    }

    /// Hands out the view just made at `depth` and goes on below it.
    fn show(&mut self, record: &[u8], depth: usize, each: &mut dyn FnMut(&View<'_>)) -> Result<(), Exhausted> {
        self.spent += self.frames[depth].text.len();
        if self.spent > self.budget {
            return Err(Exhausted);
        }
        each(&View { frames: &self.frames[..=depth] });
        if depth + 1 < MAX_DEPTH { self.descend(record, depth + 1, each) } else { Ok(()) }
    }
}

/// The text to decode at `depth`, the frame it lies in (none for the record) and the frame to fill.
fn levels<'f>(
    frames: &'f mut [Frame; MAX_DEPTH],
    record: &'f [u8],
    depth: usize,
) -> (&'f [u8], Option<&'f Frame>, &'f mut Frame) {
    let (above, below) = frames.split_at_mut(depth);
    let parent = above.last();
    (parent.map_or(record, |frame| frame.text.as_slice()), parent, &mut below[0])
}

impl<'a> View<'a> {
    /// The decoded text to search.
    pub fn text(&self) -> &'a [u8] {
        &self.frames[self.frames.len() - 1].text
    }

    /// The raw bytes that `span` of [`View::text`] came from; the whole run where base64 or hex is involved.
    pub fn to_raw(&self, span: Span) -> Span {
        self.frames.iter().rev().fold(span, |span, frame| frame.to_source(span))
    }

    /// The raw bytes of the outermost base64 or hex run this view lies in.
    pub fn whole_run(&self) -> Option<Span> {
        let at = self.frames.iter().position(|frame| frame.whole.is_some())?;
        let run = self.frames[at].whole?;
        Some(self.frames[..at].iter().rev().fold(run, |span, frame| frame.to_source(span)))
    }

    /// The encodings between the raw record and this view.
    pub fn chain(&self) -> Chain {
        Chain::of(self.frames.iter().filter_map(|frame| frame.encoding))
    }

    /// True when `span` lies wholly in the text copied from before the decoded region: it was there in the
    /// level above already, and may be cut off at its left end here. Such a finding is to be dropped.
    pub fn is_context(&self, span: Span) -> bool {
        span.end as usize <= self.frames[self.frames.len() - 1].context
    }
}

/// Any bytes as a record: every view maps every span into the record, in order, and copied bytes are the record's.
#[doc(hidden)]
#[cfg(any(test, fuzzing))]
pub fn fuzz_offset_maps(data: &[u8]) {
    let mut decoded = 0;
    let shown = Expander::default().expand(data, Encodings::ALL, &mut |view| {
        decoded += view.text().len();
        let mut last = 0;
        for at in 0..view.text().len() {
            let raw = view.to_raw(Span::new(at, at + 1));
            assert!(raw.start < raw.end && raw.end as usize <= data.len(), "a span inside the record");
            assert!(last <= raw.start, "spans in order");
            let copied = view.chain().encodings().len() == 1 && !view.frames[0].produced(at);
            assert!(!copied || raw.of(data) == &view.text()[at..at + 1], "copied bytes are the record's");
            last = raw.start;
        }
        let whole = Span::new(0, view.text().len());
        assert!(view.text().is_empty() || view.to_raw(whole).end as usize <= data.len());
    });
    assert!(shown.is_err() || decoded <= budget(data.len()), "within the budget");
}

#[cfg(test)]
mod tests;
