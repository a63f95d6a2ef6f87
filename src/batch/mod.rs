//! A batch is born compressed: records are escaped and masked once, straight into the compressor.
//!
//! Limits are counted on exact bytes: at most 1,000 entries, 4.5 MB of JSON, 900 kB an entry (cut only
//! after masking). Spool, retry and HTTP use the same bytes.

pub mod sealed;

pub use sealed::{Batch, Encoding, Header};
