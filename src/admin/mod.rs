//! Loopback endpoints: liveness, readiness with each condition, OpenMetrics.
//!
//! `/livez` answers as long as the runtime turns. `/readyz` ([`health`]) answers 200 or 503 and lists each
//! condition in its body. `/metrics` ([`metrics`]) holds numbers only, under closed label sets: no path, no
//! text of a record. A busy port never stops the agent ([`server`]).

mod families;
pub mod health;
pub mod metrics;
mod process;
pub mod server;
mod sources;

pub use health::{Facts, Health};
pub use server::serve;
