//! What the trace of a delivered batch says: names of spans and numbers, nothing else.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::AtomicU64;

/// Where traces go and how many are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The Datadog Agent's trace intake, on this host.
    pub agent: SocketAddr,
    /// One batch in so many is traced.
    pub every: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { agent: (Ipv4Addr::LOCALHOST, 8126).into(), every: 10 }
    }
}

/// What became of traces.
#[derive(Default, Debug)]
pub struct Counts {
    /// Taken by the Agent.
    pub sent: AtomicU64,
    /// Not taken, or refused because something was no number.
    pub dropped: AtomicU64,
}

/// Part of a batch's delivery; a span of its own below that of the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Masked again or given another time, where it must be.
    Freshen,
    /// Sent until it is taken.
    Deliver,
    /// Noted as delivered on disk.
    Acknowledge,
}

impl Stage {
    /// Names of all spans, the batch's first.
    pub const NAMES: [&'static str; 4] = ["logveil.batch", "logveil.freshen", "logveil.deliver", "logveil.acknowledge"];
}

/// The numbers of a batch's trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Numbers {
    /// Records.
    pub entries: u64,
    /// JSON before compression, bytes.
    pub json_bytes: u64,
    /// Sealed body, bytes.
    pub body_bytes: u64,
    /// Requests made.
    pub attempts: u64,
    /// Parts it was cut into.
    pub parts: u64,
    /// Age of its oldest record at the end, milliseconds.
    pub age_ms: u64,
}

impl Numbers {
    /// Their names.
    pub const NAMES: [&'static str; 6] = ["entries", "json_bytes", "body_bytes", "attempts", "parts", "age_ms"];
}
