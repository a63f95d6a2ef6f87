//! Records that a source puts together itself, with what it knows of each.

use super::contract::{Layout, Placed};
use crate::batch::Facts;
use std::ops::Range;

/// Records made so far. Holds raw text: deliberately without `Debug`.
#[derive(Default)]
pub struct Made {
    /// Their texts, each with its line end.
    pub bytes: Vec<u8>,
    /// Where they are.
    pub layout: Layout,
}

/// What a source knows of a record beside its text.
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    /// Offset in the stream's generation.
    pub at: u64,
    /// Severity and time.
    pub facts: Facts,
    /// The host it names, raw; empty for none.
    pub host: &'a [u8],
    /// The service it names, raw; empty for none.
    pub service: &'a [u8],
    /// Its text was too long to be kept.
    pub too_long: bool,
}

impl Made {
    /// Adds a record; its line end is added where it is missing. What is too long is kept by its first byte.
    pub fn add(&mut self, text: &[u8], known: &Known<'_>) {
        let text = if known.too_long { &text[..text.len().min(1)] } else { text };
        self.bytes.extend_from_slice(text);
        if !text.ends_with(b"\n") {
            self.bytes.push(b'\n');
        }
        let host = self.name(known.host, |last| &last.host);
        let service = self.name(known.service, |last| &last.service);
        let (at, facts, too_long) = (known.at, known.facts, known.too_long);
        let end = self.bytes.len() as u32;
        self.layout.records.push(Placed { end, at, facts, host, service, too_long });
    }

    /// True when nothing was made.
    pub fn is_empty(&self) -> bool {
        self.layout.records.is_empty()
    }

    /// Enters a name; one that equals the last record's shares its bytes.
    fn name(&mut self, name: &[u8], of: impl Fn(&Placed) -> &Range<u32>) -> Range<u32> {
        if name.is_empty() {
            return 0..0;
        }
        let last = self.layout.records.last().map(of).cloned();
        match last.filter(|last| self.layout.text(last) == name) {
            Some(last) => last,
            None => self.layout.name(name),
        }
    }
}
