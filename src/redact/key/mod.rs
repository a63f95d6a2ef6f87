//! Keyed values: from a hit of a key word to the value that is masked.
//!
//! The prefilter reports where a spelling of a key stands ([`KeyTable::literals`]); [`find`] decides
//! whether it is a whole key name, whether the name stands where a key stands, and hands the place behind
//! it to the value grammar of [`super::carrier`]. Nothing is decoded here: escaped quotes of JSON inside
//! JSON are told apart by their number of backslashes, other encodings arrive as views.
//!
//! Linear: every byte read beyond the key's own name is paid from the record's fuel (a small multiple of its
//! length); a record that would need more is masked from there to its end.

mod table;

pub use crate::redact::carrier::cursor::KeyCursor;
pub use crate::redact::carrier::kind::ValueKind;
pub use table::{KeyError, KeyFind, KeyTable, Place};

use super::finding::Finding;

/// A key word the prefilter saw in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WordHit {
    /// First byte of the word.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
    /// The literal's number in [`KeyTable::literals`].
    pub word: u16,
}

/// Reads the values that belong to one key word and appends a finding for each scalar.
///
/// `text` holds the record that `cursor` was last told of by [`KeyCursor::begin`]; hits of a record come in
/// order of their start, of equal starts the longer first. Spans are offsets into `text`.
pub fn find(text: &[u8], hit: WordHit, table: &KeyTable, cursor: &mut KeyCursor, out: &mut Vec<Finding>) {
    let _ = (text, hit, table, cursor, out);
}
