//! Where sealed batches go; one file a sink, all under one contract.
//!
//! [`datadog`] sends a batch's bytes as they were sealed, over the client that [`http`] builds, under the
//! key that [`key`] keeps; [`stdout`] prints records for people. [`backoff`] says how long to wait between
//! attempts; [`requests`] counts them.

pub mod backoff;
pub mod contract;
pub mod datadog;
pub mod http;
pub mod key;
pub mod requests;
pub mod site_api;
pub mod stdout;

pub use contract::{Outcome, Reason, Sink};
