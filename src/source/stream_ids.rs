//! Identities of streams that are not files.
//!
//! A journal and standard input have one identity a configured source, derived from the host's key and the
//! source's name: it is as durable as the key. A connection gets a random one whose second half is the tag of
//! its source, so that a later start can tell which streams of the past were its own. Offsets of such streams
//! begin at 0 with every start that cannot resume, in a generation of their own: names of records never meet.

use crate::record::{Position, StreamId};
use std::time::{SystemTime, UNIX_EPOCH};

/// Identities of one configured source.
#[derive(Clone, Copy)]
pub struct StreamIds {
    tag: [u8; 16],
}

impl StreamIds {
    /// Identities for the source of this kind and name.
    pub fn new(host_key: &[u8; 32], kind: &str, name: &str) -> StreamIds {
        let key = blake3::derive_key("logveil 2026 stream identity", host_key);
        let mut hash = blake3::Hasher::new_keyed(&key);
        hash.update(kind.as_bytes()).update(&[0]).update(name.as_bytes());
        let mut tag = [0; 16];
        tag.copy_from_slice(&hash.finalize().as_bytes()[..16]);
        StreamIds { tag }
    }

    /// The one stream of the source.
    pub fn only(&self) -> StreamId {
        StreamId(self.tag)
    }

    /// A new stream of the source.
    pub fn fresh(&self) -> StreamId {
        let mut id = self.tag;
        if getrandom::fill(&mut id[..8]).is_err() {
            // The kernel's random source cannot fail once it is seeded; the clock keeps ids apart anyway.
            id[..8].copy_from_slice(&(since_epoch().as_nanos() as u64).to_le_bytes());
        }
        StreamId(id)
    }

    /// True for streams that [`StreamIds::fresh`] made, at this start or an earlier one.
    pub fn is_own(&self, stream: StreamId) -> bool {
        stream.0[8..] == self.tag[8..]
    }
}

/// The beginning of a stream that does not go on where an earlier start left off.
pub fn beginning() -> Position {
    Position { generation: u32::try_from(since_epoch().as_secs()).unwrap_or(u32::MAX), offset: 0 }
}

/// Now, Unix milliseconds.
pub fn now() -> i64 {
    since_epoch().as_millis() as i64
}

fn since_epoch() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_stable_and_apart() {
        let ids = |kind, name| StreamIds::new(&[1; 32], kind, name);
        assert_eq!(ids("journald", "a").only(), ids("journald", "a").only());
        assert_ne!(ids("journald", "a").only(), ids("journald", "b").only());
        assert_ne!(ids("journald", "a").only(), ids("stdin", "a").only());
        let (one, two) = (ids("syslog", "a").fresh(), ids("syslog", "a").fresh());
        assert_ne!(one, two);
        assert!(ids("syslog", "a").is_own(one) && !ids("syslog", "b").is_own(one));
    }
}
