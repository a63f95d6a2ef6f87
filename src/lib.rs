//! logveil tails workflow and system logs on a host, masks personal data and credentials, and ships
//! the cleaned records to Datadog under a 90-day retention tag.
//!
//! The modules stand on four floors; imports go downwards only (`tests/it/layering.rs` enforces it):
//!
//! - floor 3, the door: [`cli`] (and `main.rs`)
//! - floor 2, assembly: [`config`], [`agent`], [`admin`]
//! - floor 1, edges, each touching one outside thing: [`source`], [`spool`], [`sink`], [`keyring`],
//!   [`intake`], [`rules_dir`], [`regular_file`], [`durable`], [`hardening`], [`telemetry`]
//! - floor 0, pure (bytes in, bytes out: no files, sockets, clock, threads, logging or globals):
//!   [`redact`], [`batch`], [`token`], [`retention`], [`record`], [`tally`], [`strict_yaml`]

pub mod admin;
pub mod agent;
pub mod batch;
pub mod cli;
pub mod config;
pub mod durable;
pub mod hardening;
pub mod intake;
pub mod keyring;
pub mod record;
pub mod redact;
pub mod regular_file;
pub mod retention;
pub mod rules_dir;
pub mod sink;
pub mod source;
pub mod spool;
pub mod strict_yaml;
pub mod tally;
pub mod telemetry;
pub mod token;
