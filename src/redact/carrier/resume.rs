//! Going on with a value that the record before left open.

use super::bare::Style;
use super::bound;
use super::carry::{Carry, LONGEST, Open};
use super::container;
use super::lines;
use super::member;
use super::multipart;
use super::reader::Reader;
use super::rows;
use super::scalar::scalar;
use super::scope::Scope;
use super::section;
use super::value;

/// Records between a name and the sibling that holds its value.
const MOST_SIBLINGS: u16 = 8;

/// Reads what `carry` expects at the start of a record; what is still open afterwards is noted at the
/// reader's cursor.
pub(crate) fn resume(reader: &mut Reader<'_>, scope: Scope<'_>, carry: Carry) {
    let first = scope.skip_blank(scope.floor);
    let blank = scope.text[first..scope.limit].trim_ascii().is_empty();
    if let Open::Columns(columns) = carry.open {
        if blank || rows::resume(reader, scope, columns) {
            // Beyond the bound every row leaves the same behind: whoever works ahead can count on it.
            reader.cursor.set_carry(Carry { records: (carry.records + 1).min(LONGEST), ..carry });
        }
        return;
    }
    if carry.records >= LONGEST {
        return;
    }
    let records = carry.records + 1;
    if blank {
        let open = if carry.open == Open::Part { Open::Body } else { carry.open };
        reader.cursor.set_carry(Carry { records, open, ..carry });
        return;
    }
    if let Open::Bound(columns) = carry.open {
        // A server writes what it binds to a statement right behind it.
        if !bound::resume(reader, scope, columns) && records < bound::MOST_RECORDS {
            reader.cursor.set_carry(Carry { records, ..carry });
        }
        return;
    }
    let deeper = lines::belongs(scope, scope.floor, first, usize::from(carry.indent));
    match carry.open {
        // Pretty printers indent what a container holds; anything else is a record of its own.
        Open::Container(depth) if deeper || matches!(scope.text[first], b']' | b'}' | b')') => {
            let end = container::resume(reader, scope, first, depth);
            reader.paid(first, end);
            if let Some(Carry { open: open @ Open::Container(_), .. }) = reader.cursor.carry() {
                reader.cursor.set_carry(Carry { records, open, ..carry });
            }
        }
        Open::Part if usize::from(records) <= multipart::MOST_HEADERS => {
            reader.cursor.set_carry(Carry { records, ..carry });
        }
        Open::Body => {
            let line = scope.text[scope.floor..scope.limit].trim_ascii_end();
            if reader.paid(scope.floor, scope.limit) && !line.starts_with(b"--") {
                scalar(reader, scope, first..scope.floor + line.len(), true);
            }
        }
        Open::Sibling => {
            let Some(found) = member::at_start(scope, first) else { return };
            if member::is_one_of(scope, &found.name, member::VALUES) {
                let style = Style { member: found.quoted, ..Style::default() };
                value::read(reader, scope, found.value, style);
            } else if first - scope.floor >= usize::from(carry.indent) && records < MOST_SIBLINGS {
                // Another member of the same object; a bracket at its end opens another or closes this one.
                let line = scope.text[scope.floor..scope.limit].trim_ascii_end();
                let line = line.strip_suffix(b",").unwrap_or(line);
                let container = line.last().is_some_and(|byte| b"{}[]".contains(byte));
                if !container {
                    reader.cursor.set_carry(Carry { records, ..carry });
                }
            }
        }
        Open::Section if deeper => {
            section::member(reader, scope, first);
            reader.cursor.set_carry(Carry { records, ..carry });
        }
        Open::Value if deeper && !lines::is_member(scope, first) => {
            let word = scope.text[first..scope.limit].trim_ascii_end();
            if matches!(word[0], b'"' | b'\'' | b'[' | b'{') || !word.contains(&b' ') {
                value::read(reader, scope, first, Style { member: true, ..Style::default() });
            }
        }
        Open::Value | Open::Mapping if deeper => {
            lines::claim_member(reader, scope, first, scope.limit);
            reader.cursor.set_carry(Carry { records, open: Open::Mapping, ..carry });
        }
        Open::Block if deeper => {
            lines::claim_text(reader, scope, first, scope.limit);
            reader.cursor.set_carry(Carry { records, ..carry });
        }
        Open::Value | Open::Block | Open::Mapping | Open::Container(_) | Open::Part | Open::Section => {}
        Open::Columns(_) | Open::Bound(_) => {}
    }
}
