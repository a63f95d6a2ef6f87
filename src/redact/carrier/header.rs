//! Headers whose value has a grammar of its own: `Authorization`, `Cookie`, `Set-Cookie`.
//!
//! Names of schemes, parameters and cookies stay; what they carry goes. A value that is `whole` (quoted)
//! ends where its scope ends, any other one where its grammar does.

use super::bare::{self, Style};
use super::quoted;
use super::reader::Reader;
use super::scope::Scope;

/// Schemes by their lower-case names.
const SCHEMES: &[&str] = &[
    "access-token",
    "accesskey",
    "amx",
    "apikey",
    "api-key",
    "aws",
    "aws4-hmac-sha256",
    "basic",
    "bearer",
    "bot",
    "clientlogin",
    "digest",
    "dpop",
    "genie-key",
    "geniekey",
    "gnap",
    "googlelogin",
    "hawk",
    "hmac",
    "hmac-sha256",
    "hoba",
    "jwt",
    "key",
    "klaviyo-api-key",
    "mac",
    "mutual",
    "negotiate",
    "ntlm",
    "oauth",
    "private-token",
    "privatetoken",
    "scram-sha-1",
    "scram-sha-256",
    "secret",
    "sharedaccesssignature",
    "sharedkey",
    "sharedkeylite",
    "signature",
    "snowflake",
    "splunk",
    "ssws",
    "sso-key",
    "token",
    "vapid",
    "wsse",
    "zoho-oauthtoken",
];

/// Parameters of a credential that say nothing.
const HARMLESS: &[&str] = &[
    "algorithm",
    "charset",
    "created",
    "expires",
    "ext",
    "headers",
    "nc",
    "oauth_nonce",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_version",
    "opaque",
    "profile",
    "qop",
    "realm",
    "se",
    "signedheaders",
    "skn",
    "sr",
    "stale",
    "timestamp",
    "ts",
    "uri",
    "userhash",
    "version",
];

/// Reads the value of an authorization header from `from`; returns where it ended.
pub(crate) fn authorization(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, whole: bool) -> usize {
    let from = scope.skip_blank(from);
    if let Some((scheme, rest)) = scheme_at(scope, from) {
        let single = scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"basic");
        if !single && parameter_at(scope, rest).is_some() {
            return parameters(reader, scope, rest);
        }
        return credential(reader, scope, rest, whole);
    }
    let end = credential(reader, scope, from, whole);
    let next = scope.skip_blank(end);
    if !whole && next > end && next < scope.limit {
        // An unknown scheme in front of what looks like a credential.
        let second = bare::end(scope, next, Style::default());
        if second - next >= 16 && super::kind::is_opaque(&scope.text[next..second]) {
            reader.claim(scope, next..second, false);
            return second;
        }
    }
    end
}

/// One credential: everything that is left of a whole value, else one word.
fn credential(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, whole: bool) -> usize {
    let end = if whole { scope.limit } else { bare::end(scope, from, Style::default()) };
    reader.claim(scope, from..end.max(from), whole);
    end
}

/// The scheme's name at `from` and the place behind the space after it (also `%20`, `+`, `:`).
fn scheme_at(scope: Scope<'_>, from: usize) -> Option<(&[u8], usize)> {
    let name = scope.text[from.min(scope.limit)..scope.limit.min(from + 24)]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
        .count();
    let scheme = &scope.text[from..from + name];
    if !SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known.as_bytes())) {
        return None;
    }
    space_at(scope, from + name).map(|rest| (scheme, rest))
}

/// The place behind white space in any of its spellings.
pub(crate) fn space_at(scope: Scope<'_>, at: usize) -> Option<usize> {
    let after = match scope.byte(at)? {
        b' ' | b'\t' => at + 1,
        b'+' => at + 1,
        b':' => at + 1,
        b'%' if scope.has(at, b"%20") => at + 3,
        b'%' if scope.has(at, b"%2520") => at + 5,
        b'\\' if scope.has(at, b"\\u0020") => at + 6,
        _ => return None,
    };
    Some(scope.skip_blank(after))
}

/// `name=` at `at`: the end of the name.
fn parameter_at(scope: Scope<'_>, at: usize) -> Option<usize> {
    let name = scope.text[at.min(scope.limit)..scope.limit.min(at + 40)]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'-'))
        .count();
    let equals = at + name;
    let value = scope.byte(equals + 1).is_some_and(|byte| byte != b'=' && !byte.is_ascii_whitespace());
    (name > 0 && scope.byte(equals) == Some(b'=') && value).then_some(equals)
}

/// `name="value", name=value`: every value but the harmless ones.
fn parameters(reader: &mut Reader<'_>, scope: Scope<'_>, mut at: usize) -> usize {
    while let Some(equals) = parameter_at(scope, at) {
        let name = &scope.text[at..equals];
        let (value, after) = match quoted::open(scope, equals + 1) {
            Some(quote) => {
                let inner = quoted::read(scope, quote);
                (inner.start..inner.end, inner.after)
            }
            None => {
                let end = parameter_end(scope, equals + 1);
                (equals + 1..end, end)
            }
        };
        let harmless = HARMLESS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        if name.eq_ignore_ascii_case(b"credential") {
            let id = scope.text[value.clone()].iter().take_while(|byte| **byte != b'/').count();
            reader.claim(scope, value.start..value.start + id, true);
        } else if !harmless {
            reader.claim(scope, value, true);
        }
        let next = scope.skip_blank(after);
        let separated = matches!(scope.byte(next), Some(b',' | b'&' | b';'));
        let resumed = scope.skip_blank(if separated { next + 1 } else { next });
        if resumed == after || parameter_at(scope, resumed).is_none() {
            return after;
        }
        at = resumed;
    }
    at
}

fn parameter_end(scope: Scope<'_>, from: usize) -> usize {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'"' | b'\'' | b'\\' | b'&');
    scope.text[from..scope.limit].iter().position(ends).map_or(scope.limit, |at| from + at)
}

/// Reads `a=b; c=d` from `from`: all values, or with `first_only` (`Set-Cookie`) the first.
pub(crate) fn cookies(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, first_only: bool) -> usize {
    let mut at = scope.skip_blank(from);
    loop {
        let Some(equals) = cookie_name_end(scope, at) else { return at };
        let end = cookie_end(scope, equals + 1);
        let trimmed = match &scope.text[equals + 1..end] {
            [b'"', inner @ .., b'"'] if !inner.is_empty() => equals + 2..end - 1,
            _ => equals + 1..end,
        };
        reader.claim(scope, trimmed, true);
        let next = scope.skip_blank(end);
        let more = match scope.byte(next) {
            Some(b';') => true,
            Some(b',') => cookie_name_end(scope, scope.skip_blank(next + 1)).is_some(),
            _ => false,
        };
        if first_only || !more {
            return end;
        }
        at = scope.skip_blank(next + 1);
    }
}

fn cookie_name_end(scope: Scope<'_>, at: usize) -> Option<usize> {
    let name = scope.text[at.min(scope.limit)..scope.limit.min(at + 128)]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~[]:".contains(byte))
        .count();
    (name > 0 && scope.byte(at + name) == Some(b'=')).then_some(at + name)
}

fn cookie_end(scope: Scope<'_>, from: usize) -> usize {
    let bytes = &scope.text[from.min(scope.limit)..scope.limit];
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b';' | b'"' | b',' | b'\\' | 0);
    if bytes.first() == Some(&b'"') {
        let close = bytes[1..].iter().position(|byte| matches!(byte, b'"' | b'\\' | b';'));
        if let Some(close) = close.filter(|at| bytes[at + 1] == b'"') {
            return from + close + 2;
        }
        return from;
    }
    bytes.iter().position(ends).map_or(scope.limit, |at| from + at)
}
