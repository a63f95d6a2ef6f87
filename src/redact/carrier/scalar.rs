//! One scalar of a key: read by the grammar its rule asks for.

use super::header;
use super::kind::ValueKind;
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
