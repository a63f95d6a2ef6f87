//! Where records come from; one file a source, all under one [`contract`].
//!
//! A source hands out [`Chunk`]s: whole records of one stream with the place they stand at. It learns through
//! [`Durable`] how far a stream is safe on disk and resumes after a start where the spool's recovery says.
//! [`file`] follows files: [`discover`] finds them, [`tail`] reads one of them, [`identity`] tells them apart
//! across renames, rewrites and restarts, [`checkpoint`] keeps who is who, [`line_buffer`] shows whole lines
//! only.

pub mod checkpoint;
pub mod container;
pub mod contract;
pub mod discover;
pub mod file;
pub mod identity;
pub mod journald;
pub mod line_buffer;
pub mod multiline;
pub mod syslog;
pub mod tail;
mod watch;

pub use contract::{Chunk, Durable, Fill, Resume, Source, SourceError, StreamInfo};
