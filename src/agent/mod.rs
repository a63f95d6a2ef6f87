//! Assembly of the running agent.
//!
//! ```text
//! feeder (a thread a source) ══chunks══▶ worker (threads) ══batches══▶ spooler (a thread) ─▶ spool
//!      ▲         bounded channels: back-pressure reaches the files          │ durable        │
//!      └── buffers come back ──┘                                             ▼                ▼
//!                                                                       positions     shipper ─▶ lanes (async) ─▶ sink
//! ```
//!
//! The only async part is the [`shipper`] with its [`lane`]s: network, timers and signals on one current-thread runtime. Reading,
//! redacting and syncing happen on plain threads. A stream is bound to one worker, so its order holds.

mod error;
pub mod feeder;
pub mod lane;
pub mod live_rules;
mod loosening;
pub mod mint;
mod origin_names;
pub mod progress;
pub mod reload;
pub mod selftest;
pub mod settings;
pub mod shadow;
pub mod shipper;
pub mod source_counts;
mod sources;
pub mod spooler;
mod stream_envelope;
pub mod supervisor;
mod traced;
pub mod worker;

pub use error::AgentError;
pub use live_rules::LiveRules;
pub use progress::Progress;
pub use settings::{Output, Settings, SourceKind, SourceSettings, TokenSettings};
pub use source_counts::SourceCounts;
pub use supervisor::{run, stop_signal};

#[cfg(test)]
mod tests;
