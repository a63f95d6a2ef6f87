//! Keep rules: values of a known shape under a known key stay readable, whatever a shape says of them.
//!
//! A keep rule speaks to one place only: the same digits elsewhere are not protected by it, and it never
//! cancels what an anchor, a key or an expression claims; an address of a private network alone is kept from them too.

use super::finding::Span;
use super::rule::{Keep, KeepShape, RuleIndex};
use std::collections::BTreeMap;

/// All keep rules of a set, compiled.
#[derive(Default)]
pub(super) struct Keeps {
    rules: Vec<Compiled>,
    /// Rules that keep their shape in any place, by their place in `rules`.
    anywhere: Vec<u16>,
    /// The rule that keeps addresses of private networks in any place.
    private: Option<RuleIndex>,
    /// Key names by their last letter.
    paths: BTreeMap<u8, Vec<Path>>,
}

/// A key name, and the place of its rule.
struct Path {
    /// Lower case, without separators.
    letters: Box<[u8]>,
    /// Its last four of them, for a first look: the last lowest, zeros before a shorter name.
    tail: u32,
    /// The bytes of `tail` that the name has.
    mask: u32,
    place: u16,
}

struct Compiled {
    rule: RuleIndex,
    shape: KeepShape,
}

impl Keeps {
    /// Adds a rule.
    pub(super) fn push(&mut self, rule: RuleIndex, keep: &Keep) {
        let letters = |name: &String| -> Box<[u8]> {
            name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect()
        };
        let place = self.rules.len() as u16;
        self.rules.push(Compiled { rule, shape: keep.shape });
        if keep.path.is_empty() {
            self.anywhere.push(place);
            self.private = self.private.or((keep.shape == KeepShape::PrivateIp).then_some(rule));
        }
        for path in keep.path.iter().map(letters) {
            if let Some(last) = path.last() {
                let tail = path.iter().rev().take(TAIL).rev().fold(0, |tail, letter| tail << 8 | u32::from(*letter));
                let mask = u32::MAX >> (8 * (TAIL - path.len().min(TAIL)));
                self.paths.entry(*last).or_default().push(Path { letters: path, tail, mask, place });
            }
        }
    }

    /// The rule that keeps `value` as an address of a private network, be its numbers joined by dots, dashes or brackets.
    pub(super) fn private_address(&self, value: &[u8]) -> Option<RuleIndex> {
        let rule = self.private?;
        let mut octets = [0; 4];
        let mut groups = value.split(|byte| !byte.is_ascii_digit()).filter(|group| !group.is_empty());
        for octet in &mut octets {
            *octet = std::str::from_utf8(groups.next()?).ok()?.parse().ok()?;
        }
        let plain = groups.next().is_none() && value.first().is_some_and(u8::is_ascii_digit);
        (plain && is_private(std::net::IpAddr::from(octets))).then_some(rule)
    }

    /// The rule that keeps the value which holds `span`. Looks at most 256 bytes to either side.
    pub(super) fn covering(&self, text: &[u8], span: Span, floor: usize, limit: usize) -> Option<RuleIndex> {
        if self.rules.is_empty() {
            return None;
        }
        let value = value_around(text, span, floor, limit);
        let bytes = &text[value.clone()];
        // Many rules ask for few shapes.
        let mut shapes = [None; KeepShape::NAMES.len()];
        let mut fits = |place: u16| {
            let shape = self.rules[usize::from(place)].shape;
            *shapes[shape as usize].get_or_insert_with(|| has_shape(shape, bytes))
        };
        let mut keeper = self.anywhere.iter().copied().filter(|place| fits(*place)).min();
        let key = Key::of(key_before(text, value.start, floor));
        let paths = key.last().and_then(|last| self.paths.get(&last)).map_or(&[][..], Vec::as_slice);
        for path in paths {
            if path.may_end(key.tail) && key.ends_in(&path.letters) && fits(path.place) {
                keeper = Some(keeper.map_or(path.place, |place| place.min(path.place)));
            }
        }
        keeper.map(|place| self.rules[usize::from(place)].rule)
    }
}

impl Path {
    /// Whether a key whose last letters are `tail` may end in this name.
    #[inline(always)]
    fn may_end(&self, tail: u32) -> bool {
        (self.tail ^ tail) & self.mask == 0
    }
}

/// The end of a key's name, for comparison with paths.
struct Key<'k> {
    name: &'k [u8],
    /// Its last letters and digits in lower case, from the right, and where they stand in the name.
    letters: [(u8, u8); LONGEST_PATH],
    count: usize,
    /// As [`Path::tail`].
    tail: u32,
}

/// Letters in a [`Path::tail`].
const TAIL: usize = 4;

/// Most letters and digits of a path of a keep rule.
pub(super) const LONGEST_PATH: usize = 64;

impl Key<'_> {
    /// `name` is at most 255 bytes.
    fn of(name: &[u8]) -> Key<'_> {
        let mut key = Key { name, letters: [(0, 0); LONGEST_PATH], count: 0, tail: 0 };
        for (at, byte) in name.iter().enumerate().rev().filter(|(_, byte)| byte.is_ascii_alphanumeric()) {
            let Some(letter) = key.letters.get_mut(key.count) else { break };
            *letter = (byte.to_ascii_lowercase(), at as u8);
            if key.count < TAIL {
                key.tail |= u32::from(letter.0) << (8 * key.count);
            }
            key.count += 1;
        }
        key
    }

    fn last(&self) -> Option<u8> {
        self.letters[..self.count].first().map(|(letter, _)| *letter)
    }

    /// Whether the last words are `path`, whatever joins them: `traceid`, `trace_id` and `traceId` are one name.
    fn ends_in(&self, path: &[u8]) -> bool {
        let letters = &self.letters[..self.count];
        if path.is_empty() || path.len() > letters.len() {
            return false;
        }
        if !path.iter().rev().zip(letters).all(|(wanted, (letter, _))| wanted == letter) {
            return false;
        }
        let (key, start) = (self.name, usize::from(letters[path.len() - 1].1));
        start == 0
            || !key[start - 1].is_ascii_alphanumeric()
            || (key[start].is_ascii_uppercase() && key[start - 1].is_ascii_lowercase())
    }
}

/// The run of value characters around `span`.
fn value_around(text: &[u8], span: Span, floor: usize, limit: usize) -> std::ops::Range<usize> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'+');
    let (mut start, mut end) = (span.start as usize, span.end as usize);
    let lowest = start.saturating_sub(256).max(floor);
    while start > lowest && inner(text[start - 1]) && (text[start - 1] != b':' || follows_value(text, start)) {
        start -= 1;
    }
    let highest = (end + 256).min(limit);
    while end < highest && inner(text[end]) {
        end += 1;
    }
    while end > span.end as usize && matches!(text[end - 1], b'.' | b':' | b'-') {
        end -= 1;
    }
    start..end
}

/// A colon belongs to the value (`sha256:…`, a time) when a letter or digit stands right before it and the
/// word before it is an algorithm's name or digits; else it ends a key.
fn follows_value(text: &[u8], after_colon: usize) -> bool {
    let before = &text[..after_colon - 1];
    let word = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let word = &before[before.len() - word..];
    matches!(word, b"sha256" | b"sha512" | b"sha1" | b"md5")
        || (!word.is_empty() && word.iter().all(u8::is_ascii_digit))
}

/// The key that stands before a value: its characters, without quotes and separators.
fn key_before(text: &[u8], value: usize, floor: usize) -> &[u8] {
    let lowest = value.saturating_sub(128).max(floor);
    let mut end = value;
    let mut separators = 0;
    while end > lowest && separators < 16 {
        let byte = text[end - 1];
        if !matches!(byte, b'"' | b'\'' | b'\\' | b' ' | b'\t' | b':' | b'=' | b'>' | b'[' | b'(' | b'/') {
            break;
        }
        end -= 1;
        separators += 1;
    }
    let mut start = end;
    while start > lowest && (text[start - 1].is_ascii_alphanumeric() || matches!(text[start - 1], b'_' | b'-' | b'.')) {
        start -= 1;
    }
    &text[start..end]
}

fn has_shape(shape: KeepShape, value: &[u8]) -> bool {
    let all = |test: fn(&u8) -> bool| !value.is_empty() && value.iter().all(test);
    match shape {
        KeepShape::Digits => all(u8::is_ascii_digit),
        KeepShape::Hex => {
            let value = value.strip_prefix(b"0x").unwrap_or(value);
            value.len() >= 4 && value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
        }
        KeepShape::Uuid => is_uuid(value),
        KeepShape::Time => {
            let of_time = |byte: &u8| matches!(byte, b'0'..=b'9' | b'T' | b':' | b'.' | b'-' | b'+' | b'Z' | b' ');
            all(of_time) && is_time(value)
        }
        KeepShape::Version => {
            let value = value.strip_prefix(b"v").unwrap_or(value);
            value.first().is_some_and(u8::is_ascii_digit)
                && value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+' | b'_'))
        }
        KeepShape::Digest if !matches!(value.first(), Some(b's' | b'm')) => false,
        KeepShape::Digest => value.iter().position(|byte| *byte == b':').is_some_and(|colon| {
            let (name, digest) = (&value[..colon], &value[colon + 1..]);
            name.starts_with(b"sha") | name.starts_with(b"md")
                && digest.len() >= 6
                && digest.iter().all(u8::is_ascii_hexdigit)
        }),
        KeepShape::PrivateIp => address(value).is_some_and(is_private),
        KeepShape::LoopbackIp => address(value).is_some_and(|ip| ip.is_loopback() || ip.is_unspecified()),
        KeepShape::Token => all(u8::is_ascii_graphic),
    }
}

/// A clock, a date or an epoch, of the characters of a time: `reached at +34 688 612 012` tells no time.
fn is_time(value: &[u8]) -> bool {
    if value.contains(&b':') {
        return value[0] != b'+';
    }
    let mut groups = value.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len);
    let first = groups.next().unwrap_or(0);
    let rest: [usize; 2] = [groups.next().unwrap_or(0), groups.next().unwrap_or(0)];
    match (first, rest) {
        // Seconds to nanoseconds since 1970 begin with a one until 2033; else digits of a date run on.
        (10 | 13 | 16 | 19, [_, 0]) => value[0] == b'1',
        (8 | 12 | 14 | 17, [0 | 6, 0 | 3]) => matches!(&value[..2], b"19" | b"20"),
        (4, [1..=3, 0..=2]) | (1..=2, [1..=2, 2 | 4]) => true,
        (1..=7, [0, 0]) => true,
        _ => false,
    }
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The address at the start of a value, a port behind it aside, where it may be one of a private network or of this
/// host: most are told by how they begin.
fn address(value: &[u8]) -> Option<std::net::IpAddr> {
    let begins = match value {
        [b'0' | b':' | b'f' | b'F', ..] | [b'1', b'0', b'.', ..] => true,
        [b'1', rest @ ..] => [b"27.", b"69.", b"72.", b"92."].iter().any(|next| rest.starts_with(*next)),
        _ => false,
    };
    if !begins {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?;
    text.parse().ok().or_else(|| text.rsplit_once(':').and_then(|(host, _)| host.parse().ok()))
}

fn is_private(ip: std::net::IpAddr) -> bool {
    match ip {
        std::net::IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        std::net::IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str, value: &str, path: &[&str], shape: KeepShape) -> bool {
        let mut keeps = Keeps::default();
        keeps.push(RuleIndex(0), &Keep { path: path.iter().map(|name| (*name).to_owned()).collect(), shape });
        let at = text.find(value).unwrap();
        keeps.covering(text.as_bytes(), Span::new(at, at + value.len()), 0, text.len()).is_some()
    }

    #[test]
    fn a_shape_under_its_key_is_kept_and_nowhere_else() {
        let id = "4117003120044556679";
        assert!(kept(r#"{"dd":{"trace_id":"4117003120044556679"}}"#, id, &["trace id"], KeepShape::Digits));
        assert!(kept("dd.trace_id=4117003120044556679 x", id, &["trace id"], KeepShape::Digits));
        assert!(kept(r#"{\"traceId\":\"4117003120044556679\"}"#, id, &["trace id"], KeepShape::Digits));
        assert!(!kept(r#"{"card_number":"4117003120044556679"}"#, id, &["trace id"], KeepShape::Digits));
        assert!(!kept(r#"{"trace_id":"x4117003120044556679"}"#, id, &["trace id"], KeepShape::Digits));
        for time in [
            "1772323241",
            "1772323241.123",
            "2026-03-01",
            "01.03.2026",
            "20260301123456",
            "10:00:00",
            "2026-03-01T10:00:00.1Z",
        ] {
            assert!(kept(&format!("at={time} x"), time, &["at"], KeepShape::Time), "{time}");
        }
        for other in ["+34 688 612 012", "601-234-567", "601234567", "90010112349", "+48123456789"] {
            assert!(!kept(&format!("at {other} x"), other, &["at"], KeepShape::Time), "{other}");
        }
        assert!(kept("listen 127.0.0.1:8080", "127.0.0.1", &[], KeepShape::LoopbackIp));
        assert!(!kept("listen 192.0.2.1:8080", "192.0.2.1", &[], KeepShape::LoopbackIp));
    }
}
