//! `prefixed-token`: a short word, a joint and at least thirty random letters and digits of both cases,
//! `acme_live_9sX…`. Services give their tokens such a form so that scanners see them; ids with a type in front
//! are shorter, hashes and file names have one case. Names that are known to be ids stay.

use super::ShapeHit;
use crate::redact::validate::{Verdict, content};

/// Longest prefix, its joint left out.
const LONGEST_PREFIX: usize = 16;
/// Fewest random characters behind it.
const LEAST: usize = 30;
/// Longest part between prefix and token: environments, kinds, versions.
const LONGEST_PART: usize = 8;
/// Most of them.
const PARTS: usize = 2;
/// First words of ids, digests and nonces that look alike.
const IDS: &[&str] =
    &["cs", "pk", "dpl", "prj", "team", "nonce", "sha", "md", "etag", "upload", "cursor", "page", "part"];

/// The whole token, prefix included.
pub(super) fn find(text: &[u8], at: usize, _floor: usize) -> Option<ShapeHit> {
    if !text[at].is_ascii_lowercase() {
        return None;
    }
    let prefix = text[at..].iter().take(LONGEST_PREFIX).take_while(|byte| is_small(**byte)).count();
    let joint = *text.get(at + prefix)?;
    if prefix < 2 || !matches!(joint, b'_' | b'-') {
        return None;
    }
    let mut from = at + prefix + 1;
    for _ in 0..PARTS {
        let part = text[from..].iter().take(LONGEST_PART + 1).take_while(|byte| is_small(**byte)).count();
        if !(2..=LONGEST_PART).contains(&part) || text.get(from + part) != Some(&joint) {
            break;
        }
        from += part + 1;
    }
    let random = text[from..].iter().take(512).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    if random < LEAST || is_id(&text[at..at + prefix]) {
        return None;
    }
    let token = &text[from..from + random];
    let turns = token.windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count();
    let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
    if turns < 3 || digits < 2 || content::entropy(token) == Verdict::Refutes {
        return None;
    }
    // Checksums and further parts follow; the token goes on to the end of its alphabet.
    let more = text[from + random..].iter().take(512).take_while(|byte| is_token(**byte)).count();
    let end = from + random + more;
    let trailing = text[from..end].iter().rev().take_while(|byte| matches!(byte, b'-' | b'_')).count();
    Some(ShapeHit::new(at, end - trailing, Verdict::Proves))
}

fn is_small(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Digits behind the word do not count: `sha256`, `md5`.
fn is_id(prefix: &[u8]) -> bool {
    let word = prefix.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    IDS.iter().any(|id| id.as_bytes() == &prefix[..word])
}

#[cfg(test)]
mod tests {
    use crate::redact::filler;
    use crate::redact::shape::by_name;

    fn found(text: &str) -> Option<String> {
        let text = filler::expand(text).unwrap();
        let hit = (by_name("prefixed-token").unwrap().find)(text.as_bytes(), 0, 0)?;
        Some(text[hit.span.start as usize..hit.span.end as usize].to_owned())
    }

    #[test]
    fn tokens_of_unknown_services_are_found_whole() {
        for token in
            ["acme_{{base62:36}}", "acme-live-{{base62:30}}", "ddo_{{base62:36}}", "x1_pat_{{base62:40}}_{{hex:8}}"]
        {
            let whole = filler::expand(token).unwrap();
            assert_eq!(found(&format!("{token} used")), Some(whole), "{token}");
        }
    }

    #[test]
    fn ids_hashes_and_names_stay() {
        for text in [
            "cs_test_{{base62:58}}",
            "sha256-{{base62:43}}",
            "nonce-{{base62:32}}",
            "evt_{{base62:24}}",
            "chatcmpl-{{base62:29}}",
            "app-{{hex:40}}",
            "session_refresh_token_rotation_interval",
            "main-{{base36:40}}",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
