//! Lines of text in UTF-16, known by its byte-order mark, made into UTF-8 so that redaction sees what a reader
//! would see.
//!
//! Invariants: every whole line becomes one record at the offset of its first byte; what is no text in UTF-16
//! becomes U+FFFD; the mark at the file's beginning is no part of its first line.

use super::made::{Known, Made};

/// Which byte of a unit comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The low one.
    Little,
    /// The high one.
    Big,
}

const LINE_END: u16 = 0x0a;
const MARK: char = '\u{feff}';

impl Order {
    /// What a file's first bytes say; none: it is not UTF-16.
    pub fn of(first: &[u8]) -> Option<Order> {
        match first {
            [0xff, 0xfe, ..] => Some(Order::Little),
            [0xfe, 0xff, ..] => Some(Order::Big),
            _ => None,
        }
    }

    /// Where the first line ends, its end included.
    pub fn line_end(self, bytes: &[u8]) -> Option<usize> {
        self.units(bytes).position(|unit| unit == LINE_END).map(|at| (at + 1) * 2)
    }

    /// Makes records of the whole lines of `bytes`, which stand at `at`; with `all`, of the rest as well. Gives the
    /// number of bytes used.
    pub fn lines(self, bytes: &[u8], at: u64, all: bool, made: &mut Made) -> usize {
        let mut used = 0;
        while let Some(len) = self.line_end(&bytes[used..]) {
            self.line(&bytes[used..used + len], at + used as u64, made);
            used += len;
        }
        if all && used < bytes.len() {
            self.line(&bytes[used..], at + used as u64, made);
            used = bytes.len();
        }
        used
    }

    fn line(self, bytes: &[u8], at: u64, made: &mut Made) {
        let half = (!bytes.len().is_multiple_of(2)).then_some(char::REPLACEMENT_CHARACTER);
        let decoded = char::decode_utf16(self.units(bytes)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        let text: String = decoded.skip_while(|&c| at == 0 && c == MARK).chain(half).collect();
        made.add(text.as_bytes(), &Known { at, ..Known::default() });
    }

    fn units(self, bytes: &[u8]) -> impl Iterator<Item = u16> {
        bytes.chunks_exact(2).map(move |pair| match self {
            Order::Little => u16::from_le_bytes([pair[0], pair[1]]),
            Order::Big => u16::from_be_bytes([pair[0], pair[1]]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, order: Order) -> Vec<u8> {
        let units = text.encode_utf16();
        match order {
            Order::Little => units.flat_map(u16::to_le_bytes).collect(),
            Order::Big => units.flat_map(u16::to_be_bytes).collect(),
        }
    }

    #[test]
    fn lines_become_utf8_at_their_offsets() {
        // U+0A0A and U+0A00 hold the byte of a line end and are none.
        let text = "\u{feff}zażółć\n\u{a0a}\u{a00}😀 second\r\n\nhalf";
        for order in [Order::Little, Order::Big] {
            let bytes = encoded(text, order);
            assert_eq!(Order::of(&bytes), Some(order));
            let mut made = Made::default();
            let used = order.lines(&bytes, 0, false, &mut made);
            assert_eq!(made.bytes, "zażółć\n\u{a0a}\u{a00}😀 second\r\n\n".as_bytes());
            let at: Vec<u64> = made.layout.records.iter().map(|record| record.at).collect();
            assert_eq!(at, [0, 16, 42]);
            assert_eq!(used, bytes.len() - 8);
            let mut rest = Made::default();
            assert_eq!(order.lines(&bytes[used..], used as u64, true, &mut rest), 8);
            assert_eq!(rest.bytes, b"half\n");
        }
        assert_eq!(Order::of(b"plain"), None);
    }

    #[test]
    fn what_is_no_utf16_is_replaced() {
        let mut made = Made::default();
        let lone = [0x00, 0xd8, b'a', 0, b'\n', 0, b'x'];
        assert_eq!(Order::Little.lines(&lone, 2, true, &mut made), 7);
        assert_eq!(made.bytes, "\u{fffd}a\n\u{fffd}\n".as_bytes());
    }
}
