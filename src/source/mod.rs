//! Where records come from; one file a source, all under one [`contract`].
//!
//! A source hands out [`Chunk`]s: whole records of one stream with the place they stand at. It learns through
//! [`Durable`] how far a stream is safe on disk and resumes after a start where the spool's recovery says.
//! [`file`] follows files: [`discover`] finds them, [`tail`] reads one of them, [`identity`] tells them apart
//! across renames, rewrites and restarts, [`copies`] recognises content that was read under another identity,
//! [`content`] unpacks, [`checkpoint`] keeps who is who, [`line_buffer`] shows whole lines only.

pub mod assembled;
pub mod assembler;
pub mod checkpoint;
pub mod container;
pub mod content;
pub mod contract;
pub mod copies;
pub mod discover;
pub mod file;
pub mod identity;
pub mod journald;
pub mod line_buffer;
pub mod made;
pub mod multiline;
pub mod stdin;
pub mod stream_ids;
pub mod syslog;
pub mod tail;
pub mod utf16;
mod watch;

pub use contract::{Chunk, Durable, Fill, Layout, Met, Placed, Resume, Source, SourceError, StreamInfo};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// Waits until `fd` can be read or its other end is closed, at most `limit`.
fn wait_readable(fd: BorrowedFd<'_>, limit: Duration) -> bool {
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&timespec(limit))).is_ok_and(|ready| ready > 0)
}

/// As the kernel takes it.
fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs().min(3600) as i64, tv_nsec: time.subsec_nanos().into() }
}

#[cfg(test)]
mod tests;
