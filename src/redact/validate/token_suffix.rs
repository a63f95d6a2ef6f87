//! Tokens that end in a CRC-32 of themselves: GitHub's and npm's, Atlassian's. A wrong suffix lowers
//! confidence only: people cut tokens, and vendors change formats.

use super::Verdict;

/// `ghp_…`, `npm_…`: 30 base-62 characters and six more that spell their CRC-32 in base 62 (digits, upper,
/// lower case). Other lengths are newer or older forms: silent.
pub(in crate::redact) fn github(candidate: &[u8]) -> Verdict {
    let body = candidate.rsplit(|b| *b == b'_').next().unwrap_or(candidate);
    if body.len() != 36 || !body.iter().all(u8::is_ascii_alphanumeric) {
        return Verdict::Silent;
    }
    let (random, suffix) = body.split_at(30);
    let spelled = suffix.iter().try_fold(0u64, |n, byte| Some(n * 62 + base62(*byte)?));
    if spelled == Some(u64::from(crc32fast::hash(random))) { Verdict::Proves } else { Verdict::Refutes }
}

fn base62(byte: u8) -> Option<u64> {
    Some(match byte {
        b'0'..=b'9' => u64::from(byte - b'0'),
        b'A'..=b'Z' => u64::from(byte - b'A') + 10,
        b'a'..=b'z' => u64::from(byte - b'a') + 36,
        _ => return None,
    })
}

/// `ATATT3…=1A2B3C4D`: the last eight upper-case hexadecimal digits are the CRC-32 of everything before
/// them, the equals sign included. Without an equals sign there is nothing to check.
pub(in crate::redact) fn atlassian(candidate: &[u8]) -> Verdict {
    if candidate.len() < 24 || candidate[candidate.len() - 9] != b'=' {
        return Verdict::Silent;
    }
    let (body, suffix) = candidate.split_at(candidate.len() - 8);
    let spelled = suffix.iter().try_fold(0u32, |n, byte| match byte {
        b'0'..=b'9' => Some(n << 4 | u32::from(byte - b'0')),
        b'A'..=b'F' => Some(n << 4 | u32::from(byte - b'A' + 10)),
        _ => None,
    });
    if spelled == Some(crc32fast::hash(body)) { Verdict::Proves } else { Verdict::Refutes }
}

#[cfg(test)]
mod tests {
    use super::super::assert_verdicts;
    use super::*;

    /// CRC-32 bit by bit, the slow way.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
        })
    }

    fn github_token(prefix: &str, random: &str) -> String {
        let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut number = crc(random.as_bytes());
        let mut suffix = [b'0'; 6];
        for place in suffix.iter_mut().rev() {
            *place = alphabet[(number % 62) as usize];
            number /= 62;
        }
        format!("{prefix}_{random}{}", String::from_utf8_lossy(&suffix))
    }

    #[test]
    fn github_and_npm() {
        for prefix in ["ghp", "npm", "ghs"] {
            let token = github_token(prefix, "fa4eAAAAbbbbCCCCddddEEEEffff00");
            assert_verdicts(github, Verdict::Proves, &[&token]);
            let cut = &token[..token.len() - 1];
            let wrong = format!("{cut}{}", if token.ends_with('0') { '1' } else { '0' });
            assert_verdicts(github, Verdict::Refutes, &[&wrong]);
            assert_verdicts(github, Verdict::Silent, &[cut, "", &format!("{token}0")]);
        }
    }

    #[test]
    fn atlassian_tokens() {
        let body = "ATATT3xFakefa4efa4efa4efa4e-_fa4e=";
        let good = format!("{body}{:08X}", crc(body.as_bytes()));
        assert_verdicts(atlassian, Verdict::Proves, &[&good]);
        assert_verdicts(atlassian, Verdict::Refutes, &[&format!("{body}00000000"), &format!("{body}0000000g")]);
        assert_verdicts(atlassian, Verdict::Silent, &["", body, "ATATT3xFakefa4efa4efa4efa4efa4e"]);
    }
}
