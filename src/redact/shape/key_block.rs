//! Private key blocks: PEM, OpenSSH, PGP, SSH2 and PuTTY, in one record or beginning in one.
//!
//! `-----BEGIN … PRIVATE KEY…-----` body `-----END …-----`. The body may be joined by real or escaped
//! newlines in any depth (`\n`, `\\n`, `\u000a`, `#012`, `%0A`), by blanks or by nothing. Markers stay
//! readable, the body goes. A marker without a body is prose. PuTTY says `Private-Lines: 14` and ends with
//! `Private-MAC: …`.

use super::ShapeHit;
use crate::redact::finding::Span;
use crate::redact::validate::Verdict;
use memchr::memmem;

/// Where a key block may begin.
pub(super) const LITERALS: &[&str] = &["-----BEGIN ", "---- BEGIN ", PUTTY];

/// How the private part of a PuTTY key begins.
const PUTTY: &str = "Private-Lines: ";

/// Shortest run of base64 that makes a body.
const BODY_MIN: usize = 16;
/// Longest body looked through for its END marker, bytes.
const BODY_MAX: usize = 64 * 1024;

/// What a record says of a key block that begins in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Block {
    /// No private key: a certificate, a public key, prose.
    None,
    /// The marker is the record's last word: the body is expected in the records that follow.
    Opens,
    /// The body stands in this record; read up to here.
    Inside(usize),
}

/// The first body of a block; the engine asks [`bodies`] for all.
pub(super) fn find(text: &[u8], at: usize, _floor: usize) -> Option<ShapeHit> {
    let mut first = None;
    bodies(text, at, &mut |span| first = first.or(Some(span)));
    first.map(|span| ShapeHit::new(span.start as usize, span.end as usize, Verdict::Proves))
}

/// Reports every part of the body of the block whose marker begins at `at`; parts are separated where the
/// carrier's quotes stand between lines.
pub(crate) fn bodies(text: &[u8], at: usize, each: &mut dyn FnMut(Span)) -> Block {
    let Some(start) = marker_end(text, at) else { return Block::None };
    let reach = &text[start..text.len().min(start + BODY_MAX)];
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    if reach.iter().all(blank) {
        return Block::Opens;
    }
    let end = match memmem::find(reach, b"---") {
        Some(dashes) => start + dashes,
        None => start + open_end(reach),
    };
    let mut found = false;
    for part in parts(text, start, end) {
        each(part);
        found = true;
    }
    if found { Block::Inside(end) } else { Block::None }
}

/// Where the BEGIN marker of a private key ends.
fn marker_end(text: &[u8], at: usize) -> Option<usize> {
    let line = &text[at..text.len().min(at + 96)];
    if let Some(count) = line.strip_prefix(PUTTY.as_bytes()) {
        let digits = count.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        return (digits > 0).then_some(at + PUTTY.len() + digits);
    }
    let name = memmem::find(line, b"BEGIN ")? + 6;
    let close = name + memmem::find(&line[name..], b"----")?;
    let label = &line[name..close];
    let printable = label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ' || *byte == b'-');
    let private = memmem::find(label, b"PRIVATE KEY").is_some() || memmem::find(label, b"SECRET KEY").is_some();
    if !printable || !private {
        return None;
    }
    Some(at + close + line[close..].iter().take_while(|byte| **byte == b'-').count())
}

/// Length of a body that never ends: while its grammar lasts.
fn open_end(reach: &[u8]) -> usize {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"+/= \t\r\n\\#%:,-_.".contains(&byte);
    reach.iter().position(|byte| !inner(*byte)).unwrap_or(reach.len())
}

/// The body, cut at unescaped quotes; each part without the blanks and escapes around it.
fn parts(text: &[u8], start: usize, end: usize) -> impl Iterator<Item = Span> + '_ {
    let mut from = start;
    std::iter::from_fn(move || {
        while from < end {
            let quote = text[from..end].iter().position(|byte| matches!(byte, b'"' | b'\''));
            let stop = quote.map_or(end, |quote| from + quote);
            let part = from..stop;
            from = stop + 1;
            let opening = part.clone().find(|at| is_body(text[*at]) && long_run(text, *at, stop));
            if let Some(opening) = opening {
                // A backslash that escapes the quote belongs to the carrier.
                let closing =
                    part.end - text[opening..part.end].iter().rev().take_while(|byte| !is_body(**byte)).count();
                return Some(Span::new(skip_escape(text, part.start, opening), closing));
            }
        }
        None
    })
}

fn is_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn long_run(text: &[u8], at: usize, end: usize) -> bool {
    text[at..end].iter().take(BODY_MIN).take_while(|byte| is_body(**byte)).count() == BODY_MIN
}

/// A run that begins with the letter of an escape (`\nMII…`) begins after it.
fn skip_escape(text: &[u8], floor: usize, at: usize) -> usize {
    let escaped = at > floor && text[at - 1] == b'\\';
    match text[at] {
        b'n' | b'r' | b't' if escaped => at + 1,
        b'u' if escaped && text[at + 1..].starts_with(b"00") => (at + 5).min(text.len()),
        _ => at,
    }
}

/// What a later record is to a block that is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Line {
    /// A line of the body: this part of it goes.
    Body(Span),
    /// Part of the block without a secret: an empty line, a header.
    Neutral,
    /// The END marker.
    End,
    /// Not part of the block.
    Outside,
}

/// Judges a record that follows an open block. A syslog, CRI or container prefix may stand before the line.
pub(crate) fn line(record: &[u8]) -> Line {
    let trimmed = record.trim_ascii_end();
    if trimmed.is_empty() {
        return Line::Neutral;
    }
    let ends = [&b"----END "[..], b"---- END ", b"Private-MAC: ", b"Private-Hash: "];
    if ends.iter().any(|end| memmem::find(trimmed, end).is_some()) {
        return Line::End;
    }
    let begin = trimmed.iter().rposition(|byte| !is_body(*byte)).map_or(0, |at| at + 1);
    let prefixed = begin == 0 || trimmed[..begin].ends_with(b" ") || trimmed[..begin].ends_with(b"\t");
    let length = trimmed.len() - begin;
    if prefixed && (begin == 0 && length >= 4 || length >= BODY_MIN || (length >= 1 && log_prefix(&trimmed[..begin]))) {
        return Line::Body(Span::new(begin, trimmed.len()));
    }
    if trimmed.starts_with(b"{\"log\":\"") {
        let text = &trimmed[8..];
        let length = text.iter().take_while(|byte| is_body(**byte)).count();
        if length >= 4 {
            return Line::Body(Span::new(8, 8 + length));
        }
    }
    let header = [&b"Proc-Type:"[..], b"DEK-Info:", b"Version:", b"Comment:", b"Hash:", b"Charset:"];
    let after_prefix = memmem::rfind(trimmed, b": ").map_or(trimmed, |_| trimmed);
    if header.iter().any(|name| memmem::find(after_prefix, name).is_some()) {
        return Line::Neutral;
    }
    if log_prefix(record) { Line::Neutral } else { Line::Outside }
}

/// A prefix that ends as syslog's (`app[7]: `, `app: `) or CRI's (`stdout F `) does.
fn log_prefix(prefix: &[u8]) -> bool {
    prefix.ends_with(b": ") || prefix.ends_with(b" F ") || prefix.ends_with(b" P ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MIIBAEZBS0UgS0VZIE1BVEVSSUFMIE5PVCBBIFJFQUwgS0VZIEZBS0UgS0VZIE1B";

    fn marker(word: &str) -> String {
        format!("-----{word} RSA PRIVATE KEY-----")
    }

    fn masked(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let at = text.find("-----BEGIN").unwrap();
        bodies(text.as_bytes(), at, &mut |span| {
            found.push(String::from_utf8_lossy(span.of(text.as_bytes())).into_owned())
        });
        found
    }

    #[test]
    fn bodies_are_found_however_lines_are_joined() {
        let (begin, end) = (marker("BEGIN"), marker("END"));
        for joint in ["\\n", "\\\\n", "\\r\\n", "#012", " ", "", "%0A", "\\u000a"] {
            let text = format!("{begin}{joint}{BODY}{joint}{BODY}{joint}{end} tail");
            let found = masked(&text);
            assert_eq!(found.len(), 1, "{joint}");
            assert!(found[0].contains(BODY) && !found[0].contains("END"), "{joint}: {found:?}");
        }
        assert_eq!(masked(&format!("[\"{begin}\",\"{BODY}\",\"{BODY}\",\"{end}\"]")), [BODY, BODY]);
        assert_eq!(masked(&format!("{begin}\\n{BODY}\\n{}", &BODY[..20])).len(), 1);
    }

    #[test]
    fn the_private_part_of_a_putty_key_is_a_body() {
        let mut found = Vec::new();
        let text = format!("Private-Lines: 1\\n{BODY}\\nPrivate-MAC: 00");
        assert!(matches!(bodies(text.as_bytes(), 0, &mut |span| found.push(span)), Block::Inside(_)));
        assert!(found[0].of(text.as_bytes()).starts_with(BODY.as_bytes()));
        assert_eq!(bodies(b"Private-Lines: 14", 0, &mut |_| {}), Block::Opens);
        assert_eq!(bodies(b"Private-Lines: none", 0, &mut |_| {}), Block::None);
    }

    #[test]
    fn prose_and_certificates_stay() {
        assert!(masked(&format!("expected {} header, found 0x00; retrying", marker("BEGIN"))).is_empty());
        assert!(masked(&format!("-----BEGIN CERTIFICATE-----\\n{BODY}\\n-----END CERTIFICATE-----")).is_empty());
    }

    #[test]
    fn later_records_are_judged() {
        assert_eq!(line(BODY.as_bytes()), Line::Body(Span::new(0, BODY.len())));
        let syslog = format!("Mar  1 10:00:01 host app[7]: {BODY}");
        assert_eq!(line(syslog.as_bytes()), Line::Body(Span::new(29, 29 + BODY.len())));
        assert_eq!(line(marker("END").as_bytes()), Line::End);
        assert_eq!(line(b"Private-MAC: 00a2"), Line::End);
        assert_eq!(line(b"Proc-Type: 4,ENCRYPTED"), Line::Neutral);
        assert_eq!(line(b""), Line::Neutral);
        assert_eq!(line(b"service started with 3 workers."), Line::Outside);
        assert_eq!(line(b"done!"), Line::Outside);
    }
}
