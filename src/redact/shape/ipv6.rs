//! `ipv6`: full, compressed and v4-mapped addresses, with a zone id as part of the span; brackets, port
//! and prefix length are not.
//!
//! `dead::beef` is valid address text and ordinary code. A compressed text therefore proves only with a
//! prefix in real use (2000::/3, fc00::/7, fe80::/10, ff00::/8, 64:ff9b::, ::ffff:…) or five groups and a
//! digit; with a digit otherwise it stays silent (needs a word), without one it is code. Times, ratios and
//! hardware addresses have the wrong number of groups. Loopback and the unspecified address stay.

use super::ShapeHit;
use super::edge::{byte_before, digit_at, word_after, word_before};
use crate::redact::validate::Verdict;

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let start = run_start(text, at, floor)?;
    let address = Address::read(text, start)?;
    let end = zone_end(text, address.end);
    if byte_before(text, start, floor, b'-') && is_clock(&text[start..address.end]) {
        return None;
    }
    if word_after(text, end) || text.get(end) == Some(&b':') && text.get(end + 1) == Some(&b':') {
        return None;
    }
    Some(ShapeHit::new(start, end, address.verdict(&text[start..address.end])?))
}

/// `2026::09:12:44` of `4-Mar-2026::09:12:44`, as Erlang writes a time.
fn is_clock(spelled: &[u8]) -> bool {
    let digits = spelled.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    digits && spelled.len() == 14 && spelled[4..6] == *b"::" && spelled[8] == b':' && spelled[11] == b':'
}

/// Start of the address whose first colon is at `at`; nothing when `at` is a later colon. A label glued
/// with a single colon (`addr:2001:…`) is left aside.
fn run_start(text: &[u8], at: usize, floor: usize) -> Option<usize> {
    let first = if byte_before(text, at, floor, b':') { at - 1 } else { at };
    let mut start = first;
    while start > floor && first - start < 5 && text[start - 1].is_ascii_hexdigit() {
        start -= 1;
    }
    if byte_before(text, start, floor, b':') {
        return None;
    }
    let doubled = text.get(first + 1) == Some(&b':');
    let labelled = start == first || first - start > 4 || word_before(text, start, floor);
    match (labelled, doubled) {
        (false, _) => Some(start),
        // Nothing stands before the leading `::`.
        (true, true) => (start == first && !word_before(text, start, floor)).then_some(first),
        (true, false) => Some(first + 1).filter(|i| text.get(*i).is_some_and(u8::is_ascii_hexdigit)),
    }
}

struct Address {
    groups: [u16; 8],
    /// Explicit groups, counting a dotted tail as two.
    count: usize,
    compressed: Option<usize>,
    dotted: bool,
    end: usize,
}

impl Address {
    fn read(text: &[u8], start: usize) -> Option<Address> {
        let mut address = Address { groups: [0; 8], count: 0, compressed: None, dotted: false, end: start };
        let mut at = start;
        if text.get(at..at + 2) == Some(b"::") {
            address.compressed = Some(0);
            at += 2;
            address.end = at;
        }
        loop {
            let digits = text[at..].iter().take(5).take_while(|b| b.is_ascii_hexdigit()).count();
            if digits == 0 {
                break;
            }
            if let Some(end) = address.dotted_tail(text, at) {
                address.end = end;
                break;
            }
            if address.port_follows(text, at, digits) {
                break;
            }
            if digits > 4 || address.count == 8 {
                return None;
            }
            address.groups[address.count] = group(&text[at..at + digits]);
            address.count += 1;
            at += digits;
            address.end = at;
            match (text.get(at), text.get(at + 1)) {
                (Some(b':'), Some(b':')) if address.compressed.is_some() => return None,
                (Some(b':'), Some(b':')) => {
                    address.compressed = Some(address.count);
                    at += 2;
                    address.end = at;
                }
                (Some(b':'), Some(next)) if next.is_ascii_hexdigit() => at += 1,
                _ => break,
            }
        }
        let complete = if address.compressed.is_some() { address.count <= 7 } else { address.count == 8 };
        complete.then_some(address)
    }

    /// Whether a port, which is too long for a group, follows a whole address: `[client 2001:db8::7:51234]`.
    fn port_follows(&self, text: &[u8], at: usize, digits: usize) -> bool {
        let whole = if self.compressed.is_some() { self.count >= 2 } else { self.count == 8 };
        let port = &text[at..at + digits];
        whole
            && digits == 5
            && port.iter().all(u8::is_ascii_digit)
            && port <= b"65535".as_slice()
            && !text.get(at + digits).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b':')
    }

    /// Reads a dotted quad at `at` as the last two groups.
    fn dotted_tail(&mut self, text: &[u8], at: usize) -> Option<usize> {
        if self.count > 6 || (self.count < 6 && self.compressed.is_none()) {
            return None;
        }
        let mut octets = [0u16; 4];
        let mut end = at;
        for (i, octet) in octets.iter_mut().enumerate() {
            if i > 0 {
                end += usize::from(text.get(end) == Some(&b'.'));
            }
            let from = end;
            while end < from + 3 && digit_at(text, end) {
                *octet = *octet * 10 + u16::from(text[end] - b'0');
                end += 1;
            }
            if end == from || *octet > 255 || (i < 3 && text.get(end) != Some(&b'.')) {
                return None;
            }
        }
        self.groups[self.count] = octets[0] << 8 | octets[1];
        self.groups[self.count + 1] = octets[2] << 8 | octets[3];
        self.count += 2;
        self.dotted = true;
        Some(end)
    }

    /// All eight groups.
    fn expanded(&self) -> [u16; 8] {
        let Some(gap) = self.compressed else { return self.groups };
        let mut all = [0; 8];
        all[..gap].copy_from_slice(&self.groups[..gap]);
        let tail = self.count - gap;
        all[8 - tail..].copy_from_slice(&self.groups[gap..self.count]);
        all
    }

    fn verdict(&self, spelled: &[u8]) -> Option<Verdict> {
        let all = self.expanded();
        if matches!(
            all,
            [0, 0, 0, 0, 0, 0, 0, 0 | 1] | [0, 0, 0, 0, 0, 0xFFFF, 0x7F00..=0x7FFF, _] | [0, 0, 0, 0, 0, 0xFFFF, 0, 0]
        ) {
            return None;
        }
        if self.compressed.is_none() {
            return Some(Verdict::Proves);
        }
        let digit = spelled.iter().any(u8::is_ascii_digit);
        let in_use = matches!(all[0], 0x2000..=0x3FFF | 0xFC00..=0xFDFF | 0xFE80..=0xFEBF | 0xFF00..=0xFF0F)
            || matches!(all, [0x64, 0xFF9B, ..])
            || matches!(all, [0, 0, 0, 0, 0, 0xFFFF, ..])
            || matches!(all, [0, 0, 0, 0, 0xFFFF, 0, ..]);
        let clock = spelled.iter().all(|b| b.is_ascii_digit() || *b == b':') && !in_use;
        match (digit, in_use) {
            (false, _) => (self.count >= 5).then_some(Verdict::Silent),
            (true, true) => Some(Verdict::Proves),
            (true, false) if clock && self.count < 5 => None,
            (true, false) => Some(if self.count >= 5 { Verdict::Proves } else { Verdict::Silent }),
        }
    }
}

fn group(digits: &[u8]) -> u16 {
    digits.iter().fold(0, |n, b| n << 4 | (*b as char).to_digit(16).unwrap_or(0) as u16)
}

/// Past the zone id after the address, where there is one: `%eth0`, `%25eth0`.
fn zone_end(text: &[u8], end: usize) -> usize {
    if text.get(end) != Some(&b'%') {
        return end;
    }
    let zone = text[end + 1..]
        .iter()
        .take(20)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        .count();
    if zone == 0 { end } else { end + 1 + zone }
}
