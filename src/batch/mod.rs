//! A batch is born compressed: records are escaped and masked once, straight into the compressor.
//!
//! One record's way: [`Encoder::push`] takes a `Redacted` record and its [`RecordHead`], writes the fixed
//! part of its [`Envelope`] and the escaped pieces of its text into a page, and hands full pages to the
//! compressor. [`Encoder::seal`] closes the frame and gives the only value that spool and sink accept: a
//! [`Batch`]. Limits are counted on exact bytes: at most 1,000 entries, 4.5 MB of JSON, 900 kB an entry
//! (cut only after masking). Spool, retry and HTTP use the same bytes; [`reseal`] opens a body again in
//! four cases only.

pub mod encoder;
pub mod envelope;
mod escape;
pub mod facts;
pub mod identity;
mod origin;
mod pack;
pub mod reseal;
pub mod sealed;

pub use encoder::{Encoder, EncoderSettings, Pushed, RecordHead};
pub use envelope::{Envelope, EnvelopeParts, Origin};
pub use facts::Facts;
pub use identity::{RecordId, RecordKey};
pub use pack::Unreadable;
pub use sealed::{Batch, Damaged, Encoding, Header};

#[doc(hidden)]
pub use {escape::fuzz_escape, facts::fuzz_facts, reseal::fuzz_open};
