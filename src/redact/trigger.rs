//! Class triggers: places where a shape or a short anchor may begin, found by one walk over the bytes.
//!
//! The walk may report too often, never too rarely; shapes check the whole structure. Positions are
//! offsets into the text, ascending within a kind.

/// Positions of one text, by kind; cleared and reused.
#[derive(Default)]
pub struct Triggers {
    /// At-signs.
    pub at: Vec<u32>,
    /// First dot of three between digits.
    pub dotted: Vec<u32>,
    /// First digits of groups, with the number of digits in the 32 bytes from there.
    pub digits: Vec<(u32, u8)>,
    /// Colons near another colon and next to a hexadecimal digit.
    pub colons: Vec<u32>,
    /// First separator of dashed or dotted hexadecimal pairs.
    pub pairs: Vec<u32>,
    /// Runs of at least [`OPAQUE_MIN`] token characters: start and end.
    pub opaque: Vec<(u32, u32)>,
}

/// Shortest run of token characters that is reported.
pub const OPAQUE_MIN: usize = 16;

const DIGIT: u8 = 1;
const HEX: u8 = 2;
const TOKEN: u8 = 4;
const MARK: u8 = 8;

/// What each byte can take part in; `MARK`: a byte that itself begins a trigger.
static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        let mut class = 0;
        if b.is_ascii_digit() {
            class |= DIGIT;
        }
        if b.is_ascii_hexdigit() {
            class |= HEX;
        }
        if b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b == b'.' {
            class |= TOKEN;
        }
        if b == b'@' || b == b':' || b == b'.' || b == b'-' {
            class |= MARK;
        }
        table[byte] = class;
        byte += 1;
    }
    table
}

impl Triggers {
    /// Forgets all positions; keeps the space.
    pub fn clear(&mut self) {
        self.at.clear();
        self.dotted.clear();
        self.digits.clear();
        self.colons.clear();
        self.pairs.clear();
        self.opaque.clear();
    }

    /// Finds the triggers of `text` after clearing. `fewest` is the least digit count any shape asks for.
    pub fn scan(&mut self, text: &[u8], fewest: u8) {
        self.clear();
        let mut run = 0;
        let mut before = 0u8;
        for (place, &byte) in text.iter().enumerate() {
            let class = CLASS[usize::from(byte)];
            if class & TOKEN == 0 {
                if place - run >= OPAQUE_MIN {
                    self.opaque.push((run as u32, place as u32));
                }
                run = place + 1;
            }
            if class & DIGIT != 0 {
                if before & DIGIT == 0 {
                    self.digit_group(text, place, fewest);
                }
            } else if class & MARK != 0 {
                self.mark(text, place, byte);
            }
            before = class;
        }
        if text.len() - run >= OPAQUE_MIN {
            self.opaque.push((run as u32, text.len() as u32));
        }
    }

    fn digit_group(&mut self, text: &[u8], place: usize, fewest: u8) {
        let window = &text[place..text.len().min(place + 32)];
        let count = window.iter().filter(|byte| byte.is_ascii_digit()).count() as u8;
        if count >= fewest {
            self.digits.push((place as u32, count));
        }
    }

    fn mark(&mut self, text: &[u8], place: usize, byte: u8) {
        let is = |at: usize, class: u8| text.get(at).is_some_and(|byte| CLASS[usize::from(*byte)] & class != 0);
        let before = |class: u8| place > 0 && is(place - 1, class);
        match byte {
            b'@' => self.at.push(place as u32),
            b':' => {
                let near = &text[place + 1..text.len().min(place + 6)];
                if near.contains(&b':') && (before(HEX) || is(place + 1, HEX) || text.get(place + 1) == Some(&b':')) {
                    self.colons.push(place as u32);
                }
            }
            b'.' => {
                if before(DIGIT) && is(place + 1, DIGIT) && dots_between_digits(text, place + 1) >= 2 {
                    self.dotted.push(place as u32);
                }
                if before(HEX) && text.get(place + 5) == Some(&b'.') && (1..5).all(|step| is(place + step, HEX)) {
                    self.pairs.push(place as u32);
                }
            }
            _ => {
                let pair = |from: usize| is(from, HEX) && is(from + 1, HEX);
                let dash = |at: usize| text.get(at) == Some(&b'-');
                if before(HEX) && pair(place + 1) && dash(place + 3) && pair(place + 4) && dash(place + 6) {
                    self.pairs.push(place as u32);
                }
            }
        }
    }
}

/// Dots that stand between digits in the eight bytes from `from`.
fn dots_between_digits(text: &[u8], from: usize) -> usize {
    let window = &text[from..text.len().min(from + 9)];
    window.windows(3).filter(|w| w[0].is_ascii_digit() && w[1] == b'.' && w[2].is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_seen_where_it_begins() {
        let text = b"a@b 192.0.2.44 4111 1111 fe80::1 00-00-5e-00-53-01 0000.5e00.5301 12:34:56 abcdefghijklmnop";
        let mut found = Triggers::default();
        found.scan(text, 8);
        assert_eq!(found.at, [1]);
        assert_eq!(found.dotted, [7]);
        assert!(found.digits.iter().any(|(at, _)| *at == 15), "{:?}", found.digits);
        assert!(found.colons.contains(&(text.windows(2).position(|pair| pair == b"::").unwrap() as u32)));
        assert_eq!(found.pairs.len(), 4, "{:?}", found.pairs);
        assert_eq!(found.opaque.last(), Some(&(text.len() as u32 - 16, text.len() as u32)));
    }
}
