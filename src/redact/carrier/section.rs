//! Settings of a service over several lines: `stripe:` or `"stripe": {` on a line of its own, its `key` on a later one that
//! is indented deeper.

use super::bare::Style;
use super::carry::{Carry, Open};
use super::kind::ValueKind;
use super::member;
use super::owner;
use super::reader::Reader;
use super::scope::Scope;
use super::value;
use crate::redact::rule::RuleIndex;

/// Longest line that names a section.
pub(crate) const LONGEST: usize = 64;

/// Whether a record may name a section; asked of every record.
pub(crate) fn may_open(record: &[u8]) -> bool {
    record.len() <= LONGEST && matches!(record.last(), Some(b':' | b'{'))
}

/// What the record leaves open when it names the section of a service.
pub(crate) fn opened(record: &[u8], rule: RuleIndex) -> Option<Carry> {
    if !may_open(record) {
        return None;
    }
    let line = record.trim_ascii_end();
    let head = line.strip_suffix(b"{").map_or(line, <[u8]>::trim_ascii_end);
    let head = head.strip_suffix(b":").or(head.strip_suffix(b"=")).unwrap_or(head).trim_ascii_end();
    let indent = head.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'-')).count();
    let name = &head[indent..];
    let name =
        [b'"', b'\''].iter().find_map(|quote| name.strip_prefix(&[*quote])?.strip_suffix(&[*quote])).unwrap_or(name);
    let word = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
    let indent = indent as u16;
    let open = || Carry { rule, kind: ValueKind::Service, indent, open: Open::Section, records: 0 };
    (word && owner::names_service(name)).then(open)
}

/// Reads one line of a section.
pub(crate) fn member(reader: &mut Reader<'_>, scope: Scope<'_>, first: usize) {
    let Some(found) = member::at_start(scope, first) else { return };
    if scope.text[found.name.clone()].eq_ignore_ascii_case(b"key") {
        value::read(reader, scope, found.value, Style { member: found.quoted, ..Style::default() });
    }
}
