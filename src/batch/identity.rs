//! The stable name of a record, `logveil.id`: the same after every re-send, unique across rewrites.
//!
//! Form: 24 hexadecimal digits of a keyed hash over (stream, generation), then the offset as 16. Within one
//! generation of one stream the offset alone tells records apart, so hashing it too would add nothing but
//! bytes that no compressor can shrink: 12 a record on the wire, and a hash a record on the host.

use crate::record::{Position, StreamId};
use crate::redact::eight::ONES;
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
        out[SCOPE..].copy_from_slice(&hex16(self.offset));
        out
    }
}

/// A number as sixteen hexadecimal digits, lower case.
pub(super) fn hex16(value: u64) -> [u8; 16] {
    let (high, low) = (hex8(value >> 32), hex8(value & 0xFFFF_FFFF));
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

/// The same of 32 bits, the first digit in the highest byte. All at once: each in a byte of its own, then made a letter
/// where it is over nine.
fn hex8(value: u64) -> u64 {
    let halves = (value | value << 16) & 0x0000_FFFF_0000_FFFF;
    let bytes = (halves | halves << 8) & 0x00FF_00FF_00FF_00FF;
    let nibbles = (bytes | bytes << 4) & (0x0F * ONES);
    let letters = (nibbles + 6 * ONES) >> 4 & ONES;
    nibbles + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'0' - 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hexadecimal_digits_are_those_of_the_formatter(value: u64) {
            prop_assert_eq!(hex16(value).to_vec(), format!("{value:016x}").into_bytes());
        }
    }

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
