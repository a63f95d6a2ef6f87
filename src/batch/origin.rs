//! Host and service that a line names itself, read from its *redacted* pieces.
//!
//! Only what lies whole within bytes that were kept counts: a host the rules masked stays masked. Forms:
//! RFC 5424, RFC 3164 with and without priority, ISO time with `host program[pid]:`, and the JSON members
//! `host`, `hostname` and `service` with plain values.

use super::envelope::Origin;
use crate::redact::Piece;
use memchr::memmem::Finder;

/// Of a piece, bytes looked at.
const WINDOW: usize = 4096;
/// Longest name of a host (DNS).
const MAX_HOST: usize = 253;
/// Longest name of a service.
const MAX_SERVICE: usize = 100;

/// Reads what records name; holds the search tables.
pub(super) struct Reader {
    /// `"host"` before `"hostname"`.
    host: [Finder<'static>; 2],
    service: [Finder<'static>; 1],
}

impl Reader {
    pub(super) fn new() -> Reader {
        Reader { host: [Finder::new("\"host\""), Finder::new("\"hostname\"")], service: [Finder::new("\"service\"")] }
    }

    /// What the pieces of one record name.
    pub(super) fn read<'p>(&self, pieces: impl Iterator<Item = Piece<'p>>) -> Origin<'p> {
        let mut origin = Origin::default();
        let mut json = false;
        for (i, piece) in pieces.take(16).enumerate() {
            let Piece::Keep(bytes) = piece else { continue };
            let text = &bytes[..bytes.len().min(WINDOW)];
            if i == 0 {
                json = text.trim_ascii_start().starts_with(b"{");
                if !json {
                    return syslog(text);
                }
            }
            if json {
                origin.host = origin.host.or_else(|| member(text, &self.host, MAX_HOST));
                origin.service = origin.service.or_else(|| member(text, &self.service, MAX_SERVICE));
            }
        }
        origin
    }
}

fn syslog(text: &[u8]) -> Origin<'_> {
    let (with_priority, text) = match priority(text) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if let (true, Some(rest)) = (with_priority, text.strip_prefix(b"1 ")) {
        return rfc5424(rest);
    }
    let legacy = text.get(15) == Some(&b' ') && text.get(3) == Some(&b' ') && text.get(9) == Some(&b':');
    let iso = text.get(4) == Some(&b'-') && text.get(10) == Some(&b'T');
    let after = match (legacy, iso) {
        (true, _) => &text[16..],
        (_, true) => text.iter().position(|&b| b == b' ').map_or(&[][..], |at| &text[at + 1..]),
        _ => return Origin::default(),
    };
    // Without a priority, an ISO time may begin any log: only `host program[pid]:` tells syslog there.
    host_and_program(after, !with_priority && iso).unwrap_or_default()
}

fn rfc5424(text: &[u8]) -> Origin<'_> {
    let mut fields = text.splitn(4, |&b| b == b' ').skip(1);
    let mut field = |max| fields.next().and_then(|field| name(field, max)).filter(|name| *name != "-");
    Origin { host: field(MAX_HOST), service: field(MAX_SERVICE) }
}

/// `host program[pid]: ` or `host program: `.
fn host_and_program(text: &[u8], needs_pid: bool) -> Option<Origin<'_>> {
    let mut words = text.splitn(3, |&b| b == b' ');
    let host = name(words.next()?, MAX_HOST)?;
    let program = words.next()?.strip_suffix(b":")?;
    let program = match program.strip_suffix(b"]") {
        Some(inside) => {
            let open = inside.iter().rposition(|&b| b == b'[')?;
            inside[open + 1..].iter().all(u8::is_ascii_digit).then_some(&inside[..open])?
        }
        None if needs_pid => return None,
        None => program,
    };
    Some(Origin { host: Some(host), service: Some(name(program, MAX_SERVICE)?) })
}

/// The plain string value of the first member with one of these keys.
fn member<'t>(text: &'t [u8], keys: &[Finder<'_>], max: usize) -> Option<&'t str> {
    keys.iter().find_map(|key| {
        let at = key.find(text)? + key.needle().len();
        let value = text[at..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        let end = value.iter().take(max + 1).position(|&b| b == b'"')?;
        name(&value[..end], max)
    })
}

/// Text that is no more than a name.
fn name(text: &[u8], max: usize) -> Option<&str> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':' | b'/' | b'@');
    let fits = !text.is_empty() && text.len() <= max && text.iter().all(plain);
    if fits { std::str::from_utf8(text).ok() } else { None }
}

fn priority(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().take(5).position(|&b| b == b'>')?;
    let digits = text.get(1..end)?;
    (text[0] == b'<' && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then(|| &text[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(line: &str) -> (Option<&str>, Option<&str>) {
        let origin = Reader::new().read([Piece::Keep(line.as_bytes())].into_iter());
        (origin.host, origin.service)
    }

    #[test]
    fn lines_name_their_host_and_service() {
        for (line, host, service) in [
            ("Nov 23 12:00:00 db1 sshd[12]: x", Some("db1"), Some("sshd")),
            ("<38>Nov  3 12:00:00 db1.example.net cron: x", Some("db1.example.net"), Some("cron")),
            ("<34>1 2025-11-23T12:00:00Z db1 app 1 ID - x", Some("db1"), Some("app")),
            ("<34>1 2025-11-23T12:00:00Z - app - - - x", None, Some("app")),
            ("2025-11-23T12:00:00+01:00 db1 sshd[1]: x", Some("db1"), Some("sshd")),
            ("2025-11-23T12:00:00Z INFO main: x", None, None),
            ("2025-11-23T12:00:00Z INFO main[x]: x", None, None),
            ("Nov 23 12:00:00 only words follow here", None, None),
            (r#"{"host":"db1","service":"billing"}"#, Some("db1"), Some("billing")),
            (r#"{"a":1,"hostname" : "db1"}"#, Some("db1"), None),
            (r#"{"host":"two words","service":7}"#, None, None),
            (r#"{"message":"\"host\":\"evil\""}"#, None, None),
            ("host=db1", None, None),
            ("", None, None),
        ] {
            assert_eq!(both(line), (host, service), "{line}");
        }
    }

    #[test]
    fn what_was_masked_or_cut_by_a_mask_is_not_named() {
        let masked = [Piece::Keep(b"Nov 23 12:00:00 "), Piece::Mask(b"[ip]"), Piece::Keep(b" sshd[1]: x")];
        assert_eq!(Reader::new().read(masked.into_iter()).host, None);
        let half = [Piece::Keep(b"{\"host\":\"db1."), Piece::Mask(b"[x]"), Piece::Keep(b"\",\"service\":\"s\"}")];
        let origin = Reader::new().read(half.into_iter());
        assert_eq!((origin.host, origin.service), (None, Some("s")));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived_and_names_are_short(data: Vec<u8>, json: bool, syslog: bool) {
            let lead: &[u8] = if json { b"{\"host\":\"" } else if syslog { b"Nov 23 12:00:00 " } else { b"<" };
            let line = [lead, &data].concat();
            let origin = Reader::new().read([Piece::Keep(&line)].into_iter());
            let len = origin.host.map_or(0, str::len) + origin.service.map_or(0, str::len);
            prop_assert!(len <= MAX_HOST + MAX_SERVICE);
        }
    }
}
