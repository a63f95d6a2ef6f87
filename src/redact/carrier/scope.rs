//! Where a value may lie: the text, and the bounds that no reader crosses.
//!
//! A key inside a double-quoted string has its value in that string: a reader that stays within `limit`
//! cannot swallow the structure around it, so a valid JSON line stays valid.

/// The bounds of one key's value.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'t> {
    /// The text that holds the record.
    pub(crate) text: &'t [u8],
    /// First byte of the record.
    pub(crate) floor: usize,
    /// First byte that cannot belong to the value.
    pub(crate) limit: usize,
    /// The key stands inside a double-quoted string that ends at `limit`.
    pub(crate) nested: bool,
}

impl Scope<'_> {
    /// The byte at `at`, if within bounds.
    pub(crate) fn byte(&self, at: usize) -> Option<u8> {
        (at < self.limit).then(|| self.text[at])
    }

    /// True when the text goes on with `expected` at `at`, ASCII case ignored.
    pub(crate) fn has(&self, at: usize, expected: &[u8]) -> bool {
        at + expected.len() <= self.limit && self.text[at..at + expected.len()].eq_ignore_ascii_case(expected)
    }

    /// First place at or after `at` that is neither space nor tab (nor, inside a string, their escapes).
    pub(crate) fn skip_blank(&self, mut at: usize) -> usize {
        while let Some(byte) = self.byte(at) {
            match byte {
                b' ' | b'\t' => at += 1,
                b'\\' if self.nested && self.byte(at + 1) == Some(b't') => at += 2,
                0xC2 if self.byte(at + 1) == Some(0xA0) => at += 2,
                _ => break,
            }
        }
        at
    }

    /// As [`Scope::skip_blank`], line ends too (inside a string also their escapes).
    pub(crate) fn skip_space(&self, mut at: usize) -> usize {
        loop {
            at = self.skip_blank(at);
            match self.byte(at) {
                Some(b'\n' | b'\r') => at += 1,
                Some(b'\\') if self.nested => {
                    let after = at + self.backslashes(at);
                    match self.byte(after) {
                        Some(b'n' | b'r' | b't') => at = after + 1,
                        _ => return at,
                    }
                }
                _ => return at,
            }
        }
    }

    /// Last place at or before `at` (exclusive end) whose byte left of it is no white space.
    pub(crate) fn back_over_space(&self, mut at: usize) -> usize {
        while at > self.floor && matches!(self.text[at - 1], b' ' | b'\t' | b'\n' | b'\r') {
            at -= 1;
        }
        at
    }

    /// Number of backslashes from `at` on.
    pub(crate) fn backslashes(&self, at: usize) -> usize {
        self.text[at.min(self.limit)..self.limit].iter().take_while(|byte| **byte == b'\\').count()
    }

    /// Number of backslashes that end right before `at`, none left of `from`.
    pub(crate) fn backslashes_before(&self, at: usize, from: usize) -> usize {
        self.text[from.min(at)..at].iter().rev().take_while(|byte| **byte == b'\\').count()
    }
}
