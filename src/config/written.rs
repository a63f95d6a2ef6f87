//! Values of the configuration with their places, and how a section's fields are read.

use super::units;
use crate::strict_yaml::Fields;
use std::ops::Range;
use std::time::Duration;

/// A value and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Bytes of the text.
    pub span: Range<usize>,
}

/// Reads the fields of an optional section and refuses those it does not know.
pub(super) fn section<T>(
    fields: &Fields<'_, '_, '_>,
    name: &'static str,
    read: impl FnOnce(&Fields<'_, '_, '_>) -> T,
) -> Option<T> {
    let inner = Fields::of(fields.get(name)?, fields.problems())?;
    let value = read(&inner);
    inner.finish();
    Some(value)
}

/// Optional text with its place.
pub(super) fn text(fields: &Fields<'_, '_, '_>, name: &'static str) -> Option<At<String>> {
    let node = fields.get(name)?;
    let value = node.read_text(fields.problems())?.to_owned();
    Some(At { value, span: node.span.clone() })
}

/// Optional list of texts with their places.
pub(super) fn texts(fields: &Fields<'_, '_, '_>, name: &'static str) -> Vec<At<String>> {
    fields.texts(name).into_iter().map(|(text, span)| At { value: text.to_owned(), span }).collect()
}

/// Optional truth value; false when missing.
pub(super) fn flag(fields: &Fields<'_, '_, '_>, name: &'static str) -> bool {
    fields.flag(name).unwrap_or(false)
}

/// Optional size in bytes within `range`.
pub(super) fn sized(
    fields: &Fields<'_, '_, '_>,
    name: &'static str,
    range: std::ops::RangeInclusive<u64>,
) -> Option<u64> {
    let (low, high) = (*range.start(), *range.end());
    fields.parsed(name, |text| {
        let bytes = units::size(text)?;
        if range.contains(&bytes) {
            return Ok(bytes);
        }
        Err(format!("{bytes} bytes is out of range: {low} to {high}"))
    })
}

/// Optional duration within `range`.
pub(super) fn timed(
    fields: &Fields<'_, '_, '_>,
    name: &'static str,
    range: std::ops::RangeInclusive<Duration>,
) -> Option<Duration> {
    let (low, high) = (*range.start(), *range.end());
    fields.parsed(name, |text| {
        let duration = units::duration(text)?;
        if range.contains(&duration) {
            return Ok(duration);
        }
        Err(format!("{duration:?} is out of range: {low:?} to {high:?}"))
    })
}
