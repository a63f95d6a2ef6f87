//! A user and a password written as one: `app / x`, `app:x`.

use super::bare::{self, Style};
use super::kind;
use super::reader::Reader;
use super::scope::Scope;

/// End of the pair `app / x` at `from`, both parts with white space around their sign.
pub(crate) fn spaced(scope: Scope<'_>, from: usize) -> Option<usize> {
    let sign = user_end(scope, from)?;
    let parted = scope.has(sign, b" / ") || scope.has(sign, b" : ");
    let end = parted.then(|| bare::end(scope, sign + 3, Style::default()))?;
    (end > sign + 3).then_some(end)
}

/// `creds app:x`, `credentials [app:x]`: claims the password of the pair at `from` in running text.
pub(crate) fn spoken(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize) -> bool {
    let quoted = matches!(scope.byte(from), Some(b'[' | b'(' | b'"' | b'\'' | b'`'));
    let user = from + usize::from(quoted);
    let Some(sign) = user_end(scope, user) else { return false };
    let glued = matches!(scope.byte(sign), Some(b':' | b'/'));
    let start = if glued { sign + 1 } else { sign + 3 };
    if !glued && !scope.has(sign, b" / ") {
        return false;
    }
    let end = bare::end(scope, start, Style::default());
    let secret = &scope.text[start.min(end)..end];
    let digits = secret.iter().all(u8::is_ascii_digit);
    let told = kind::looks_secret(secret) && !digits && !secret.contains(&b'/');
    told && reader.paid(from, end) && reader.claim(scope, start..end, false)
}

/// End of the name of a user at `from`.
fn user_end(scope: Scope<'_>, from: usize) -> Option<usize> {
    const LONGEST: usize = 64;
    let rest = &scope.text[from.min(scope.limit)..scope.limit.min(from + LONGEST)];
    let named = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.@+-\\".contains(byte);
    let length = rest.iter().take_while(named).count();
    (length > 0 && rest[..length].iter().any(u8::is_ascii_alphabetic)).then_some(from + length)
}
