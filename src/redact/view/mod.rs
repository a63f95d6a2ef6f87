//! Views: decoded readings of a record, each with a map from decoded bytes back to the bytes they came
//! from. One file an encoding, one row each in the tables of [`expander`]; the engine searches every view as it
//! searches the raw record and masks the raw bytes a hit maps to (for base64 and hex the whole run).
//!
//! Two families:
//!
//! - *inline* encodings write single characters differently (`\u0040`, `%40`, `&#64;`). The [`region`] around
//!   such characters is decoded: bounded by the double quotes around it, so that no reading joins two JSON
//!   strings, with the key before it and, where the region is itself a key, the value behind it.
//! - *run* encodings (base64, hex) hide whole texts in one opaque run. A run is decoded alone, and only
//!   becomes a view when what comes out looks like text.
//!
//! Readings are stacked up to [`chain::MAX_DEPTH`] deep. Encodings that do not produce each other's
//! characters are stacked in one canonical order only, so that the number of readings stays small.

pub mod base64;
pub mod chain;
mod encoded_word;
mod escape;
pub mod expander;
mod fold;
mod frame;
mod hex;
mod html;
pub mod map;
mod percent;
mod plausible;
mod quoted_printable;
mod region;
mod run;
mod syslog;

pub use chain::{Chain, Encoding};
pub use expander::{Encodings, Exhausted, Expander, View};
pub use run::RunStarts;
