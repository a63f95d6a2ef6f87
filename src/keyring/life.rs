//! The life of one epoch's key: 14 days in use, destroyed 28 days after its first day.
//!
//! All times are Unix seconds. `valid_from < valid_until <= destroy_by <= valid_from + 30 days`; the
//! loader refuses anything else, so a promise of 30 days cannot be configured away.

use crate::token::{EpochId, Key};

/// Days a key mints tokens.
pub const EPOCH_SECONDS: i64 = 14 * DAY;
/// From `valid_from` to `destroy_by`.
pub const LIFE_SECONDS: i64 = 28 * DAY;
/// The longest life a keyring may ask for.
pub const MAX_LIFE_SECONDS: i64 = 30 * DAY;

const DAY: i64 = 86_400;

/// One key and its times.
#[derive(Clone)]
pub struct EpochKey {
    /// The two characters its tokens carry.
    pub epoch: EpochId,
    /// First second of use.
    pub valid_from: i64,
    /// First second of no further use.
    pub valid_until: i64,
    /// The key must be gone by then.
    pub destroy_by: i64,
    /// The random key.
    pub key: Key,
}

/// Where a key stands in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Not yet in use.
    Next,
    /// Mints tokens now.
    Active,
    /// Only looks tokens up.
    LookupOnly,
    /// Should have been destroyed already.
    Overdue,
}

impl EpochKey {
    /// A key that begins at `valid_from` with the usual life.
    pub fn starting(valid_from: i64, key: Key) -> EpochKey {
        EpochKey {
            epoch: EpochId::from_number(valid_from.div_euclid(EPOCH_SECONDS) as u64),
            valid_from,
            valid_until: valid_from + EPOCH_SECONDS,
            destroy_by: valid_from + LIFE_SECONDS,
            key,
        }
    }

    /// Where the key stands at `now`.
    pub fn state(&self, now: i64) -> State {
        if now >= self.destroy_by {
            State::Overdue
        } else if now >= self.valid_until {
            State::LookupOnly
        } else if now >= self.valid_from {
            State::Active
        } else {
            State::Next
        }
    }

    /// What is wrong with the key's times, if anything.
    pub fn fault(&self) -> Option<&'static str> {
        if self.valid_from >= self.valid_until {
            Some("valid_until is not after valid_from")
        } else if self.destroy_by < self.valid_until {
            Some("destroy_by is before valid_until")
        } else if self.destroy_by - self.valid_from > MAX_LIFE_SECONDS {
            Some("destroy_by is more than 30 days after valid_from, the longest life a key may have")
        } else {
            None
        }
    }
}

/// The first second of the epoch that holds `now`. Epochs are counted from 1970 in steps of 14 days, so
/// that every host of a region agrees without talking.
pub fn epoch_start(now: i64) -> i64 {
    now.div_euclid(EPOCH_SECONDS) * EPOCH_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_lives_28_days_and_mints_for_14() {
        let start = epoch_start(1_795_000_000);
        let key = EpochKey::starting(start, Key::new([7; 32]));
        assert_eq!(key.fault(), None);
        for (day, state) in [
            (-1, State::Next),
            (0, State::Active),
            (13, State::Active),
            (14, State::LookupOnly),
            (27, State::LookupOnly),
            (28, State::Overdue),
        ] {
            assert_eq!(key.state(start + day * DAY), state, "day {day}");
        }
    }

    #[test]
    fn a_longer_life_is_refused() {
        let mut key = EpochKey::starting(0, Key::new([7; 32]));
        key.destroy_by = 31 * DAY;
        assert!(key.fault().is_some_and(|fault| fault.contains("30 days")));
        key.destroy_by = key.valid_until - 1;
        assert!(key.fault().is_some());
    }
}
