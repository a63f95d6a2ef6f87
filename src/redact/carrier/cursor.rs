//! What the readers of one record remember, so that the record is read a bounded number of times.

use std::ops::Range;

/// One record's reading state; kept by the worker and reused for every record and view.
#[derive(Default)]
pub struct KeyCursor {
    record: Range<usize>,
}

impl KeyCursor {
    /// Starts a record (or a view of one): `record` is its place in the text, without its line end.
    pub fn begin(&mut self, record: Range<usize>) {
        self.record = record;
    }
}
