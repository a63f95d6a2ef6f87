//! XML and HTML: the content of elements.

use super::bare::Style;
use super::member;
use super::quoted;
use super::reader::Reader;
use super::scalar::scalar;
use super::scope::Scope;
use super::value;

/// Reads the content of the element whose name ends at `at`: `<password …>x</password>`.
pub(crate) fn element(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) -> bool {
    const LONGEST_TAG: usize = 512;
    let tag = &scope.text[at..scope.limit.min(at + LONGEST_TAG)];
    let Some(end) = tag.iter().position(|byte| matches!(byte, b'>' | b'<')) else { return false };
    let opens = tag[end] == b'>' && (end == 0 || tag[end - 1] != b'/');
    let attribute = attribute(Scope { limit: at + end, ..scope }, at);
    if let Some(from) = attribute {
        value::read(reader, scope, from, Style { member: true, ..Style::default() });
    }
    if opens {
        content(reader, scope, at + end + 1);
    }
    opens || attribute.is_some()
}

/// `<password value="x"/>`: where the value of the first attributes' `value` begins, of an element whose name ends
/// at `at`.
pub(crate) fn attribute(scope: Scope<'_>, mut at: usize) -> Option<usize> {
    const MOST: usize = 4;
    for _ in 0..MOST {
        let next = member::next(scope, at).filter(|next| quoted::open(scope, next.value).is_some())?;
        if scope.text[next.name.clone()].eq_ignore_ascii_case(b"value") {
            return Some(next.value);
        }
        at = member::value_end(scope, next.value);
    }
    None
}

/// Reads the content of the element that follows a closing tag: `<key>password</key><string>x</string>`.
pub(crate) fn next_element(reader: &mut Reader<'_>, scope: Scope<'_>, closing: usize) -> bool {
    let Some(end) = memchr::memchr(b'>', &scope.text[closing..scope.limit.min(closing + 64)]) else { return false };
    let next = scope.skip_space(closing + end + 1);
    let named = scope.byte(next + 1).is_some_and(|byte| byte.is_ascii_alphabetic());
    scope.byte(next) == Some(b'<') && named && element(reader, scope, next + 1)
}

/// Reads the text from `from` to the next tag; a CDATA section to its end.
pub(crate) fn content(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize) {
    const CDATA: &[u8] = b"<![CDATA[";
    const VALUE: &[u8] = b"<value>";
    let start = scope.skip_space(from);
    // `<setting name="ApiSecret"><value>x</value>`
    let start = if scope.has(start, VALUE) { scope.skip_space(start + VALUE.len()) } else { start };
    let (start, end) = if scope.has(start, CDATA) {
        let start = start + CDATA.len();
        (start, scope.text[start..scope.limit].windows(3).position(|end| end == b"]]>"))
    } else {
        (start, memchr::memchr(b'<', &scope.text[start..scope.limit]))
    };
    let cut_off = end.is_none();
    let end = end.map_or(scope.limit, |length| start + length);
    // `<API_KEY>` in running text is a placeholder; only a cut-off word can be an element's content.
    if cut_off && scope.text[start..end].iter().any(u8::is_ascii_whitespace) {
        return;
    }
    if reader.paid(start, end) {
        scalar(reader, scope, start..end, true);
    }
}
