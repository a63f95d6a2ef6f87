//! Syslog over UDP, TCP, TLS and unix sockets.
//!
//! [`frame`] cuts a byte stream into messages (octet counting and line ends, told apart message by message),
//! [`parse`] reads what a message says about itself; both are pure. [`listener`] opens and closes sockets,
//! [`connection`] reads one of them, [`tls`] encrypts, and [`source`] drives them all on one thread with `poll`.

pub mod connection;
pub mod frame;
pub mod listener;
pub mod parse;
pub mod source;
pub mod tls;

pub use listener::Listen;
pub use source::{Parts, Syslog};

use std::path::PathBuf;

/// What is listened on, and how messages are read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// Sockets.
    pub listen: Vec<Listen>,
    /// Certificate and key of the TLS sockets.
    pub tls: Option<Tls>,
    /// Zone of senders that name none.
    pub zone: Zone,
}

/// Files of a TLS server, PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tls {
    /// Certificate chain.
    pub cert_file: PathBuf,
    /// Private key.
    pub key_file: PathBuf,
}

/// Zone of times that name none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Zone {
    /// This host's.
    #[default]
    Local,
    /// UTC.
    Utc,
}

#[cfg(test)]
mod tests;
