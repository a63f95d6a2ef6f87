//! The expander: makes every view of a record, one at a time, in scratch space that is reused.
//!
//! Invariants: a record without triggers costs a few `memchr`s and no allocation; decoded bytes of one record never
//! exceed [`budget`]; views come depth first, at most [`MAX_DEPTH`] deep.

use super::chain::{Chain, Encoding, MAX_DEPTH};
use super::map::OffsetMap;
use super::region::{self, Inline};
use super::run::{self, Opaque};
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

/// One level of decoding: text, and where it came from in the level above.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) encoding: Option<Encoding>,
    pub(super) text: Vec<u8>,
    pub(super) map: OffsetMap,
    /// Set for run encodings: every decoded byte stands for the whole of this span.
    pub(super) whole: Option<Span>,
    /// The first `context` bytes of `text` are copied from before the decoded region.
    pub(super) context: usize,
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

/// Run encodings, tried in this order on each opaque run.
const OPAQUE: [Opaque; 2] = [hex::OPAQUE, base64::OPAQUE];

/// How many decoded bytes all views of a record of `len` bytes may have together.
pub fn budget(len: usize) -> usize {
    (64 << 10).max(8 * len)
}

impl Expander {
    /// Hands every view of `record` to `each`. Spans that a view maps back are offsets into `record`.
    ///
    /// # Errors
    ///
    /// [`Exhausted`] when the views together exceed [`budget`]; the views already handed out were not all.
    pub fn expand(&mut self, record: &[u8], each: &mut dyn FnMut(&View<'_>)) -> Result<(), Exhausted> {
        self.spent = 0;
        self.budget = budget(record.len());
        self.descend(record, 0, each)
    }

    /// All views of the text at `depth` (0: the record itself).
    fn descend(&mut self, record: &[u8], depth: usize, each: &mut dyn FnMut(&View<'_>)) -> Result<(), Exhausted> {
        for codec in &INLINE {
            let mut from = 0;
            loop {
                let (source, parent, next) = levels(&mut self.frames, record, depth);
                let Some(resume) = region::decode_next(codec, source, parent, from, next) else { break };
                from = resume;
                self.show(record, depth, each)?;
            }
        }
        self.descend_runs(record, depth, each)
    }

    /// All views of opaque runs of the text at `depth`.
    fn descend_runs(&mut self, record: &[u8], depth: usize, each: &mut dyn FnMut(&View<'_>)) -> Result<(), Exhausted> {
        let mut from = 0;
        loop {
            let (source, parent, _) = levels(&mut self.frames, record, depth);
            let Some(found) = run::next(source, parent, from) else { return Ok(()) };
            from = found.end as usize;
            for codec in &OPAQUE {
                let (source, _, next) = levels(&mut self.frames, record, depth);
                let Some(whole) = (codec.decode)(source, found, &mut self.scratch, &mut next.text) else {
                    continue;
                };
                next.encoding = Some(codec.encoding);
                next.whole = Some(whole);
                next.context = 0;
                self.show(record, depth, each)?;
            }
        }
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

impl Frame {
    /// Maps a span of this level's text to the level above.
    fn to_source(&self, span: Span) -> Span {
        self.whole.unwrap_or_else(|| self.map.to_source(span))
    }

    /// True when the byte at `at` of this level's text was made by decoding rather than copied.
    pub(super) fn produced(&self, at: usize) -> bool {
        self.whole.is_some() || self.map.produced(at)
    }

    /// True when any byte of `span` of this level's text was made by decoding, or any was skipped in it.
    pub(super) fn produced_in(&self, span: Span) -> bool {
        self.whole.is_some() || self.map.produced_in(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(record: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let shown = Expander::default().expand(record.as_bytes(), &mut |view| {
            found.push((view.chain().to_string(), String::from_utf8_lossy(view.text()).into_owned()));
        });
        assert_eq!(shown, Ok(()));
        found
    }

    /// Raw bytes that `needle` maps back to in the first view of that chain which has it.
    fn raw_of(record: &str, chain: &str, needle: &str) -> Option<String> {
        let mut found = None;
        let shown = Expander::default().expand(record.as_bytes(), &mut |view| {
            let at = memchr::memmem::find(view.text(), needle.as_bytes());
            if let Some(at) = at.filter(|_| found.is_none() && view.chain().to_string() == chain) {
                let raw = view.to_raw(Span::new(at, at + needle.len()));
                found = Some(String::from_utf8_lossy(raw.of(record.as_bytes())).into_owned());
            }
        });
        assert_eq!(shown, Ok(()));
        found
    }

    #[test]
    fn every_encoding_and_chain_maps_back_to_its_raw_bytes() {
        let mail = "jan@example.com";
        let table = [
            (r#"{"contact":"jan\u0040example.com","id":17}"#, "escape", mail, r"jan\u0040example.com"),
            (r#"{"m":"{\"c\":\"jan\\u0040example.com\"}"}"#, "escape>escape", mail, r"jan\\u0040example.com"),
            (r"mail jan\x40example.com", "escape", mail, r"jan\x40example.com"),
            ("GET /i?email=jan%40example.com&plan=pro", "percent", mail, "jan%40example.com"),
            ("GET /r?n=email%3Djan%2540example.com%26p", "percent>percent", mail, "jan%2540example.com"),
            ("<td>jan&#64;example.com</td>", "html", mail, "jan&#64;example.com"),
            ("X-Orig: jan=40example.com", "quoted-printable", mail, "jan=40example.com"),
            ("to jan＠example．com.", "fold", mail, "jan＠example．com"),
            ("a#012jan@example.com#012b", "syslog", "\njan@example.com", "#012jan@example.com"),
            ("From: =?utf-8?Q?jan=40example.com?= x", "encoded-word", mail, "=?utf-8?Q?jan=40example.com?="),
            ("id 6a616e406578616d706c652e636f6d.", "hex", mail, "6a616e406578616d706c652e636f6d"),
            (
                r#"{"data":"eyJlbWFpbCI6ImphbkBleGFtcGxlLmNvbSJ9\n"}"#,
                "base64",
                mail,
                "eyJlbWFpbCI6ImphbkBleGFtcGxlLmNvbSJ9",
            ),
            (r#"{"u":"a\/b?d=eyJlbWFpbCI6ImphbkBleGFtcGxlLmNvbSJ9%3D%3D"}"#, "escape>percent", "d=", "d="),
        ];
        for (record, chain, needle, raw) in table {
            assert_eq!(raw_of(record, chain, needle).as_deref(), Some(raw), "{record}: {:?}", views(record));
        }
    }

    #[test]
    fn no_reading_joins_two_strings() {
        let record = r#"{"a":"x \"password\": \"FAKE","next":"sta\u0079","n":1}"#;
        for (_, text) in views(record) {
            assert!(!(text.contains("FAKE") && text.contains("next")), "{text}");
        }
    }

    #[test]
    fn a_region_keeps_its_key_and_a_key_its_value() {
        assert_eq!(views(r#"{"kod":"a\u0062"}"#), [("escape".into(), r#""kod":"ab""#.into())]);
        let value = r#"{"has\u0142o":"FA\"KE","n":1}"#;
        let found = views(value);
        assert!(found.iter().any(|(_, text)| text == r#""hasło":"FA\"KE""#), "{found:?}");
    }

    #[test]
    fn plain_records_have_no_views() {
        for record in [
            "2026-03-01T10:00:00Z INFO worker[12] took 12ms status=200 id=8812 done 100%",
            r#"{"level":"info","path":"/v1/orders","request_id":"6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88"}"#,
            "Zażółć gęślą jaźń",
        ] {
            assert_eq!(views(record), [], "{record}");
        }
    }

    #[test]
    fn too_many_readings_are_refused() {
        let record = r#"{"\u0061":["#.repeat(4000);
        assert_eq!(Expander::default().expand(record.as_bytes(), &mut |_| ()), Err(Exhausted));
    }
}
