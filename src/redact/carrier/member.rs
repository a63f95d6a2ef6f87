//! Members around a place: `name sep value` walked forwards and backwards without reading them.
//!
//! The same walk serves JSON at any depth, JavaScript and Go dumps, XML attributes and logfmt: a member is
//! a name, `:` or `=`, a value; a comma or white space stands between two.

use super::quoted;
use super::scope::Scope;
use std::ops::Range;

/// A member: its name, and where its value begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The name without quotes.
    pub(crate) name: Range<usize>,
    /// First byte of the whole member.
    pub(crate) start: usize,
    /// First byte behind the separator.
    pub(crate) value: usize,
    /// The name is quoted.
    pub(crate) quoted: bool,
}

/// Names under which a value stands that a sibling names.
pub(crate) const VALUES: &[&str] = &[
    "after",
    "before",
    "content",
    "current",
    "currentvalue",
    "data",
    "default",
    "defaultvalue",
    "example",
    "new",
    "newvalue",
    "old",
    "oldvalue",
    "plaintext",
    "rawvalue",
    "secret",
    "stringvalue",
    "v",
    "val",
    "value",
    "values",
    "valuestring",
];

const LONGEST_NAME: usize = 40;

/// The member that begins behind the separator (comma, white space) at `at`.
pub(crate) fn next(scope: Scope<'_>, at: usize) -> Option<Member> {
    let mut start = scope.skip_space(at);
    if matches!(scope.byte(start), Some(b',' | b';')) {
        start = scope.skip_space(start + 1);
    } else if start == at {
        return None;
    }
    at_start(scope, start)
}

/// The member that begins at `start`.
pub(crate) fn at_start(scope: Scope<'_>, start: usize) -> Option<Member> {
    let (name, end, quoted) = match quoted::open(scope, start) {
        Some(quote) => {
            let inner = quoted::read(scope, quote);
            (inner.start..inner.end, inner.after, true)
        }
        None => {
            let length = name_length(scope.text[start.min(scope.limit)..scope.limit].iter());
            (start..start + length, start + length, false)
        }
    };
    let sign = scope.skip_space(end);
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME;
    let value = match scope.byte(sign)? {
        b':' => sign + 1,
        b'=' if scope.byte(sign + 1) == Some(b'>') => sign + 2,
        b'=' => sign + 1,
        _ => return None,
    };
    fits.then_some(Member { name, start, value, quoted })
}

fn name_length<'b>(bytes: impl Iterator<Item = &'b u8>) -> usize {
    bytes
        .take(LONGEST_NAME + 1)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'-' | b'.'))
        .count()
}

/// The member that the value beginning at `value` belongs to.
pub(crate) fn owner(scope: Scope<'_>, value: usize) -> Option<Member> {
    let sign_end = scope.back_over_space(value);
    let before = |at: usize| (at > scope.floor).then(|| scope.text[at - 1]);
    let sign = match before(sign_end)? {
        b':' | b'=' => sign_end - 1,
        b'>' if before(sign_end - 1) == Some(b'=') => sign_end - 2,
        _ => return None,
    };
    let end = scope.back_over_space(sign);
    match before(end)? {
        quote @ (b'"' | b'\'') => {
            let (open, name) = string_before(scope, end, quote)?;
            (name.len() <= LONGEST_NAME).then_some(Member { name, start: open, value: sign_end, quoted: true })
        }
        _ => {
            let length = name_length(scope.text[scope.floor..end].iter().rev());
            let name = end - length..end;
            (length > 0 && length <= LONGEST_NAME).then_some(Member {
                start: name.start,
                name,
                value: sign_end,
                quoted: false,
            })
        }
    }
}

/// The member before the one that begins at `start`.
pub(crate) fn previous(scope: Scope<'_>, start: usize) -> Option<Member> {
    let gap = scope.back_over_space(start);
    let comma = gap > scope.floor && matches!(scope.text[gap - 1], b',' | b';');
    if !comma && gap == start {
        return None;
    }
    let end = if comma { scope.back_over_space(gap - 1) } else { gap };
    owner(scope, value_start(scope, end)?)
}

/// First byte of the value that ends before `end`.
fn value_start(scope: Scope<'_>, end: usize) -> Option<usize> {
    match *scope.text[scope.floor..end].last()? {
        quote @ (b'"' | b'\'') => string_before(scope, end, quote).map(|(open, _)| open),
        b'}' | b']' => container_start(scope, end),
        _ => {
            let bare = scope.text[scope.floor..end]
                .iter()
                .rev()
                .take(256)
                .take_while(|byte| !byte.is_ascii_whitespace() && !b":=,{[(\"".contains(byte))
                .count();
            (bare > 0).then(|| end - bare)
        }
    }
}

/// The quoted text whose closing quote is the last byte before `end`: where it opens (with its
/// backslashes), and its content.
fn string_before(scope: Scope<'_>, end: usize, quote: u8) -> Option<(usize, Range<usize>)> {
    let depth = scope.backslashes_before(end - 1, scope.floor);
    let close = end - 1 - depth;
    let mut to = close;
    loop {
        let found = scope.floor + memchr::memrchr(quote, &scope.text[scope.floor..to])?;
        let run = scope.backslashes_before(found, scope.floor);
        if run < depth {
            return None;
        }
        if run % (2 * (depth + 1)) == depth {
            return Some((found - depth, found + 1..close));
        }
        to = found - run;
    }
}

/// The bracket that opens the container whose closing bracket is the last byte before `end`.
fn container_start(scope: Scope<'_>, end: usize) -> Option<usize> {
    let mut open = 0usize;
    let mut at = end;
    while at > scope.floor {
        at -= 1;
        match scope.text[at] {
            b'}' | b']' => open += 1,
            b'{' | b'[' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            b'"' => at = string_before(scope, at + 1, b'"')?.0,
            _ => {}
        }
    }
    None
}

/// First byte behind the value at `at`.
pub(crate) fn value_end(scope: Scope<'_>, at: usize) -> usize {
    let from = scope.skip_space(at);
    if let Some(quote) = quoted::open(scope, from) {
        return quoted::read(scope, quote).after;
    }
    let mut open = 0usize;
    let mut at = from;
    while let Some(byte) = scope.byte(at) {
        match byte {
            b'{' | b'[' | b'(' => open += 1,
            b'}' | b']' | b')' if open == 0 => return at,
            b'}' | b']' | b')' => {
                open -= 1;
                if open == 0 {
                    return at + 1;
                }
            }
            b',' | b';' | b'>' | b' ' | b'\t' | b'\n' if open == 0 => return at,
            b'"' | b'\\' => {
                if let Some(quote) = quoted::open(scope, at) {
                    at = quoted::read(scope, quote).after;
                    continue;
                }
                at += scope.backslashes(at);
            }
            _ => {}
        }
        at += 1;
    }
    scope.limit
}

/// Compares a name without separators and case with a list of such names.
pub(crate) fn is_one_of(scope: Scope<'_>, name: &Range<usize>, list: &[&str]) -> bool {
    list.iter().any(|known| {
        let mut letters = scope.text[name.clone()].iter().filter(|byte| !matches!(**byte, b'_' | b'-'));
        known.bytes().all(|wanted| letters.next().is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted)))
            && letters.next().is_none()
    })
}

/// Members that describe a secret without being one.
const DESCRIPTIONS: &[&str] = &[
    "active",
    "alg",
    "algorithm",
    "audience",
    "created",
    "createdat",
    "createdon",
    "enabled",
    "exp",
    "expiration",
    "expirationdate",
    "expiremins",
    "expireminutes",
    "expires",
    "expiresat",
    "expiresin",
    "expiry",
    "granttype",
    "iat",
    "issuedat",
    "issuer",
    "kind",
    "length",
    "lifetime",
    "maxage",
    "method",
    "provider",
    "region",
    "scheme",
    "scope",
    "scopes",
    "status",
    "tokentype",
    "ttl",
    "typ",
    "type",
    "updatedat",
    "version",
];

/// Compares a member's name without its separators and case.
pub(crate) fn describes(name: &[u8]) -> bool {
    const LONGEST: usize = 24;
    let mut plain = [0u8; LONGEST];
    let letters = name.iter().filter(|byte| !matches!(**byte, b'_' | b'-' | b' '));
    let mut length = 0;
    for byte in letters {
        if length == LONGEST {
            return false;
        }
        plain[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    DESCRIPTIONS.iter().any(|known| known.as_bytes() == &plain[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope<'_> {
        Scope { text: text.as_bytes(), floor: 0, limit: text.len(), nested: false }
    }

    #[test]
    fn members_are_walked_both_ways() {
        for text in [
            r#"{"a":"x","b":{"c":["}"]},"d":12,"e":"y"}"#,
            r#"{\"a\":\"x\",\"b\":{\"c\":1},\"d\":12,\"e\":\"y\"}"#,
            r#"<add a="x" b="1" d="2" e="y"/>"#,
            "{a:x b:1 d:2 e:y}",
            "a=x b=1 d=2 e=y",
        ] {
            let scope = scope(text);
            let name = |member: &Member| text[member.name.clone()].to_owned();
            let first = text.find('x').unwrap() - if text.contains("\\\"") { 2 } else { 1 };
            let first = if text.contains('"') { first } else { first + 1 };
            let mut member = owner(scope, first).unwrap();
            let mut forwards = vec![name(&member)];
            while let Some(after) = next(scope, value_end(scope, member.value)) {
                member = after;
                forwards.push(name(&member));
            }
            assert_eq!(forwards, ["a", "b", "d", "e"], "{text}");
            let mut backwards = Vec::new();
            while let Some(before) = previous(scope, member.start) {
                member = before;
                backwards.push(name(&member));
            }
            assert_eq!(backwards, ["d", "b", "a"], "{text}");
        }
    }
}
