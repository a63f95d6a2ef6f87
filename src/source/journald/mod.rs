//! The systemd journal, read from a child `journalctl` in its export format.
//!
//! [`export`] is the pure parser of that format.

pub mod export;
