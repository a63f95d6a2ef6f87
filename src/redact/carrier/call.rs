//! What stands in brackets right behind a name: `setToken("x")`, `Password(x)`.

use super::container;
use super::kind::{self, ValueKind};
use super::prose::is_random;
use super::quoted;
use super::reader::Reader;
use super::scope::Scope;

/// `PASSWORD('x')`, `setToken("x")`, `AccessToken(value=x, …)`: what stands in brackets right behind a name.
pub(crate) fn read(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) -> bool {
    if !matches!(scope.byte(at), Some(b'(' | b'[' | b'{')) || !reader.kind.is_any() {
        return false;
    }
    if let Some(quote) = quoted::open(scope, at + 1) {
        let inner = quoted::read(scope, quote);
        let claims = inner.closed && kind::looks_secret(&scope.text[inner.start..inner.end]);
        return claims && reader.paid(at, inner.after) && reader.claim(scope, inner.start..inner.end, true);
    }
    // `Password(x)`, as Scala and Rust print a class around a text.
    if let Some(inner) = printed(scope, at).filter(|inner| !reader.labels.knows(&scope.text[inner.clone()])) {
        return reader.paid(at, inner.end) && reader.claim(scope, inner, false);
    }
    let known = reader.out.len();
    let mut settings = reader.of(reader.rule, ValueKind::Vendor);
    let end = container::read(&mut settings, scope, at);
    settings.paid(at, end);
    reader.out.len() > known
}

/// Calls that write a text into a field of a form, or compare what it holds.
#[rustfmt::skip]
const WRITERS: &[&str] = &[
    "eq", "equal", "equals", "fill", "fillField", "fill_in", "input_text", "isEqualTo", "sendKeys", "send_keys", "setValue", "set_value", "toBe", "toEqual", "type",
    "type_into", "typeText", "val",
];

/// `By.id("password")).sendKeys("x")`, `page.fill('#password', 'x')`: what is written into the field whose selector ends
/// with the name that ends at `at`.
pub(crate) fn written(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize, at: usize) -> bool {
    const CLOSING: usize = 8;
    const BEFORE: usize = 96;
    if !reader.kind.is_any() {
        return false;
    }
    let closing = scope.text[at.min(scope.limit)..scope.limit].iter().take(CLOSING);
    let from = at + closing.take_while(|byte| b"]\"'`)\\".contains(byte)).count();
    let value = match scope.byte(from) {
        Some(b',') if from > at => {
            let before = &scope.text[scope.floor.max(start.saturating_sub(BEFORE))..start];
            let call = memchr::memrchr(b'(', before).filter(|open| writes(&before[..*open]));
            call.map(|_| scope.skip_blank(from + 1))
        }
        Some(b'.') if from > at => {
            let rest = &scope.text[from + 1..scope.limit];
            let name = rest.iter().take(16).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            (rest.get(name) == Some(&b'(') && writes(&rest[..name])).then_some(from + name + 2)
        }
        _ => None,
    };
    let Some(quote) = value.and_then(|value| quoted::open(scope, value)) else { return false };
    let inner = quoted::read(scope, quote);
    inner.closed && reader.paid(at, inner.after) && reader.claim(scope, inner.start..inner.end, true)
}

/// Whether a call's name, the last word of `before`, writes into a field.
fn writes(before: &[u8]) -> bool {
    let name = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    WRITERS.iter().any(|known| known.as_bytes() == &before[before.len() - name..])
}

/// The one random-looking word in brackets at `at`.
fn printed(scope: Scope<'_>, at: usize) -> Option<std::ops::Range<usize>> {
    const LONGEST: usize = 512;
    let rest = &scope.text[at + 1..scope.limit.min(at + LONGEST)];
    let closing = if scope.text[at] == b'(' { b')' } else { b']' };
    let length = rest.iter().take_while(|byte| byte.is_ascii_graphic() && **byte != closing).count();
    let text = &rest[..length];
    // What stands in square brackets is a place in a list as often.
    let random = if closing == b')' { kind::is_opaque(text) && is_random(text) } else { kind::is_random(text) };
    let told = scope.text[at] != b'{' && rest.get(length) == Some(&closing);
    (told && random && !text.contains(&b'.')).then_some(at + 1..at + 1 + length)
}
