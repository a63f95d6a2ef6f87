//! The contract of a sink: take one sealed batch, say what became of it.

use crate::batch::Batch;
use std::time::Duration;

/// What became of one delivery attempt. The failure class decides what the shipper does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Acknowledged (2xx): the checkpoint may move.
    Delivered,
    /// 408, 429, 5xx or network: try again without end, at the earliest after the given wait.
    Retry(Option<Duration>),
    /// 413: halve and send the halves in order.
    Split,
    /// 400: bisect, dead-letter the poison record.
    Poison,
    /// 401, 403, other 4xx, 3xx: hold and alert until the cause is mended.
    Held(Reason),
}

/// Why delivery is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// 401 or 403: the key was refused; re-read it and probe.
    KeyRefused(u16),
    /// Any other status that only a changed configuration can mend.
    Misconfigured(u16),
    /// The key's file cannot be read or holds no usable key.
    KeyUnreadable,
}

/// A place that takes sealed batches, one at a time and in sequence.
pub trait Sink {
    /// Attempts to deliver `batch` once.
    fn deliver(&mut self, batch: &Batch) -> impl Future<Output = Outcome> + Send;

    /// Asks, without sending a record, whether a held cause is mended: [`Outcome::Delivered`] when it is.
    fn probe(&mut self) -> impl Future<Output = Outcome> + Send;

    /// True once the intake has refused zstd and taken gzip: new batches are better sealed as gzip.
    fn prefers_gzip(&self) -> bool {
        false
    }

    /// What the last failed attempt said, for the agent's own log: a status or a network error, never
    /// record text and never a key.
    fn last_error(&self) -> Option<&str> {
        None
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reason::KeyRefused(status) => {
                write!(f, "the API key was refused ({status}); check that it belongs to this site")
            }
            Reason::Misconfigured(status @ 300..400) => {
                write!(f, "the intake answered with a redirect ({status}), which is never followed; check the url")
            }
            Reason::Misconfigured(status) => {
                write!(f, "the intake answered {status}; check site, url and proxy")
            }
            Reason::KeyUnreadable => f.write_str("the API key cannot be read; check the file named by api_key"),
        }
    }
}
