//! What the readers of one record remember, so that the record is read a bounded number of times.
//!
//! Invariants: `string` only moves right while a record is read; every reader pays the bytes it read from
//! `fuel`, and a record whose fuel is spent is `closed`: masked from there to its end.

use super::carry::Carry;
use super::columns::{Column, Columns, Table};
use crate::redact::eight;
use crate::redact::finding::Span;
use crate::redact::steps;
use std::ops::Range;

/// Fuel for a record: this many bytes read per byte of the record, and a little for short ones.
pub(crate) const FUEL_PER_BYTE: usize = 8;
pub(crate) const FUEL_BASE: usize = 4096;

/// One record's reading state; kept by the worker and reused for every record and view.
#[derive(Default)]
pub struct KeyCursor {
    record: Range<usize>,
    fuel: usize,
    /// Bytes read so far, paid or not.
    spent: usize,
    closed: bool,
    string: StringTrack,
    carry: Option<Carry>,
    /// Where the last name ended whose value was read.
    name_end: usize,
    /// Words and commas that are known to be no column list of SQL.
    plain_list: Range<usize>,
    /// Rows that are known to head no table, by the sign between their cells, outside of strings and inside.
    plain_rows: [Span; 8],
    /// The last program whose arguments were read, and up to where.
    command: (usize, usize),
    /// A container of which every scalar is claimed.
    covered: Range<usize>,
    /// The value read last that was a mask of ours, or a container: labels in it are values.
    mask: Range<usize>,
    /// The last cells that were claimed for the heading above them.
    cells: [Span; 4],
    cell: usize,
    /// Places from which the list of a statement's values is known, and where it begins.
    bound: (Range<usize>, Option<usize>),
    /// The placeholders of a statement whose values the record does not hold.
    expected: Option<Columns>,
    /// The heading of a table whose rows are read when all names are known.
    table: Option<Table>,
}

/// Whether a place lies between two unescaped double quotes, counted from the record's start.
#[derive(Default)]
struct StringTrack {
    /// Everything left of this has been counted.
    at: usize,
    /// The state at `at`, and the quote that began it.
    open: bool,
    since: usize,
    /// The last known closing quote: valid for places in `[from, end)`.
    end: Range<usize>,
}

impl KeyCursor {
    /// Starts a record (or a view of one): `record` is its place in the text, without its line end.
    pub fn begin(&mut self, record: Range<usize>) {
        self.fuel = record.len() * FUEL_PER_BYTE + FUEL_BASE;
        self.spent = 0;
        self.closed = false;
        self.string = StringTrack { at: record.start, since: record.start, ..StringTrack::default() };
        self.carry = None;
        self.name_end = 0;
        self.plain_list = 0..0;
        self.plain_rows = [Span::default(); 8];
        self.command = (0, 0);
        self.covered = 0..0;
        self.mask = 0..0;
        self.cells = [Span::default(); 4];
        self.table = None;
        self.bound = (0..0, None);
        self.expected = None;
        self.record = record;
    }

    /// A key whose value the record does not hold any more: it is expected in the next one.
    pub fn carry(&self) -> Option<Carry> {
        self.carry
    }

    /// True once the record has been masked to its end: later hits change nothing.
    pub fn closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn record(&self) -> Range<usize> {
        self.record.clone()
    }

    pub(crate) fn set_carry(&mut self, carry: Carry) {
        self.carry = Some(carry);
    }

    pub(crate) fn table(&self) -> Option<Table> {
        self.table
    }

    pub(crate) fn table_mut(&mut self) -> Option<&mut Table> {
        self.table.as_mut()
    }

    pub(crate) fn set_table(&mut self, table: Table) {
        self.table = Some(table);
    }

    pub(crate) fn name_end(&self) -> usize {
        self.name_end
    }

    pub(crate) fn set_name_end(&mut self, end: usize) {
        self.name_end = end;
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn spent(&self) -> usize {
        self.spent
    }

    pub(crate) fn is_plain_list(&self, at: usize) -> bool {
        self.plain_list.contains(&at)
    }

    pub(crate) fn set_plain_list(&mut self, list: Range<usize>) {
        self.plain_list = list;
    }

    /// Whether `at` stands in a row, its cells parted by `sign`, that is known to head no table.
    pub(crate) fn is_plain_row(&self, sign: u8, nested: bool, at: usize) -> bool {
        let row = self.plain_rows[place_of_row(sign, nested)];
        (row.start as usize..row.end as usize).contains(&at)
    }

    pub(crate) fn set_plain_row(&mut self, sign: u8, nested: bool, row: Range<usize>) {
        self.plain_rows[place_of_row(sign, nested)] = Span::new(row.start, row.end);
    }

    /// Whether the arguments of `program` have been read beyond `at`.
    pub(crate) fn command_read(&self, program: usize, at: usize) -> bool {
        self.command.0 == program && at < self.command.1
    }

    pub(crate) fn set_command(&mut self, program: usize, until: usize) {
        self.command = (program, until);
    }

    /// The end of the container around `at` of which every scalar is claimed already.
    pub(crate) fn covered(&self, at: usize) -> Option<usize> {
        self.covered.contains(&at).then_some(self.covered.end)
    }

    pub(crate) fn set_covered(&mut self, container: Range<usize>) {
        self.covered = container;
    }

    /// Whether `at` stands in the value read last, which was a mask of ours or held values.
    pub(crate) fn in_mask(&self, at: usize) -> bool {
        self.mask.contains(&at)
    }

    /// Whether `at` stands in a cell that was claimed for its heading.
    pub(crate) fn in_cell(&self, at: usize) -> bool {
        self.cells.iter().any(|cell| (cell.start as usize..cell.end as usize).contains(&at))
    }

    pub(crate) fn set_cell(&mut self, cell: Range<usize>) {
        self.cell = (self.cell + 1) % self.cells.len();
        self.cells[self.cell] = Span::new(cell.start, cell.end);
    }

    /// Where the values of the statement that goes on at `at` begin, if that has been looked up.
    pub(crate) fn bound_list(&self, at: usize) -> Option<Option<usize>> {
        let (known, open) = &self.bound;
        (known.contains(&at) && open.is_none_or(|open| open >= at || open < known.start)).then_some(*open)
    }

    pub(crate) fn set_bound_list(&mut self, known: Range<usize>, open: Option<usize>) {
        self.bound = (known, open);
    }

    /// Notes a placeholder whose value a record behind this one may hold; `first` makes the list of such.
    pub(crate) fn expect(&mut self, column: Column, first: impl FnOnce() -> Columns) {
        match &mut self.expected {
            Some(columns) => columns.add(column),
            None => self.expected = Some(first()),
        }
    }

    pub(crate) fn expected(&self) -> Option<Columns> {
        self.expected
    }

    pub(crate) fn set_mask(&mut self, mask: Range<usize>) {
        // What a container holds stays known until its end.
        if mask.start < self.mask.start || mask.end > self.mask.end {
            self.mask = mask;
        }
    }

    /// Pays for `bytes` read; false when the record's fuel does not suffice.
    pub(crate) fn spend(&mut self, bytes: usize) -> bool {
        self.spent += bytes;
        steps::add(bytes);
        self.closed |= self.fuel < bytes;
        self.fuel = self.fuel.saturating_sub(bytes);
        !self.closed
    }

    /// Where the double-quoted string ends that holds the byte `at`: its closing quote, or the record's end
    /// when it never closes. `None` outside of strings.
    pub(crate) fn string_end(&mut self, text: &[u8], at: usize) -> Option<usize> {
        self.string.advance(text, at);
        let inside = if at >= self.string.since { self.string.open } else { !self.string.open };
        if !inside {
            return None;
        }
        if !self.string.end.contains(&at) {
            let end = next_quote(text, at, self.record.end).unwrap_or(self.record.end);
            self.string.end = at..end;
        }
        Some(self.string.end.end)
    }
}

/// Where rows of this kind are remembered.
fn place_of_row(sign: u8, nested: bool) -> usize {
    let kind = match sign {
        b'|' => 0,
        b',' => 1,
        b';' => 2,
        _ => 3,
    };
    kind + if nested { 4 } else { 0 }
}

impl StringTrack {
    fn advance(&mut self, text: &[u8], to: usize) {
        if self.at >= to {
            return;
        }
        steps::add(to - self.at);
        let (from, mut open, mut since) = (self.at, self.open, self.since);
        eight::find(&text[from..to], b'"', |quote| {
            if !is_escaped(text, from + quote) {
                (open, since) = (!open, from + quote + 1);
            }
            false
        });
        (self.at, self.open, self.since) = (to, open, since);
    }
}

/// The next double quote in `text[from..to]` that no backslash escapes. A backslash run that began before
/// `from` counts from its first byte, so that stopping between two calls changes nothing.
fn next_quote(text: &[u8], from: usize, to: usize) -> Option<usize> {
    let found =
        eight::find(text.get(from..to)?, b'"', |quote| !is_escaped(text, from + quote)).map(|quote| from + quote);
    steps::add(found.unwrap_or(to) - from);
    found
}

/// Whether an odd number of backslashes stands before `at`.
fn is_escaped(text: &[u8], at: usize) -> bool {
    if at == 0 || text[at - 1] != b'\\' {
        return false;
    }
    let slashes = text[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    steps::add(slashes);
    slashes % 2 == 1
}
