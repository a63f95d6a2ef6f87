//! How often one place in the code may speak.

use std::collections::HashMap;
use std::time::{Duration, Instant};
use tracing::callsite::Identifier;

/// Messages of one place in a window.
pub(super) const BURST: u32 = 10;
/// Length of the window.
pub(super) const WINDOW: Duration = Duration::from_secs(10);

/// Counts by place; as many entries as the program has log statements.
#[derive(Default)]
pub(super) struct Limiter {
    places: HashMap<Identifier, Place>,
}

struct Place {
    since: Instant,
    said: u32,
    held_back: u64,
}

impl Limiter {
    /// None when the message is held back; otherwise how many were held back since the last one.
    pub(super) fn pass(&mut self, place: Identifier, now: Instant) -> Option<u64> {
        let entry = self.places.entry(place).or_insert(Place { since: now, said: 0, held_back: 0 });
        if now.saturating_duration_since(entry.since) >= WINDOW {
            entry.since = now;
            entry.said = 0;
        }
        if entry.said >= BURST {
            entry.held_back += 1;
            return None;
        }
        entry.said += 1;
        Some(std::mem::take(&mut entry.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Callsite;

    #[test]
    fn a_noisy_place_is_held_back_and_counted() {
        let place = tracing::callsite!(name: "noisy", kind: tracing::metadata::Kind::EVENT, fields: message);
        let id = || place.metadata().callsite();
        let start = Instant::now();
        let mut limiter = Limiter::default();
        let passed = (0..100).filter(|_| limiter.pass(id(), start).is_some()).count();
        assert_eq!(passed, BURST as usize);
        assert_eq!(limiter.pass(id(), start + WINDOW), Some(100 - u64::from(BURST)));
        assert_eq!(limiter.pass(id(), start + WINDOW), Some(0));
    }
}
