//! The texts our own masks are made of, so that a second pass leaves them as they are.

use crate::redact::words::Words;
use std::ops::Range;

/// Bytes of the longest mask, brackets included.
const LONGEST: usize = 66;

/// The labels of a rule set. Until any are told, every word in brackets that looks like one counts.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Sorted.
    known: Vec<Box<[u8]>>,
}

impl Labels {
    /// Exactly these labels, written without brackets: `github-token`.
    pub fn new<'l>(labels: impl IntoIterator<Item = &'l str>) -> Labels {
        let mut known: Vec<Box<[u8]>> = labels.into_iter().map(|label| label.as_bytes().into()).collect();
        known.sort_unstable();
        Labels { known }
    }

    /// Whether `[inner]` is one of our labels (also numbered, also with a card's last four) or one of the
    /// usual masks of others: `[REDACTED]`, `[EMAIL:9f2c]`.
    pub(crate) fn knows(&self, inner: &[u8]) -> bool {
        if !(2..=LONGEST - 2).contains(&inner.len()) {
            return false;
        }
        let digits = inner.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let stem = match &inner[..inner.len() - digits] {
            [stem @ .., b'-'] if digits > 0 => stem,
            _ => inner,
        };
        self.has(inner) || stem.len() < inner.len() && self.has(stem) || is_foreign(inner)
    }

    /// The end of the mask that the bracket at `open` begins, when it is one.
    pub(crate) fn mask_end(&self, text: &[u8], open: usize) -> Option<usize> {
        let inner = &text[open + 1..text.len().min(open + LONGEST)];
        let close = memchr::memchr(b']', inner).filter(|close| self.knows(&inner[..*close]))?;
        Some(open + close + 2)
    }

    /// Whether a value is nothing but such masks, side by side.
    pub(crate) fn make_up(&self, value: &[u8]) -> bool {
        let mut at = 0;
        while value.get(at) == Some(&b'[') {
            let Some(end) = self.mask_end(value, at) else { break };
            at = end;
        }
        at == value.len() && at > 0
    }

    /// The mask, brackets included, of which one byte lies left of `at` and one does not; neither end of it is looked for
    /// outside of `bounds`.
    pub(crate) fn across(&self, text: &[u8], bounds: Range<usize>, at: usize) -> Option<Range<usize>> {
        let low = bounds.start.max(at.saturating_sub(LONGEST));
        let open = low + memchr::memrchr(b'[', text.get(low..at)?)?;
        self.mask_end(&text[..bounds.end], open).filter(|end| *end > at).map(|end| open..end)
    }

    /// Where `[label]` begins whose label's last byte stands right before `end`, when it is one of ours.
    pub(crate) fn closed_at(&self, text: &[u8], floor: usize, end: usize) -> Option<usize> {
        let low = floor.max(end.saturating_sub(LONGEST - 1));
        let open = low + memchr::memrchr(b'[', &text[low..end])?;
        (text.get(end) == Some(&b']') && self.knows(&text[open + 1..end])).then_some(open)
    }

    fn has(&self, label: &[u8]) -> bool {
        if !self.known.is_empty() {
            return self.known.binary_search_by(|known| known.as_ref().cmp(label)).is_ok();
        }
        label.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
            && label.first().is_some_and(u8::is_ascii_lowercase)
    }
}

/// What others write in brackets where a value was, in letters of either case.
#[rustfmt::skip]
static MASKS: Words = Words::new(&[
    "redacted", "masked", "filtered", "hidden", "removed", "secret", "omitted", "scrubbed", "sensitive", "protected",
    "censored", "none", "null", "empty", "not set", "unset", "withheld",
]);

/// `REDACTED`, `MASKED VALUE`, `EMAIL:9f2c`: capitals, maybe a digest.
fn is_foreign(inner: &[u8]) -> bool {
    let word = inner.iter().take_while(|byte| byte.is_ascii_uppercase() || b"_- ".contains(byte)).count();
    let digest = match &inner[word..] {
        [] => true,
        [b':', digest @ ..] => digest.len() <= 16 && digest.iter().all(u8::is_ascii_hexdigit),
        _ => false,
    };
    (word >= 2 && digest) || MASKS.has(inner)
}
