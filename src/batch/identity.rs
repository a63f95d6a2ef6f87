//! The stable name of a record, `logveil.id`: the same after every re-send, unique across rewrites.
//!
//! Form: 24 hexadecimal digits of a keyed hash over (stream, generation), then the offset as 16. Within one
//! generation of one stream the offset alone tells records apart, so hashing it too would add nothing but
//! bytes that no compressor can shrink: 12 a record on the wire, and a hash a record on the host.

use crate::record::{Position, StreamId};
use zeroize::ZeroizeOnDrop;

/// Digits of the keyed part.
const SCOPE: usize = 24;

/// Names records; holds the host's random key and remembers the last stream it hashed.
#[derive(ZeroizeOnDrop)]
pub struct RecordKey {
    key: [u8; 32],
    #[zeroize(skip)]
    last: Option<(StreamId, u32, [u8; SCOPE])>,
}

/// The name of one record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RecordId {
    scope: [u8; SCOPE],
    offset: u64,
}

impl RecordKey {
    /// Names under `key`, 32 random bytes that live in the state directory.
    pub fn new(key: [u8; 32]) -> RecordKey {
        RecordKey { key, last: None }
    }

    /// The name of the record of `stream` that starts at `at`.
    pub fn id(&mut self, stream: StreamId, at: Position) -> RecordId {
        let scope = match self.last {
            Some((s, generation, scope)) if s == stream && generation == at.generation => scope,
            _ => self.rescope(stream, at.generation),
        };
        RecordId { scope, offset: at.offset }
    }

    #[cold]
    fn rescope(&mut self, stream: StreamId, generation: u32) -> [u8; SCOPE] {
        let mut hash = blake3::Hasher::new_keyed(&self.key);
        hash.update(b"logveil.id");
        hash.update(&stream.0);
        hash.update(&generation.to_le_bytes());
        let mut scope = [0; SCOPE];
        scope.copy_from_slice(&hash.finalize().to_hex().as_bytes()[..SCOPE]);
        self.last = Some((stream, generation, scope));
        scope
    }
}

impl RecordId {
    /// Where the record starts in its stream's generation.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The name as written, lower-case hexadecimal.
    pub fn digits(&self) -> [u8; SCOPE + 16] {
        let mut out = [0; SCOPE + 16];
        out[..SCOPE].copy_from_slice(&self.scope);
        for (i, digit) in out[SCOPE..].iter_mut().enumerate() {
            let nibble = (self.offset >> (60 - 4 * i)) & 15;
            *digit = b"0123456789abcdef"[nibble as usize];
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(generation: u32, offset: u64) -> Position {
        Position { generation, offset }
    }

    #[test]
    fn names_are_stable_and_differ_by_stream_generation_offset_and_key() {
        let (one, two) = (StreamId([1; 16]), StreamId([2; 16]));
        let mut key = RecordKey::new([3; 32]);
        let id = key.id(one, at(0, 0xabc));
        for other in [key.id(two, at(0, 0xabc)), key.id(one, at(1, 0xabc)), key.id(one, at(0, 0xabd))] {
            assert_ne!(id, other);
        }
        assert_eq!(id, key.id(one, at(0, 0xabc)), "the same after other streams were named");
        assert_eq!(id, RecordKey::new([3; 32]).id(one, at(0, 0xabc)), "the same after a restart");
        assert_ne!(id, RecordKey::new([4; 32]).id(one, at(0, 0xabc)));
        assert!(id.digits().ends_with(b"0000000000000abc"));
        assert_eq!(id.offset(), 0xabc);
    }
}
