//! Reading groups of digits: `4111 1111 1111 1111`, `12-34-56`, with one and the same separator throughout.

use super::edge::{byte_before, char_before, dash_len, digit_at, space_len, word_after};

/// Most digits any shape wants to see.
pub(super) const MOST: usize = 34;
const MOST_GROUPS: usize = 10;

/// Digits read from one place, with the lengths of their groups.
pub(super) struct Groups {
    digits: [u8; MOST],
    len: usize,
    sizes: [u8; MOST_GROUPS],
    ends: [u32; MOST_GROUPS],
    count: usize,
}

impl Groups {
    /// Reads from the digit at `start`: groups joined by one equal separator (space, no-break space, dash,
    /// dot, slash or plus). Stops before a group that would exceed `most` digits in all.
    pub(super) fn read(text: &[u8], start: usize, most: usize) -> Groups {
        let mut groups =
            Groups { digits: [0; MOST], len: 0, sizes: [0; MOST_GROUPS], ends: [0; MOST_GROUPS], count: 0 };
        let mut at = start;
        let mut separator: Option<&[u8]> = None;
        while groups.count < MOST_GROUPS {
            let end = digits_end(text, at, most - groups.len);
            if end == at || digit_at(text, end) {
                break;
            }
            groups.push(&text[at..end], end);
            let next = separator_end(text, end);
            if next == end || !digit_at(text, next) || separator.is_some_and(|s| s != &text[end..next]) {
                break;
            }
            separator = Some(&text[end..next]);
            at = next;
        }
        groups
    }

    fn push(&mut self, digits: &[u8], end: usize) {
        for (value, digit) in self.digits[self.len..].iter_mut().zip(digits) {
            *value = digit - b'0';
        }
        self.len += digits.len();
        self.sizes[self.count] = digits.len() as u8;
        self.ends[self.count] = end as u32;
        self.count += 1;
    }

    /// The sizes of the groups.
    pub(super) fn sizes(&self) -> &[u8] {
        &self.sizes[..self.count]
    }

    /// When the groups begin with exactly these sizes: their digits (as values) and where they end.
    pub(super) fn prefix(&self, sizes: &[u8]) -> Option<(&[u8], usize)> {
        if sizes.is_empty() || !self.sizes().starts_with(sizes) {
            return None;
        }
        let len = sizes.iter().map(|&size| size as usize).sum();
        Some((&self.digits[..len], self.ends[sizes.len() - 1] as usize))
    }
}

/// Length of the run of digits at `at`, counted up to `most`.
pub(super) fn run_len(text: &[u8], at: usize, most: usize) -> usize {
    digits_end(text, at, most) - at
}

fn digits_end(text: &[u8], from: usize, most: usize) -> usize {
    let limit = text.len().min(from + most);
    let mut at = from;
    while at < limit && text[at].is_ascii_digit() {
        at += 1;
    }
    at
}

fn separator_end(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(b'.' | b'/' | b'+') => at + 1,
        _ => at + dash_len(text, at) + space_len(text, at),
    }
}

/// True when digits that end at `end` stand free on the right: no word character, no fraction.
pub(super) fn free_right(text: &[u8], end: usize) -> bool {
    let fraction = text.get(end) == Some(&b'.') && digit_at(text, end + 1);
    !fraction && !word_after(text, end)
}

/// True when digits that start at `start` stand free on the left: no word character, no whole part of a
/// fraction, and no dash with a digit before it.
pub(super) fn free_left(text: &[u8], start: usize, floor: usize) -> bool {
    match char_before(text, start, floor) {
        None => true,
        Some(',') => !continues_number(text, start, floor),
        Some('.' | '-') => !(start >= floor + 2 && text[start - 2].is_ascii_digit()),
        Some('_') => false,
        Some(c) => !c.is_alphanumeric() && !byte_before(text, start, floor, b'\\'),
    }
}

/// Digits that no fraction behind thousands has.
const LONG_FIELD: usize = 10;

/// Whether the digits at `start` belong to the number before the comma: three after thousands, or a fraction.
/// Fields of a table also stand behind a comma; those go on with another one, or come in groups.
fn continues_number(text: &[u8], start: usize, floor: usize) -> bool {
    let before = &text[floor..start - 1];
    let whole = before.iter().rev().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let earlier = before[..before.len() - whole].last();
    if whole == 0 || earlier.is_some_and(u8::is_ascii_alphanumeric) {
        return false;
    }
    let run = run_len(text, start, MOST);
    // `7,10,4111…`, `10.20.30.40,4111…`: what stands before is a field itself.
    let listed = run >= LONG_FIELD && matches!(earlier, Some(b',' | b'.' | b';'));
    let field = listed || text.get(start + run) == Some(&b',') || (4..=6).contains(&run);
    run == 3 || (whole <= 3 && !field)
}

/// Where `count` digits that start at `start` end, with at most one separator of any kind between each two;
/// nothing when a further digit follows.
pub(super) fn loose_end(text: &[u8], start: usize, count: usize) -> Option<usize> {
    let mut at = start;
    for read in 0..count {
        if read > 0 && !digit_at(text, at) {
            at = separator_end(text, at);
        }
        if !digit_at(text, at) {
            return None;
        }
        at += 1;
    }
    (!digit_at(text, at)).then_some(at)
}
