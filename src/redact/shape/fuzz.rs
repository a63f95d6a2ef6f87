//! Fuzz body: every shape at every offset of any bytes; shapes of literals where a literal stands.

use super::edge::starts_with_fold;
use super::{Shape, TABLE, Trigger};
use crate::redact::validate::Verdict;

/// Asks every shape at every offset (shapes of literals at their literals only) with a floor taken from the first byte. A hit lies inside
/// the text, right of the floor, moves on, and is never a refutation.
///
/// # Panics
/// When one of these does not hold.
pub fn fuzz_shapes(data: &[u8]) {
    let Some((first, text)) = data.split_first() else { return };
    let text = &text[..text.len().min(1024)];
    let floor = usize::from(*first).min(text.len());
    for shape in TABLE {
        for at in (floor..text.len()).filter(|at| may_ask(shape, &text[*at..])) {
            let Some(hit) = (shape.find)(text, at, floor) else { continue };
            let (start, end) = (hit.span.start as usize, hit.span.end as usize);
            assert!(floor <= start && start < end && end <= text.len(), "{}: span", shape.name);
            assert!(hit.verdict != Verdict::Refutes, "{}: verdict", shape.name);
        }
    }
}

fn may_ask(shape: &Shape, rest: &[u8]) -> bool {
    shape.triggers.iter().any(|trigger| match trigger {
        Trigger::Literals(literals) => literals.iter().any(|literal| rest.starts_with(literal.as_bytes())),
        Trigger::Words(words) => words.iter().any(|word| starts_with_fold(rest, word)),
        _ => true,
    })
}
