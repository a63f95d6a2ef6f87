//! `ipv4`: four octets with dots, in whatever stands around them.
//!
//! Stay: versions (a version word or a product name right before, a package suffix right after), object
//! identifiers and other longer dotted runs, impossible octets, loopback, `0.x` and net masks. A port, a
//! prefix length and a reverse-lookup suffix are not part of the span. The dotted run may carry the port
//! as a fifth number, as packet dumps print it.

use super::ShapeHit;
use super::edge::{byte_before, char_before, digit_at, ends_with_fold, previous_word, starts_with_fold, word_after};
use crate::redact::validate::Verdict;

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let start = run_start(text, at, floor)?;
    let quad = Quad::read(text, start)?;
    if !quad.is_host() || !free_left(text, start, floor) || !free_right(text, &quad, start, floor) {
        return None;
    }
    if is_version(text, start, &quad, floor) {
        return None;
    }
    Some(ShapeHit::new(start, quad.end, Verdict::Proves))
}

/// Start of the dotted run of digits whose first dot is at `at`; nothing when another dot precedes.
fn run_start(text: &[u8], at: usize, floor: usize) -> Option<usize> {
    let lowest = floor.max(at.saturating_sub(4));
    let mut start = at;
    while start > lowest && text[start - 1].is_ascii_digit() {
        start -= 1;
    }
    (start < at && at - start <= 3).then_some(start)
}

/// Four numbers read from a text.
struct Quad {
    octets: [u16; 4],
    padded: usize,
    short: usize,
    end: usize,
}

impl Quad {
    fn read(text: &[u8], start: usize) -> Option<Quad> {
        let mut quad = Quad { octets: [0; 4], padded: 0, short: 0, end: start };
        for i in 0..4 {
            if i > 0 {
                if text.get(quad.end) != Some(&b'.') {
                    return None;
                }
                quad.end += 1;
            }
            let from = quad.end;
            while quad.end < from + 3 && digit_at(text, quad.end) {
                quad.octets[i] = quad.octets[i] * 10 + u16::from(text[quad.end] - b'0');
                quad.end += 1;
            }
            if quad.end == from || digit_at(text, quad.end) || quad.octets[i] > 255 {
                return None;
            }
            quad.short += usize::from(quad.end - from < 3);
            quad.padded += usize::from(quad.end - from > 1 && text[from] == b'0');
        }
        Some(quad)
    }

    /// True for addresses that can belong to somebody. Leading zeros only where all octets are padded.
    fn is_host(&self) -> bool {
        (self.padded == 0 || self.short == 0) && !matches!(self.octets[0], 0 | 127 | 255)
    }

    /// True for numbers that hardly any address has and most versions and sections have.
    fn is_tiny(&self) -> bool {
        !self.is_private() && self.octets.iter().all(|octet| *octet < 32)
    }

    /// True for numbers that are likelier a version than a public address.
    fn is_small(&self) -> bool {
        !self.is_private()
            && (self.octets[0] < 32 || self.octets[0] < 128 && self.octets[1..].iter().all(|octet| *octet < 32))
    }

    fn is_private(&self) -> bool {
        matches!(self.octets, [10, ..] | [192, 168, ..] | [172, 16..=31, ..])
    }
}

/// No dotted run before, and no identifier that ends in digits or a version's `v`.
fn free_left(text: &[u8], start: usize, floor: usize) -> bool {
    match char_before(text, start, floor) {
        Some('.') => !(start >= floor + 2 && text[start - 2].is_ascii_alphanumeric()),
        Some(c) if c.is_ascii_alphabetic() => {
            let lowest = floor.max(start.saturating_sub(12));
            let word = &text[lowest..start];
            let letters = word.iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
            let word = &word[word.len() - letters..];
            // A label glued to an address still labels it; one letter, or a version word, makes a version.
            letters >= 2
                && !VERSION_WORDS.iter().chain(&RELEASE_WORDS).any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
        }
        Some(c) => !c.is_alphanumeric(),
        None => true,
    }
}

/// No further octet (a fifth number above 255 is a port), no letter that makes it a name.
fn free_right(text: &[u8], quad: &Quad, start: usize, floor: usize) -> bool {
    match text.get(quad.end) {
        Some(b'.') if digit_at(text, quad.end + 1) => fifth_is_port(text, quad.end + 1, start, floor),
        Some(b'.') => !is_package_suffix(&text[quad.end + 1..]),
        Some(b'_') => !digit_at(text, quad.end + 1) && !starts_with_fold(&text[quad.end + 1..], "amd64"),
        _ => !word_after(text, quad.end) || glued_name(text, quad.end),
    }
}

/// Letters straight after the last octet: tolerated when they are no unit, hexadecimal digit or suffix.
fn glued_name(text: &[u8], at: usize) -> bool {
    let letters = text[at..].iter().take(12).take_while(|b| b.is_ascii_alphabetic()).count();
    letters >= 3 && ["port", "tcp", "udp", "user"].iter().any(|word| starts_with_fold(&text[at..], word))
}

fn fifth_is_port(text: &[u8], from: usize, start: usize, floor: usize) -> bool {
    let digits = text[from..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    let end = from + digits;
    let number = text[from..end].iter().fold(0u32, |n, b| n * 10 + u32::from(b - b'0'));
    if digits > 5
        || number > 65535
        || (text.get(end) == Some(&b'.') && digit_at(text, end + 1))
        || word_after(text, end)
    {
        return false;
    }
    let flow =
        matches!(text.get(end..end + 3), Some(b" > ")) || (start >= floor + 2 && &text[start - 2..start] == b"> ");
    flow || (number > 255 && ends_with_fold(previous_word(text, start, floor), "ip"))
}

fn is_package_suffix(rest: &[u8]) -> bool {
    const SUFFIXES: [&str; 18] = [
        "jar", "war", "tar", "tgz", "zip", "so", "dll", "exe", "rpm", "deb", "gem", "whl", "nupkg", "msi", "pkg", "el",
        "fc", "x86",
    ];
    SUFFIXES
        .iter()
        .any(|suffix| starts_with_fold(rest, suffix) && !rest.get(suffix.len()).is_some_and(u8::is_ascii_alphabetic))
}

/// Words that make any number after them a version.
const VERSION_WORDS: [&str; 9] =
    ["version", "versions", "ver", "v", "revision", "firmware", "oid", "assemblyversion", "upgraded"];

/// Words that stand before versions and before hosts (`build 192.0.2.4 failed`): the number decides.
const RELEASE_WORDS: [&str; 7] = ["build", "release", "rel", "rev", "driver", "sdk", "kernel"];

fn is_version(text: &[u8], start: usize, quad: &Quad, floor: usize) -> bool {
    if byte_before(text, start, floor, b'/') {
        return is_product(text, start, quad, floor);
    }
    // The identity of a Windows package, `Package_for_KB2636072~31bf3856ad364e35~amd64~~6.1.1.1`.
    if start >= floor + 2 && &text[start - 2..start] == b"~~" {
        return true;
    }
    if matches!(text.get(quad.end), Some(b'-' | b'+' | b'~')) && is_pre_release(&text[quad.end + 1..]) {
        return true;
    }
    let word = previous_word(text, start, floor);
    if quad.is_tiny() && is_numbered(text, word, start, quad, floor) {
        return true;
    }
    // `<v>` is the name of any value.
    let element = byte_before(text, start, floor, b'>') && word.eq_ignore_ascii_case(b"v");
    if is_version_word(word, quad) && !element {
        return true;
    }
    let moved = ["to", "from"].iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    moved && !word.is_empty() && after_version_move(text, word_offset(text, word), floor, quad)
}

/// `section 1.2.3.4`, `openssl 1.1.1.1`, `portal-2.10.1.4`: what is numbered by parts and connects to nothing. Names of
/// hosts (`node-1.2.3.4`, `a-1.2.3.4.example.net`) and of servers stay in front of addresses.
fn is_numbered(text: &[u8], word: &[u8], start: usize, quad: &Quad, floor: usize) -> bool {
    const NUMBERED: [&str; 24] = [
        "section",
        "sect",
        "clause",
        "paragraph",
        "chapter",
        "appendix",
        "article",
        "annex",
        "figure",
        "requirement",
        "rozdział",
        "openssl",
        "libssl",
        "glibc",
        "zlib",
        "log4j",
        "libcurl",
        "python",
        "java",
        "jdk",
        "gcc",
        "perl",
        "ruby",
        "electron",
    ];
    const HOSTS: [&str; 14] = [
        "ip", "ipv4", "host", "node", "server", "srv", "client", "peer", "pool", "dynamic", "static", "dhcp", "vps",
        "worker",
    ];
    let one_of = |word: &[u8], words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    if byte_before(text, start, floor, b'-') {
        let name = word.strip_suffix(b"-").unwrap_or(word).rsplit(|byte| matches!(byte, b'-' | b'_')).next();
        let name = name.unwrap_or_default();
        let goes_on = matches!(text.get(quad.end), Some(b'.' | b':' | b'/' | b'-'))
            && text.get(quad.end + 1).is_some_and(u8::is_ascii_alphanumeric);
        return !goes_on && name.len() >= 2 && name.iter().all(u8::is_ascii_lowercase) && !one_of(name, &HOSTS);
    }
    byte_before(text, start, floor, b' ') && one_of(word, &NUMBERED)
}

fn is_version_word(word: &[u8], quad: &Quad) -> bool {
    let last = word.rsplit(|b| matches!(b, b'_' | b'-')).next().unwrap_or(word);
    let one_of = |words: &[&str]| words.iter().any(|known| last.eq_ignore_ascii_case(known.as_bytes()));
    one_of(&VERSION_WORDS)
        || ends_with_fold(last, "version")
        || last.ends_with(b"Ver")
        || (quad.is_small() && (one_of(&RELEASE_WORDS) || last.ends_with(b"Build")))
}

/// `upgraded from 1.2.3.4`, `upgraded from 1.2.3.4 to 1.2.3.5`, `version 1.2.3.4 to 1.2.3.5`.
fn after_version_move(text: &[u8], at: usize, floor: usize, quad: &Quad) -> bool {
    let mut end = at;
    for _ in 0..4 {
        while end > floor && matches!(text[end - 1], b' ' | b'"' | b'\'') {
            end -= 1;
        }
        let lowest = floor.max(end.saturating_sub(24));
        let mut start = end;
        while start > lowest && (text[start - 1].is_ascii_alphanumeric() || text[start - 1] == b'.') {
            start -= 1;
        }
        let word = &text[start..end];
        let moves: &[&str] =
            if quad.is_small() { &["upgrad", "downgrad", "bump", "updat"] } else { &["upgrad", "downgrad"] };
        if is_version_word(word, quad) || moves.iter().any(|known| starts_with_fold(word, known)) {
            return true;
        }
        if !(word.first().is_some_and(u8::is_ascii_digit) || word.eq_ignore_ascii_case(b"from")) {
            return false;
        }
        end = start;
    }
    false
}

/// Offset in `text` of a word borrowed from it.
fn word_offset(text: &[u8], word: &[u8]) -> usize {
    word.as_ptr() as usize - text.as_ptr() as usize
}

/// `1.2.3.4-5ubuntu1`, `1.2.3.4-SNAPSHOT`, `1.2.3.4+build7`.
fn is_pre_release(rest: &[u8]) -> bool {
    let digits = rest.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    let rest = &rest[digits..];
    let debian = digits > 0 && rest.first().is_some_and(u8::is_ascii_alphabetic);
    debian
        || ["snapshot", "rc", "beta", "alpha", "dev", "build", "amd64", "x86", "linux", "win"]
            .iter()
            .any(|w| starts_with_fold(rest, w))
}

/// `nginx/1.25.3.1`, `Chrome/120.0.0.0`: a product name before the slash. `host/192.0.2.4:5432`,
/// `tcp/192.0.2.4` and paths are no products.
fn is_product(text: &[u8], start: usize, quad: &Quad, floor: usize) -> bool {
    let slash = start - 1;
    let lowest = floor.max(slash.saturating_sub(40));
    let mut from = slash;
    while from > lowest && (text[from - 1].is_ascii_alphanumeric() || matches!(text[from - 1], b'_' | b'-' | b'.')) {
        from -= 1;
    }
    let name = &text[from..slash];
    let path = from > floor && matches!(text[from - 1], b'/' | b'\\');
    if name.is_empty() || path || name.contains(&b'.') || !name[0].is_ascii_alphabetic() {
        return false;
    }
    if text.get(quad.end) == Some(&b':') && digit_at(text, quad.end + 1) {
        return false;
    }
    const PROTOCOLS: [&str; 12] =
        ["tcp", "udp", "ip", "ip4", "tls", "ssl", "host", "from", "client", "peer", "localhost", "node"];
    if PROTOCOLS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
        return false;
    }
    // `HIER_DIRECT/192.0.2.4`: how a proxy reached a host.
    if name.contains(&b'_') && name.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_') {
        return false;
    }
    // Lower-case names are hosts as often as products: there the number itself decides.
    name[0].is_ascii_uppercase() || quad.is_small()
}
