//! Waiting between attempts: full jitter, so that a fleet that failed together does not return together.

use std::time::Duration;

/// Longest wait.
const CAP: Duration = Duration::from_secs(30);
/// First wait's upper bound.
const BASE: Duration = Duration::from_secs(1);
/// Added on top of a wait that the server asked for, upper bound.
const SPREAD: Duration = Duration::from_secs(1);

/// Draws waits of `rand(0, min(30 s, 1 s · 2ⁿ))` for the n-th failure in a row.
pub struct Backoff {
    failures: u32,
    random: Box<dyn FnMut() -> u64 + Send>,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff::new(Box::new(|| getrandom::u64().unwrap_or(u64::MAX)))
    }
}

impl Backoff {
    /// A backoff that draws from `random`, uniform over all of `u64`.
    pub fn new(random: Box<dyn FnMut() -> u64 + Send>) -> Backoff {
        Backoff { failures: 0, random }
    }

    /// The wait after one more failure; never shorter than what the server asked for.
    pub fn after_failure(&mut self, asked: Option<Duration>) -> Duration {
        let bound = BASE.saturating_mul(1 << self.failures.min(5)).min(CAP);
        self.failures = self.failures.saturating_add(1);
        match asked {
            Some(asked) => asked + self.draw(SPREAD),
            None => self.draw(bound),
        }
    }

    /// Begins anew: after a success, a start or a changed configuration.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn draw(&mut self, bound: Duration) -> Duration {
        let scaled = u128::from((self.random)()) * bound.as_nanos() / u128::from(u64::MAX);
        Duration::from_nanos(scaled as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_double_up_to_the_cap_and_jitter_is_full() {
        let mut longest = Backoff::new(Box::new(|| u64::MAX));
        let waits: Vec<u64> = (0..8).map(|_| longest.after_failure(None).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        let mut shortest = Backoff::new(Box::new(|| 0));
        assert!((0..8).all(|_| shortest.after_failure(None).is_zero()));
        longest.reset();
        assert_eq!(longest.after_failure(None), Duration::from_secs(1));
    }

    #[test]
    fn a_server_that_asks_gets_its_time() {
        let asked = Duration::from_secs(7);
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            let wait = backoff.after_failure(Some(asked));
            assert!(wait >= asked && wait <= asked + SPREAD);
        }
    }

    #[test]
    fn failures_without_end_do_not_overflow() {
        let mut backoff = Backoff::new(Box::new(|| u64::MAX / 2));
        backoff.failures = u32::MAX;
        assert!(backoff.after_failure(None) <= CAP);
    }
}
