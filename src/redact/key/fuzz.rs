//! Postconditions of the keyed finder on any bytes.

use super::sample::{hits, masked, table};
use super::*;
use crate::redact::carrier::cursor::{FUEL_BASE, FUEL_PER_BYTE};

/// Reads `data` as one record and checks: spans are in bounds and not empty, JSON stays
/// JSON, the work is bounded, and the cursor's reuse changes nothing.
///
/// # Panics
/// When a postcondition does not hold.
pub fn fuzz_keyed(data: &[u8]) {
    let table = table();
    let mut cursor = KeyCursor::default();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let read = |cursor: &mut KeyCursor, out: &mut Vec<Finding>| {
        cursor.begin(0..data.len());
        for hit in hits(&table, data) {
            find(data, hit, &table, cursor, out);
        }
    };
    read(&mut cursor, &mut first);
    for finding in &first {
        assert!(finding.span.start < finding.span.end, "an empty claim");
        assert!(finding.span.end as usize <= data.len(), "a claim beyond the record");
    }
    let fuel = data.len() * FUEL_PER_BYTE + FUEL_BASE;
    assert!(cursor.spent() <= fuel + 4 * (data.len() + 64), "read on without fuel");
    read(&mut cursor, &mut second);
    assert_eq!(first, second, "the second reading differs");
    if let Some(carry) = cursor.carry() {
        cursor.begin(0..data.len());
        resume(data, carry, &table, &mut cursor, &mut second);
    }
    stays_json(data, &first);
}

/// A record that is JSON still is when every claim is replaced by a label (in quotes where a bare value
/// stood), as the mask step does it.
fn stays_json(data: &[u8], findings: &[Finding]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if !text.starts_with(['{', '[']) || serde_json::from_str::<serde_json::Value>(text).is_err() {
        return;
    }
    let masked = masked(data, findings);
    let after = String::from_utf8_lossy(&masked);
    assert!(serde_json::from_str::<serde_json::Value>(&after).is_ok(), "no JSON any more:\n{text}\n{after}");
}
