//! Tables that people read: `| db_password | x |` of Markdown and database shells, `db_password | x` alone.
//!
//! Cells under a name are as often names themselves (a header row), so what is claimed must look like a secret.

use super::kind;
use super::reader::Reader;
use super::scope::Scope;

/// Bars between cells, and their bytes.
const BARS: [&str; 3] = ["|", "│", "┃"];

/// Reads the cell behind the one that holds the name at `start..at`; false when it stands in no table.
pub(crate) fn cell(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize, at: usize) -> bool {
    let Some(bar) = bar(scope, scope.skip_blank(at)) else { return false };
    let before = back_over_blank(scope, start);
    let barred = BARS.iter().any(|bar| scope.text[scope.floor..before].ends_with(bar.as_bytes()));
    let first = before == scope.floor || matches!(scope.text[before - 1], b'\n' | b'n');
    if !barred && !first {
        return false;
    }
    let from = scope.skip_blank(bar);
    let end = cell_end(scope, from);
    let value = scope.text[from..end].trim_ascii_end();
    let spaced = value.contains(&b' ');
    let claims = kind::looks_secret(value) && (barred || !spaced);
    claims && reader.paid(from, end) && reader.claim(scope, from..from + value.len(), false)
}

/// The place behind the bar at `at`.
fn bar(scope: Scope<'_>, at: usize) -> Option<usize> {
    BARS.iter().find(|bar| scope.has(at, bar.as_bytes())).map(|bar| at + bar.len())
}

fn cell_end(scope: Scope<'_>, from: usize) -> usize {
    const LONGEST: usize = 1024;
    let limit = scope.limit.min(from + LONGEST);
    (from..limit).find(|at| matches!(scope.text[*at], b'\n' | b'\r') || bar(scope, *at).is_some()).unwrap_or(limit)
}

fn back_over_blank(scope: Scope<'_>, at: usize) -> usize {
    let blank = scope.text[scope.floor..at].iter().rev().take(64).take_while(|byte| matches!(**byte, b' ' | b'\t'));
    at - blank.count()
}
