//! One line of a log with marks under parts of it, in rows that fit a terminal.
//!
//! Bytes that a terminal would obey (control characters) and bytes that are no UTF-8 are shown as `·`, one
//! column each, so that marks stay under what they mean. Rows without a mark are left out.

use std::io::{self, Write};
use std::ops::Range;

/// Characters in a row.
const ROW: usize = 100;

/// What stands under a part of the line.
pub(super) struct Mark {
    /// Bytes of the text.
    pub(super) span: Range<usize>,
    /// The character to put under each of them.
    pub(super) sign: char,
}

/// A line and its marks; of marks over one place the last counts.
pub(super) struct MarkedLine<'a> {
    /// The line, without its end.
    pub(super) text: &'a [u8],
    /// In any order.
    pub(super) marks: &'a [Mark],
}

impl MarkedLine<'_> {
    /// Writes the line, `title` before its first row and as much space before the others.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn write(&self, out: &mut impl Write, title: &str) -> io::Result<()> {
        let cells = cells(self.text);
        let signs: Vec<char> = cells.iter().map(|(at, _)| self.sign(*at)).collect();
        let marked = |row: &&[char]| row.iter().any(|sign| *sign != ' ');
        let any = signs.chunks(ROW).any(|row| marked(&row));
        let space = " ".repeat(title.chars().count());
        let (mut lead, mut left_out) = (title, false);
        for (row, under) in cells.chunks(ROW).zip(signs.chunks(ROW)) {
            if any && !marked(&under) && cells.len() > ROW {
                left_out = true;
                continue;
            }
            if std::mem::take(&mut left_out) {
                writeln!(out, "{lead}…")?;
                lead = &space;
            }
            let text: String = row.iter().map(|(_, shown)| *shown).collect();
            writeln!(out, "{lead}{text}")?;
            lead = &space;
            let under: String = under.iter().collect();
            if !under.trim_end().is_empty() {
                writeln!(out, "{space}{}", under.trim_end())?;
            }
        }
        if cells.is_empty() {
            writeln!(out, "{}", title.trim_end())?;
        }
        if left_out { writeln!(out, "{space}…") } else { Ok(()) }
    }

    fn sign(&self, at: usize) -> char {
        self.marks.iter().rev().find(|mark| mark.span.contains(&at)).map_or(' ', |mark| mark.sign)
    }
}

/// What is shown in each column, with the offset of its first byte.
fn cells(text: &[u8]) -> Vec<(usize, char)> {
    let mut cells = Vec::with_capacity(text.len());
    let mut at = 0;
    for chunk in text.utf8_chunks() {
        for (place, shown) in chunk.valid().char_indices() {
            cells.push((at + place, if shown.is_control() { '·' } else { shown }));
        }
        at += chunk.valid().len();
        cells.extend((at..at + chunk.invalid().len()).map(|at| (at, '·')));
        at += chunk.invalid().len();
    }
    cells
}

/// Text as it is safe on a terminal.
pub(super) fn printable(text: &[u8]) -> String {
    cells(text).into_iter().map(|(_, shown)| shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8], marks: &[Mark]) -> String {
        let mut out = Vec::new();
        MarkedLine { text, marks }.write(&mut out, "1  ").unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn marks_stand_under_their_characters_whatever_they_are() {
        let marks = [Mark { span: 5..8, sign: '^' }];
        assert_eq!(shown("żź\u{7}abc".as_bytes(), &marks), "1  żź·abc\n      ^^^\n");
        assert_eq!(shown(b"\xff\x00abcdef", &marks), "1  ··abcdef\n        ^^^\n");
        assert_eq!(shown(b"", &[]), "1\n");
    }

    #[test]
    fn rows_without_a_mark_are_left_out_of_long_lines() {
        let text = [b'x'; 350];
        let got = shown(&text, &[Mark { span: 205..207, sign: '~' }]);
        let rows: Vec<&str> = got.lines().collect();
        assert_eq!((rows.len(), rows[0], rows[2]), (4, "1  …", "        ~~"));
        assert_eq!(rows[3], "   …");
    }
}
