//! One scalar of a key: read by the grammar its rule asks for.

use super::header;
use super::kind::ValueKind;
use super::quoted;
use super::reader::Reader;
use super::scope::Scope;
use std::ops::Range;

/// Claims what is secret in the scalar at `range`, whose bounds are known.
pub(crate) fn scalar(reader: &mut Reader<'_>, scope: Scope<'_>, range: Range<usize>, quoted: bool) {
    let inner = Scope { limit: range.end, ..scope };
    match reader.kind {
        ValueKind::Authorization => {
            header::authorization(reader, inner, range.start, true);
        }
        ValueKind::Cookie | ValueKind::SetCookie => {
            let first_only = reader.kind == ValueKind::SetCookie;
            if header::cookies(reader, inner, range.start, first_only) == range.start {
                reader.claim(scope, range, quoted);
            }
        }
        _ => {
            reader.claim(scope, range, quoted);
        }
    }
}

/// Claims what is secret in the item of a list that begins at `from`: a quoted text, else what stands up to `end`.
pub(crate) fn item(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, end: usize) {
    match quoted::open(scope, from) {
        Some(quote) => {
            let inner = quoted::read(scope, quote);
            scalar(reader, scope, inner.start..inner.end, true);
        }
        None => scalar(reader, scope, from..end, false),
    }
}
