//! Whether decoded bytes look like text somebody wrote, rather than a picture, a key or a hash read wrongly.

/// True when at most one byte in eight is neither printable ASCII, usual white space nor part of valid UTF-8.
/// NUL separates fields in some logins and counts as half wrong; a character cut off at the end does not count.
/// Noise is refused after a few bytes.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let (mut at, mut wrong) = (0, 0);
    while at < bytes.len() && wrong * 4 <= bytes.len() {
        let (width, fault) = character(&bytes[at..]);
        wrong += fault;
        at += width;
    }
    !bytes.is_empty() && wrong * 4 <= bytes.len()
}

/// Width of the character at the start of `rest`, and how wrong it is: 0, 1 (NUL) or 2.
fn character(rest: &[u8]) -> (usize, usize) {
    let width = match rest[0] {
        0x20..=0x7e | b'\t' | b'\n' | b'\r' => return (1, 0),
        0 => return (1, 1),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return (1, 2),
    };
    let following = &rest[1..width.min(rest.len())];
    if following.iter().all(|byte| byte & 0xc0 == 0x80) { (width, 0) } else { (1, 2) }
}

/// True when `bytes` look like UTF-16LE of mostly ASCII: nearly every second byte is zero.
pub(super) fn is_utf16(bytes: &[u8]) -> bool {
    let pairs = bytes.chunks_exact(2);
    let (count, zero) = (pairs.len(), pairs.filter(|pair| pair[1] == 0 && pair[0] >= 9).count());
    count >= 4 && zero * 8 >= count * 7
}

/// How many of `bytes` look like text: up to the first stretch of sixteen in which six are wrong.
pub(super) fn text_len(bytes: &[u8]) -> usize {
    let (mut at, mut window) = (0, 0u16);
    while at < bytes.len() {
        let (width, fault) = character(&bytes[at..]);
        window = (window << 1) | u16::from(fault > 0);
        at += width;
        if window.count_ones() >= 6 {
            return at.saturating_sub(16);
        }
    }
    bytes.len()
}

/// Appends UTF-16LE `wide` to `out` as UTF-8.
pub(super) fn narrow(wide: &[u8], out: &mut Vec<u8>) {
    let units = wide.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    for char in char::decode_utf16(units) {
        let char = char.unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_noise() {
        assert!(is_text("{\"email\":\"zażółć@example.com\"}".as_bytes()));
        assert!(is_text(b"\0jan\0FAKEsmtp7"));
        assert!(!is_text(&[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d]));
        assert!(!is_text(&[0xfa, 0x4e, 0xa9, 0x92, 0xbc, 0x18, 0x63, 0xe7, 0x15, 0x43]));
        assert!(!is_text(b""));
    }

    #[test]
    fn utf16_is_narrowed() {
        let bytes: Vec<u8> = "secret=ą1".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(is_utf16(&bytes) && !is_utf16(b"plain ascii text"));
        let mut text = Vec::new();
        narrow(&bytes, &mut text);
        assert_eq!(text, "secret=ą1".as_bytes());
    }

    #[test]
    fn text_ends_where_noise_begins() {
        let mut bytes = b"{\"email\":\"jan@example.com\"}".to_vec();
        let len = bytes.len();
        assert_eq!(text_len(&bytes), len);
        bytes.extend([0xfa, 0x01, 0x99, 0x05, 0xbc, 0x18, 0xe3, 0x15]);
        assert!((len - 16..=len).contains(&text_len(&bytes)));
    }
}
