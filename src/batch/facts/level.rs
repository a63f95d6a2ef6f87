//! Levels: words, syslog numbers, the numbers of the pino and bunyan family, glog letters.

use crate::record::Status;

/// The level a word means; the same mapping as Datadog's status remapper, but only whole known words.
pub(super) fn word(text: &[u8]) -> Option<Status> {
    let mut lower = [0; 12];
    let lower = lower.get_mut(..text.len())?;
    lower.copy_from_slice(text);
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"emerg" | b"emergency" | b"fatal" | b"panic" => Status::Emergency,
        b"alert" => Status::Alert,
        b"crit" | b"critical" | b"severe" => Status::Critical,
        b"err" | b"error" | b"eror" => Status::Error,
        b"warn" | b"warning" => Status::Warning,
        b"notice" => Status::Notice,
        b"info" | b"information" | b"ok" | b"success" => Status::Info,
        b"debug" | b"trace" | b"verbose" | b"fine" => Status::Debug,
        _ => return None,
    })
}

/// The level of a key's value. Numbers count only under keys that mean nothing but a level.
pub(super) fn of_value(value: &[u8], numbers: bool) -> Option<Status> {
    if !numbers {
        return word(value);
    }
    match value {
        [b'0'..=b'7'] => syslog(value[0] - b'0'),
        b"10" | b"20" => Some(Status::Debug),
        b"30" => Some(Status::Info),
        b"40" => Some(Status::Warning),
        b"50" => Some(Status::Error),
        b"60" => Some(Status::Emergency),
        _ => word(value),
    }
}

/// A syslog priority `<0>`…`<191>` at the start, and what follows it.
pub(super) fn priority(text: &[u8]) -> (Option<Status>, &[u8]) {
    let end = text.iter().take(5).position(|&b| b == b'>');
    let (Some(b'<'), Some(end)) = (text.first(), end) else { return (None, text) };
    let digits = &text[1..end];
    let value = digits.iter().try_fold(0u16, |n, &b| b.is_ascii_digit().then(|| n * 10 + u16::from(b - b'0')));
    match value {
        Some(value) if !digits.is_empty() && value < 192 => (syslog((value & 7) as u8), &text[end + 1..]),
        _ => (None, text),
    }
}

/// The letter that glog and klog begin with: `E1123 21:00:00.000000`.
pub(super) fn klog(text: &[u8]) -> Option<Status> {
    let (&letter, rest) = text.split_first()?;
    let dated =
        rest.get(..4)?.iter().all(u8::is_ascii_digit) && rest.get(4) == Some(&b' ') && rest.get(7) == Some(&b':');
    match letter {
        b'I' if dated => Some(Status::Info),
        b'W' if dated => Some(Status::Warning),
        b'E' if dated => Some(Status::Error),
        b'F' if dated => Some(Status::Emergency),
        _ => None,
    }
}

/// The level word at `at`, behind its bracket or space; it must stand alone.
pub(super) fn word_at(text: &[u8], at: usize) -> Option<Status> {
    let opened = matches!(text[at], b'[' | b' ');
    let start = at + usize::from(opened);
    if !opened && at > 0 && (text[at - 1].is_ascii_alphanumeric() || matches!(text[at - 1], b'_' | b'-' | b'/' | b'.'))
    {
        return None;
    }
    let rest = &text[start..];
    let end = rest.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(rest.len());
    match rest.get(end) {
        Some(b'_' | b'-' | b'/' | b'=' | b'0'..=b'9') => None,
        _ => word(&rest[..end]),
    }
}

/// The level of a syslog severity.
pub(super) fn syslog(severity: u8) -> Option<Status> {
    use Status::*;
    [Emergency, Alert, Critical, Error, Warning, Notice, Info, Debug].get(usize::from(severity)).copied()
}
