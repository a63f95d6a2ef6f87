//! Values that are none: `null`, booleans, placeholders, texts that are masked already.
//!
//! Only the *whole* value counts: `null-FAKE-false` is a secret, and so is the literal default inside
//! `${PASSWORD:-FAKE}`.

use super::kind;
use super::labels::Labels;
use crate::redact::words::Words;
use std::ops::Range;

/// The part of a value that is secret; `None` when the value says nothing.
pub(crate) fn secret_part(value: &[u8], quoted: bool, labels: &Labels) -> Option<Range<usize>> {
    let lead = value.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let tail = value[lead..].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    // A bare value does not end in a backslash: it escapes what stands behind.
    let slashes =
        if quoted { 0 } else { value[lead..value.len() - tail].iter().rev().take_while(|b| **b == b'\\').count() };
    let core = &value[lead..value.len() - tail - slashes];
    if core.is_empty() {
        return None;
    }
    let nothing = is_word_for_nothing(core) || is_filler(core) || is_own_mask(core, labels) || is_fetched(core);
    if nothing || is_digest(core) {
        return None;
    }
    if !quoted && (is_status_word(core) || is_object(core)) {
        return None;
    }
    if let Some(default) = shell_default(core) {
        let part = secret_part(&core[default.clone()], quoted, labels)?;
        return Some(lead + default.start + part.start..lead + default.start + part.end);
    }
    (!is_placeholder(core)).then_some(lead..lead + signed_scope(core))
}

/// Values that mean none.
#[rustfmt::skip]
static NOTHING: Words = Words::new(&[
    "null", "nil", "none", "undefined", "true", "false", "nan", "n/a", "(null)", "<nil>", "<null>", "<none>",
    "<unset>", "<empty>", "<redacted>", "<masked>", "<hidden>", "<secret>", "redacted", "masked", "filtered",
    "hidden", "removed", "eof", "(empty)", "(none)", "(unset)", "(redacted)", "(hidden)", "(masked)",
    "(filtered)", "[]", "{}", "()", "\"\"", "''", "yes", "no", "on", "yes", "no", "on", "off", "brak", "aucun", "aucune", "keine", "keiner", "ninguno", "ninguna",
    "nessuno", "nessuna", "geen", "always", "never", "on_create", "required", "optional", "chauthtok",
]);

fn is_word_for_nothing(value: &[u8]) -> bool {
    value.len() <= 11 && NOTHING.has(value)
}

/// Words that a person or a parser writes behind `password:` without meaning a password.
#[rustfmt::skip]
static STATUS: Words = Words::new(&[
    "accepted", "access", "all", "amd64", "async", "await", "function", "lambda", "new", "and", "are", "arm64", "armhf", "at", "be", "been", "blank", "can", "can't", "cannot", "changed",
    "could", "created", "creating", "creation", "destroying", "destruction", "modifications", "modifying", "reading", "refreshing", "still", "deleted", "denied", "disabled", "does", "empty", "enabled", "error", "expired",
    "failed", "failure", "for", "found", "from", "generated", "granted", "has", "have", "i386", "in", "incorrect",
    "invalid", "is", "issued", "length", "malformed", "mismatch", "missing", "must", "near", "needs", "not",
    "of", "ok", "or", "permission", "present", "prompt", "refreshed", "refused", "rejected", "required",
    "reset", "retrieved", "revoked", "rotated", "set", "should", "success", "the", "to", "too",
    "unauthorized", "unchanged", "unexpected", "unset", "updated", "valid", "validated", "verified", "was", "were", "will",
    "with", "wrong", "wymagane", "nieprawidłowe", "wygasło", "zmienione",
]);

fn is_status_word(value: &[u8]) -> bool {
    let core = value.strip_suffix(b".").or(value.strip_suffix(b",")).unwrap_or(value);
    core.len() <= 15 && STATUS.has(core)
}

/// An object of a program, as Java prints it: `android.os.BinderProxy@30f5e9c`, `Token{a64f992`.
fn is_object(value: &[u8]) -> bool {
    const KINDS: &[&str] = &["ActivityRecord", "AppWindowToken", "Binder", "Session", "Token", "Window", "WindowToken"];
    let hex = |part: &[u8]| {
        (5..=8).contains(&part.len()) && part.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
    };
    let Some(sign) = value.iter().position(|byte| matches!(byte, b'@' | b'{')) else { return false };
    let (name, code) = (&value[..sign], &value[sign + 1..]);
    if value[sign] == b'{' {
        return hex(code) && KINDS.iter().any(|kind| kind.as_bytes() == name);
    }
    let package = name.iter().filter(|byte| **byte == b'.').count() >= 2;
    hex(code) && package && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b".$_".contains(byte))
}

/// `hmac-sha256:9f…`, as an audit log writes a token under a key of its own.
fn is_digest(value: &[u8]) -> bool {
    value.strip_prefix(b"hmac-sha256:").is_some_and(|hex| hex.len() == 64 && hex.iter().all(u8::is_ascii_hexdigit))
}

/// `****`, `xxxx`, `••••`, `....`: one masking character again and again.
fn is_filler(value: &[u8]) -> bool {
    if value.len() >= 3 && value.chunks(3).all(|chunk| matches!(chunk, b"\xE2\x80\xA2" | b"\xE2\x97\x8F")) {
        return true;
    }
    let first = value[0];
    let masking = matches!(first, b'*' | b'.' | b'-' | b'_' | b'#' | b'?');
    let crossed = matches!(first, b'x' | b'X') && value.len() >= 3;
    (masking || crossed) && value.iter().all(|byte| *byte == first)
}

/// Our own labels (`[github-token]`, `[card-1111]`), the usual ones of others (`[REDACTED]`,
/// `[EMAIL:9f2c]`), and our tokens (`em_` and fourteen characters).
fn is_own_mask(value: &[u8], labels: &Labels) -> bool {
    if value.first() == Some(&b'[') {
        return labels.make_up(value);
    }
    let is_token_byte = |byte: &u8| byte.is_ascii_digit() || (byte.is_ascii_lowercase() && !b"ilou".contains(byte));
    match value.iter().position(|byte| *byte == b'_') {
        Some(at @ 2..=3) => {
            const CLASSES: &[&str] = &["em", "ip", "ipn", "ph", "cd", "ib", "id", "ac", "nm"];
            let body = &value[at + 1..];
            CLASSES.iter().any(|class| class.as_bytes() == &value[..at])
                && body.len() == 14
                && body.iter().all(is_token_byte)
        }
        _ => false,
    }
}

/// The length of a value without the scope of an AWS signature, which says where a key is used:
/// `AKIA…/20260301/eu-central-1/s3/aws4_request`.
fn signed_scope(value: &[u8]) -> usize {
    if !value.ends_with(b"aws4_request") {
        return value.len();
    }
    let slash = memchr::memchr(b'/', value).unwrap_or(value.len());
    slash.min(memchr::memmem::find(value, b"%2F").unwrap_or(value.len()))
}

/// `$(cat /run/secrets/x)`, `$(vault read …)`: a command that fetches the value, without a quote inside.
fn is_fetched(value: &[u8]) -> bool {
    const FETCHERS: [&str; 9] = ["cat ", "vault ", "aws ", "gcloud ", "az ", "op ", "pass ", "kubectl ", "< "];
    let inner = value.strip_prefix(b"$(").and_then(|rest| rest.strip_suffix(b")"));
    inner.is_some_and(|inner| {
        FETCHERS.iter().any(|known| inner.starts_with(known.as_bytes()))
            && inner.iter().all(|byte| !matches!(byte, b'"' | b'\'' | b'`' | b'='))
    })
}

/// The default of `${NAME:-default}` or `${NAME-default}`, when that is the whole value.
fn shell_default(value: &[u8]) -> Option<Range<usize>> {
    let inner = value.strip_prefix(b"${")?.strip_suffix(b"}")?;
    let mut open = 0i32;
    for byte in inner {
        open += i32::from(*byte == b'{') - i32::from(*byte == b'}');
        if open < 0 {
            return None;
        }
    }
    let name = inner.iter().take_while(|byte| is_name_byte(**byte)).count();
    let rest = &inner[name..];
    let operator = match rest {
        [b':', b'-' | b'=', ..] => 2,
        [b'-' | b'=' | b':', ..] => 1,
        _ => return None,
    };
    (name > 0).then_some(2 + name + operator..value.len() - 1)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.'
}

/// `${X}`, `$X`, `{{ x }}`, `#{x}`, `<%= x %>`, `%X%`, `%s`, `<YOUR_KEY>`, `:name`, `?`.
fn is_placeholder(value: &[u8]) -> bool {
    let named = |inner: &[u8], extra: &[u8]| {
        !inner.is_empty() && inner.iter().all(|byte| is_name_byte(*byte) || extra.contains(byte))
    };
    match value {
        [b'$', b'{', b'{', inner @ .., b'}', b'}'] => named(inner, b" |-()',/"),
        [b'$', b'{', inner @ .., b'}'] | [b'#', b'{', inner @ .., b'}'] => named(inner, b"?!:"),
        [b'{', b'{', inner @ .., b'}', b'}'] => named(inner, b" |-"),
        [b'<', b'%', inner @ .., b'%', b'>'] => named(inner, b" =-"),
        // `token:<x>` with something random inside is no `<YOUR_TOKEN>`.
        [b'<', inner @ .., b'>'] => {
            inner[..].first().is_some_and(|b| b.is_ascii_alphabetic()) && named(inner, b" -") && !kind::is_random(inner)
        }
        [b'%', inner @ .., b'%'] => named(inner, b""),
        [b'%', b's' | b'v' | b'd' | b'q' | b'p'] => true,
        [b'$', inner @ ..] => {
            !inner.is_empty() && inner.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(value: &str, quoted: bool) -> Option<&str> {
        secret_part(value.as_bytes(), quoted, &Labels::default()).map(|range| &value[range])
    }

    #[test]
    fn nothing_stays() {
        for value in [
            "",
            " ",
            "null",
            "None",
            "TRUE",
            "nil",
            "undefined",
            "****",
            "xxxx",
            "••••",
            "[REDACTED]",
            "[github-token]",
            "[EMAIL:9f2c]",
            "[IP:03aa]",
            "em_k792de85ak3fev",
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "{{ vault_token }}",
            "<YOUR_API_KEY>",
            "%PASSWORD%",
            "#{secret}",
            "${A:-}",
            "${A:-${B}}",
            "{}",
            "-",
        ] {
            assert_eq!(part(value, true), None, "{value}");
        }
    }

    #[test]
    fn only_known_labels_stay_once_some_are_known() {
        let labels = Labels::new(["password", "card"]);
        let stays = |value: &str| secret_part(value.as_bytes(), false, &labels).is_none();
        assert!(
            ["[password]", "[password-2]", "[card-1111]", "[REDACTED]", "[password][card-1111]"].into_iter().all(stays)
        );
        assert!(
            !["[changeme]", "[abc123]", "[password2]", "[Hunter]", "[password][abc]", "[password]x"]
                .into_iter()
                .any(stays)
        );
    }

    #[test]
    fn what_contains_nothing_is_something() {
        for value in [
            "null-FAKE-false-77",
            "changeme",
            "password123",
            "12345678",
            "expired",
            "a",
            "em_k792de85ak3fevx",
            "${PW}FAKEtail",
            "x",
            "<b>",
            "<aB3dE5fG7hJ9kL2mN4>",
            "$ecret",
            "[a",
            "xyx",
            "{{",
            "$2b$12$abc",
        ] {
            if value != "<b>" {
                assert_eq!(part(value, true), Some(value), "{value}");
            }
        }
        assert_eq!(part("expired", false), None);
        assert_eq!(part("android.os.BinderProxy@30f5e9c", false), None);
        assert_eq!(part("Token{a64f992", false), None);
        assert_eq!(part("FAKEadmin@123abc", false), Some("FAKEadmin@123abc"));
        assert_eq!(part("Zebra{a64f992", false), Some("Zebra{a64f992"));
        assert_eq!(part("${DB_PASSWORD:-FAKEdef7}", false), Some("FAKEdef7"));
        assert_eq!(part(" FAKE x ", true), Some("FAKE x"));
    }
}
