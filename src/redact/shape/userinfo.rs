//! Passwords in addresses of services: `scheme://user:pass@host`, Go's `user:pass@tcp(host)`, Oracle's
//! `user/pass@//host`, and lines of `.pgpass` (`host:5432:db:user:pass`).
//!
//! Only the password is claimed; user, host and path stay for operations. People forget to escape: the
//! password ends at the first at-sign that a host follows, whatever it holds.

use super::{ShapeHit, Verdict};
use crate::redact::carrier::keep;
use crate::redact::carrier::kind::is_opaque;
use crate::redact::carrier::labels::Labels;

/// What stands between a scheme and an authority; also as some JSON writers escape it.
pub(super) const SCHEME_ENDS: &[&str] = &["://", ":\\/\\/"];
/// What stands behind the password in a Go data source name or Oracle's easy connect string.
pub(super) const DSN_HOSTS: &[&str] = &["@tcp(", "@unix(", "@udp(", "@tcp6(", "@//"];
/// Ports of a `.pgpass` line.
pub(super) const PGPASS_PORTS: &[&str] = &[":5432:", ":*:", ":6432:", ":5433:"];

/// User information longer than this is none.
const LONGEST: usize = 512;

/// The password in front of the host behind `://`.
pub(super) fn url(text: &[u8], at: usize, _floor: usize) -> Option<ShapeHit> {
    let mark = if text[at..].starts_with(b"://") { 3 } else { 5 };
    let from = at + mark;
    let end = info_end(text, from)?;
    let info = &text[from..end];
    let colon = memchr::memchr(b':', info);
    let (user, password) = info.split_at(colon.unwrap_or(info.len()));
    let password_start = from + user.len() + 1;
    // Tokens also stand where a user is expected: `https://TOKEN@host`, `https://TOKEN:x-oauth-basic@host`.
    let address = user.contains(&b'@') || user.windows(3).any(|three| three == b"%40");
    let token = user.len() >= 16 && is_opaque(user) && !address && !is_endpoint(&text[..at], user);
    let start = if token { from } else { password_start };
    if start >= end || (!token && password.len() <= 1) {
        return None;
    }
    claimed(text, start, end)
}

/// `spark://MapOutputTracker@host`, `akka.tcp://sparkExecutor@host`: the name of an actor, not of a user.
fn is_endpoint(before: &[u8], user: &[u8]) -> bool {
    let scheme = [&b"spark"[..], b"akka", b"akka.tcp", b"akka.ssl.tcp"].iter().any(|scheme| before.ends_with(scheme));
    scheme && user.iter().all(u8::is_ascii_alphabetic)
}

/// Whether the at-sign at `at` ends the password of `scheme://user:password@host`: what stands before it is
/// no address then.
pub(super) fn ends_password(text: &[u8], at: usize) -> bool {
    info_start(text, at).is_some_and(|from| text[from..at].contains(&b':') && info_end(text, from) == Some(at))
}

/// Where the user information begins that may end at `at`: behind the nearest `://`.
fn info_start(text: &[u8], at: usize) -> Option<usize> {
    // An address found before may be the user's name: `scheme://jan@example.com:password@host`.
    const LONGEST_LEFT: usize = 256;
    let lowest = at.saturating_sub(LONGEST_LEFT);
    let before = &text[lowest..at];
    let parts = |byte: &u8| byte.is_ascii_whitespace() || matches!(*byte, b'"' | b'\'' | b'<' | b'>');
    // Most addresses stand in no URL: something parts them from the nearest slash.
    let slash = memchr::memrchr(b'/', before)?;
    if before[slash..].iter().any(parts) {
        return None;
    }
    let run = &before[before[..slash].iter().rposition(parts).map_or(0, |at| at + 1)..];
    let mark = SCHEME_ENDS
        .iter()
        .filter_map(|mark| memchr::memmem::rfind(run, mark.as_bytes()).map(|found| found + mark.len()))
        .max();
    mark.map(|after| at - (run.len() - after))
}

/// Where the user information that begins at `from` ends: the at-sign a host follows.
fn info_end(text: &[u8], from: usize) -> Option<usize> {
    let window = &text[from..text.len().min(from + LONGEST)];
    let length = window
        .iter()
        .position(|byte| *byte <= b' ' || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`'))
        .unwrap_or(window.len());
    // The next address begins at the next `://`; reading beyond it would be reading twice.
    let mut colons = memchr::memchr_iter(b':', &window[..length]);
    let length = colons.find(|at| window[at + 1..length].starts_with(b"//")).unwrap_or(length);
    let window = &window[..length];
    let slash = window.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')).unwrap_or(length);
    if !window[..slash].contains(&b'@') && host_end(&window[..slash], 0).is_some() || settings_follow(window) {
        return None;
    }
    memchr::memchr_iter(b'@', window).find(|sign| host_end(window, sign + 1).is_some()).map(|sign| from + sign)
}

/// `db:1433;databaseName=erp;password=a@b`: settings follow the host, so that no at-sign parts a user from it.
fn settings_follow(window: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b';', window).filter(|end| host_end(&window[..*end], 0) == Some(*end)) else {
        return false;
    };
    let name = window[end + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    name > 1 && window.get(end + 1 + name) == Some(&b'=')
}

/// The end of the host (and port) at `at`, if what follows it may follow a host.
fn host_end(text: &[u8], at: usize) -> Option<usize> {
    let host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') || *byte >= 0x80;
    let rest = &text[at..];
    let length = match rest.first()? {
        b'[' => rest.iter().take(64).position(|byte| *byte == b']')? + 1,
        b'$' | b'{' => rest.iter().take(64).position(|byte| *byte == b'}')? + 1,
        _ => rest.iter().take_while(|byte| host(byte)).count(),
    };
    let port = match rest.get(length) {
        Some(b':') => 1 + rest[length + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let end = length + port;
    let follows = rest.get(end).is_none_or(|byte| {
        matches!(byte, b'/' | b'?' | b'#' | b',' | b';' | b')' | b']' | b'}' | b'|' | b'&' | b'\\' | b':')
    });
    (length > 0 && port != 1 && follows).then_some(at + end)
}

/// The password in front of `@tcp(` or `@//`.
pub(super) fn dsn(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    const LONGEST_LEFT: usize = 160;
    let sign = if text[at..].starts_with(b"@//") { b'/' } else { b':' };
    let lowest = floor.max(at.saturating_sub(LONGEST_LEFT));
    let before = &text[lowest..at];
    let length =
        before.iter().rev().take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'=<>,;`".contains(byte)).count();
    let info = &before[before.len() - length..];
    // `jdbc:oracle:thin:app/FAKE@//db`: only the last part is the user's.
    let user = if sign == b'/' { memchr::memrchr(b':', info).map_or(0, |colon| colon + 1) } else { 0 };
    let separator = user + memchr::memchr(sign, &info[user..])?;
    let start = at - (info.len() - separator) + 1;
    (start < at && separator > user).then(|| claimed(text, start, at))?
}

/// The fifth field of a `.pgpass` line whose second one is at `at`.
pub(super) fn pgpass(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let host = at > floor && (text[at - 1].is_ascii_alphanumeric() || b"*].".contains(&text[at - 1]));
    let port_end = at + 1 + memchr::memchr(b':', &text[at + 1..])?;
    let database = field_end(text, port_end + 1)?;
    let user = field_end(text, database + 1)?;
    let start = user + 1;
    let rest = &text[start..text.len().min(start + LONGEST)];
    let length = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"\"'".contains(byte)).unwrap_or(rest.len());
    if !host || length == 0 {
        return None;
    }
    claimed(text, start, start + length)
}

/// The colon that ends the field at `from`.
fn field_end(text: &[u8], from: usize) -> Option<usize> {
    const LONGEST_FIELD: usize = 64;
    let field = &text[from..text.len().min(from + LONGEST_FIELD)];
    let length = field.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-*.".contains(byte)).count();
    (length > 0 && field.get(length) == Some(&b':')).then_some(from + length)
}

fn claimed(text: &[u8], start: usize, end: usize) -> Option<ShapeHit> {
    let part = keep::secret_part(&text[start..end], false, &Labels::default())?;
    let mut hit = ShapeHit::new(start + part.start, start + part.end, Verdict::Proves);
    hit.resume = end as u32;
    Some(hit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::shape::FindShape;

    fn found(find: FindShape, marks: &[&str], text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(mark) =
            (at..text.len()).find(|at| marks.iter().any(|mark| text.as_bytes()[*at..].starts_with(mark.as_bytes())))
        {
            at = mark + 1;
            if let Some(hit) = find(text.as_bytes(), mark, 0) {
                found.push(String::from_utf8_lossy(hit.span.of(text.as_bytes())).into_owned());
                at = at.max(hit.resume as usize);
            }
        }
        found
    }

    #[test]
    fn passwords_of_addresses() {
        for (text, expected) in [
            (r"https:\/\/bot:FAKEpw9Zt@example.com\/hook\/7", &["FAKEpw9Zt"][..]),
            ("dsn=postgres://app:p@ss:FAKE/77@db.example.com:5432/erp?sslmode=require", &["p@ss:FAKE/77"]),
            ("dsn=mysql://app:FAKE%40p%3Aw@db.example.com/erp", &["FAKE%40p%3Aw"]),
            ("mongodb://app:FAKEmongo7@h1.example.com:27017,h2.example.com:27017/erp", &["FAKEmongo7"]),
            ("redis://:FAKEredis7@cache.example.com:6379/0", &["FAKEredis7"]),
            ("https://jan@example.com:ghp_FAKE@git.example.com/r.git?email=anna@example.com", &["ghp_FAKE"]),
            ("https://FAKE1234567890abcdef:x-oauth-basic@github.com/a", &["FAKE1234567890abcdef:x-oauth-basic"]),
            ("https://FAKE1234567890abcdef@sentry.example.com/1", &["FAKE1234567890abcdef"]),
            ("amqp://a:FAKE1@[2001:db8::1]:5672/v x://b:FAKE2@h", &["FAKE1", "FAKE2"]),
            ("spark://MapOutputTracker@h:4 akka.tcp://sparkExecutorBackend@h:5", &[]),
            ("postgres://app:${PW}@db/x http://u:****@h http://a:[password]@h", &[]),
            ("https://host:8080/mail/jan@example.com http://h/@user/x?a=b@c.d ftp://jan@h/x", &[]),
            ("https://app.example.com/p?next=a:b@c.d ssh://git@github.com:22/x", &[]),
        ] {
            assert_eq!(found(url, SCHEME_ENDS, text), expected, "{text}");
        }
    }

    #[test]
    fn data_source_names_and_password_files() {
        assert_eq!(found(dsn, DSN_HOSTS, "dsn=app:FA:KE@tcp(db:3306)/erp"), ["FA:KE"]);
        assert_eq!(found(dsn, DSN_HOSTS, "jdbc:oracle:thin:app/FAKE1@//db:1521/x"), ["FAKE1"]);
        assert_eq!(found(dsn, DSN_HOSTS, "git@//x app@tcp(db)"), Vec::<String>::new());
        assert_eq!(found(pgpass, PGPASS_PORTS, "db.example.com:5432:erp:app:FAKE1"), ["FAKE1"]);
        assert_eq!(found(pgpass, PGPASS_PORTS, "*:*:*:app:FAKE\\:1 x"), ["FAKE\\:1"]);
        assert_eq!(found(pgpass, PGPASS_PORTS, "dial db:5432: connect: refused"), Vec::<String>::new());
    }
}
