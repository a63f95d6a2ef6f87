//! JSON web tokens: three base64url segments (five when encrypted), the first a JSON object that names
//! an algorithm. Signature and claims are not looked at: a cut token is still a token.

use super::Verdict;

/// Longest header decoded, in bytes.
const HEADER_MAX: usize = 512;

/// Proves when the header decodes to an object with `alg`, `typ`, `kid` or `enc` and a second segment
/// follows; silent when only the header's start can be read.
pub(in crate::redact) fn check(candidate: &[u8]) -> Verdict {
    let mut segments = candidate.split(|b| *b == b'.');
    let header = segments.next().unwrap_or(&[]);
    let mut decoded = [0; HEADER_MAX];
    let Some(len) = decode(header, &mut decoded) else { return Verdict::Refutes };
    let json = &decoded[..len];
    if json.len() < 5 || json[0] != b'{' {
        return Verdict::Refutes;
    }
    let named = ["\"alg\"", "\"typ\"", "\"kid\"", "\"enc\"", "\"cty\"", "\"zip\""]
        .iter()
        .any(|key| json.windows(key.len()).any(|window| window == key.as_bytes()));
    let payload =
        segments.next().is_some_and(|segment| !segment.is_empty() && segment.iter().all(|b| value(*b).is_some()));
    match (named, payload) {
        (true, true) => Verdict::Proves,
        (true, false) => Verdict::Silent,
        (false, _) if json.contains(&b'"') => Verdict::Silent,
        _ => Verdict::Refutes,
    }
}

/// Decodes base64url (padding and the plain alphabet tolerated) as far as `out` reaches; nothing at the first
/// control character.
fn decode(segment: &[u8], out: &mut [u8; HEADER_MAX]) -> Option<usize> {
    let (mut bits, mut count, mut len) = (0u32, 0, 0);
    for byte in segment.iter().take_while(|b| **b != b'=') {
        bits = bits << 6 | u32::from(value(*byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            if len == out.len() {
                break;
            }
            out[len] = (bits >> count) as u8;
            if out[len] < 0x20 && !out[len].is_ascii_whitespace() {
                return None;
            }
            len += 1;
        }
    }
    (len > 0).then_some(len)
}

fn value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' | b'+' => 62,
        b'_' | b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn good_and_bad() {
        let segment = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = |header: &str| format!("{}.{}.fa4eSig-_", segment(header), segment("{\"sub\":\"fa4e\"}"));
        let good = token("{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
        assert_verdicts(check, Verdict::Proves, &[&good, &token("{ \"typ\": \"JWT\" }"), &good[..good.len() - 12]]);
        assert_verdicts(check, Verdict::Silent, &[&segment("{\"alg\":\"none\"}"), &token("{\"a\":1}")]);
        assert_verdicts(
            check,
            Verdict::Refutes,
            &["", "eyJ", "abc.def.ghi", "a.b.c", &token("[1]"), "{\"alg\":1}.x.y"],
        );
    }
}
