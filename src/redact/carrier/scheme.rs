//! Credentials announced by their scheme alone: `Bearer x`, `Basic dXNlcjpwdw==`, `AUTH PLAIN …`.
//!
//! The words are also English, so the credential must prove itself: random-looking behind `Bearer`,
//! base64 of a user and a password behind `Basic`.

use super::bare::{self, Style};
use super::header::space_at;
use super::kind;
use super::member;
use super::reader::Reader;
use super::scope::Scope;

/// Whether the scheme's name at `start` is the value of a member that only tells a type:
/// `token_type=bearer`, `"tokenType": "Bearer"`. Such a name announces nothing.
pub(crate) fn is_type(scope: Scope<'_>, start: usize) -> bool {
    let quote = usize::from(start > scope.floor && matches!(scope.text[start - 1], b'"' | b'\''));
    let open = start - quote;
    let open = open - if quote > 0 { scope.backslashes_before(open, scope.floor) } else { 0 };
    let Some(owner) = member::owner(scope, open) else { return false };
    let name = &scope.text[owner.name];
    ["type", "scheme", "method", "kind", "label"].iter().any(|known| ends_with_fold(name, known))
}

fn ends_with_fold(name: &[u8], ending: &str) -> bool {
    name.len() >= ending.len() && name[name.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
}

/// Reads the credential behind a scheme's name that ends at `at`.
pub(crate) fn opaque(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) -> bool {
    let Some(from) = space_at(scope, at) else { return false };
    let end = bare::end(scope, from, Style { query: true, ..Style::default() });
    let token = &scope.text[from..end];
    let long = token.len() >= 24 && token.iter().all(|byte| byte.is_ascii_graphic());
    let claims = long || (kind::is_opaque(token) && !token.ends_with(b":"));
    claims && reader.paid(from, end) && reader.claim(scope, from..end, false)
}

/// Reads the base64 behind a scheme's name that ends at `at`.
pub(crate) fn basic(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) -> bool {
    let Some(from) = space_at(scope, at) else { return false };
    let bytes = &scope.text[from.min(scope.limit)..scope.limit];
    let alphabet = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let body = bytes.iter().take_while(alphabet).count();
    let padding = bytes[body..].iter().take(2).take_while(|byte| **byte == b'=').count();
    // `AUTH LOGIN` hands over the user and the password one by one.
    let single = body >= 8 && ends_with_fold(&scope.text[scope.floor..at], "login");
    let claims = body >= 4 && holds_credentials(&bytes[..body], single);
    claims && reader.paid(from, from + body + padding) && {
        reader.mask(from..from + body + padding);
        true
    }
}

/// Whether base64 decodes to printable text with a colon or NUL between two parts, or a `single` one.
fn holds_credentials(encoded: &[u8], single: bool) -> bool {
    let mut separated = single;
    let (mut bits, mut held) = (0u32, 0);
    for byte in encoded {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            let decoded = (bits >> held) as u8;
            separated |= matches!(decoded, b':' | 0 | 1);
            if decoded < 0x20 && !matches!(decoded, 0 | 1) || decoded == 0x7F {
                return false;
            }
        }
    }
    separated
}
