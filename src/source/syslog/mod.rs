//! Syslog over UDP, TCP, TLS and unix sockets.
//!
//! [`frame`] cuts a byte stream into messages (octet counting and line ends, told apart message by message),
//! [`parse`] reads what a message says about itself. Both are pure.

pub mod frame;
pub mod parse;
