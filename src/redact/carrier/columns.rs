//! What is remembered of a table's heading: its columns whose cells are secret.

use super::kind::ValueKind;
use crate::redact::rule::RuleIndex;

/// Columns of one table that are remembered.
const MOST: usize = 8;

/// The columns of a table whose cells are claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Columns {
    /// What parts two cells.
    pub(crate) sign: u8,
    /// Cells of every row.
    pub(crate) cells: u8,
    /// A digest of the heading, which may stand there again between rows.
    heading: u32,
    known: u8,
    columns: [Column; MOST],
}

/// A column, and the rule that its name speaks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Column {
    pub(crate) rule: RuleIndex,
    pub(crate) kind: ValueKind,
    pub(crate) index: u8,
}

/// The heading of a table in this record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// Where it stands.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The string that holds it ends at `limit`.
    pub(crate) nested: bool,
    pub(crate) limit: usize,
    pub(crate) columns: Columns,
}

impl Columns {
    /// A table of `cells` columns under `heading`, of which one is known.
    pub(crate) fn new(sign: u8, cells: u8, heading: &[u8], first: Column) -> Columns {
        Columns { sign, cells, heading: digest(heading), known: 1, columns: [first; MOST] }
    }

    /// Whether `row` is the heading once more.
    pub(crate) fn is_heading(&self, row: &[u8]) -> bool {
        self.heading == digest(row)
    }

    /// Remembers another column, if there is room.
    pub(crate) fn add(&mut self, column: Column) {
        let known = usize::from(self.known);
        if known < MOST && !self.columns[..known].contains(&column) {
            self.columns[known] = column;
            self.known += 1;
        }
    }

    /// The same under another rule set, in which `number` finds a rule again; nothing if all of its rules are gone.
    pub(crate) fn renumbered(&self, number: impl Fn(RuleIndex) -> Option<RuleIndex>) -> Option<Columns> {
        let mut kept = self.all().filter_map(|column| Some(Column { rule: number(column.rule)?, ..*column }));
        let first = kept.next()?;
        let mut columns = Columns { known: 1, columns: [first; MOST], ..*self };
        kept.for_each(|column| columns.add(column));
        Some(columns)
    }

    /// All that is known.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Column> {
        self.columns[..usize::from(self.known)].iter()
    }

    /// The rules that a cell of column `index` is read for.
    pub(crate) fn of(&self, index: usize) -> impl Iterator<Item = &Column> {
        self.columns[..usize::from(self.known)].iter().filter(move |column| usize::from(column.index) == index)
    }
}

fn digest(row: &[u8]) -> u32 {
    row.trim_ascii().iter().fold(0x811c_9dc5, |digest, byte| (digest ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
