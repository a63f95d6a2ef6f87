//! Token keys: random, one per epoch and region, with absolute times of birth, use and death.
//!
//! A keyring file is JSON, 0600, replaced atomically:
//!
//! ```json
//! {"version": 1, "region": "eu", "keys": [
//!   {"epoch": "ec", "valid_from": "2026-11-16T00:00:00Z", "valid_until": "2026-11-30T00:00:00Z",
//!    "destroy_by": "2026-12-14T00:00:00Z", "key": "<64 hexadecimal digits>"}]}
//! ```
//!
//! Keys are never derived from a master: a master would make every destroyed key computable again.
//! Agents hold the current and the next key and never delete one; they refuse expired ones. The lookup
//! station keeps the living keys and destroys the overdue ones ([`destroy`]), with an append-only audit
//! file beside the keyring.

pub mod destroy;
pub mod error;
pub mod file;
pub mod life;

pub use error::KeyringError;
pub use file::Keyring;
pub use life::{EPOCH_SECONDS, EpochKey, LIFE_SECONDS, State};
