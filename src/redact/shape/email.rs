//! `email`: addresses in running text, in any script, with tags, apostrophes or a quoted local part.
//!
//! The at-sign decides: the local part is read leftwards, the domain rightwards, both by the characters
//! people use rather than by all the RFC allows (`=`, `/`, `|`, braces end an address in logs). Glued
//! addresses go as one run. Not addresses: remotes (`git@…`), package versions (`name@1.2.3`), image
//! scales (`icon@2x.png`), unit instances (`name@1000.service`), object identities (`Task@1f32ab9c`),
//! hosts without a dot (`root@web-1`), URL user info with a password (its own shape masks that), and
//! message ids after their header's name (they name a mail, not a person, and mail logs are joined on them).

use super::ShapeHit;
use super::edge::{byte_before, char_at, char_before, ends_with_fold, previous_word, starts_with_fold};
use crate::redact::steps;
use crate::redact::validate::Verdict;

/// Longest local part and domain read, in bytes.
const LOCAL_MAX: usize = 128;
const DOMAIN_MAX: usize = 253;

/// Where the address with the at-sign `at` ends, if it is one and none is glued to it: a run of glued ones is read once,
/// for its first.
pub(super) fn end(text: &[u8], at: usize) -> Option<usize> {
    domain(text, at + 1).filter(|end| text.get(*end) != Some(&b'@'))
}

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let domain_end = domain(text, at + 1)?;
    let start = match at.checked_sub(1).filter(|last| *last >= floor).map(|last| text[last])? {
        b'"' => quoted_local(text, at, floor)?,
        _ => local(text, at, floor)?,
    };
    if stays(text, start, at, domain_end, floor) {
        return None;
    }
    let end = glued(text, domain_end);
    let start = after_quote(text, start, at, end);
    Some(ShapeHit::new(with_bounce_tag(text, start, at, floor), end, Verdict::Proves))
}

/// Where the local part that ends at the at-sign starts.
fn local(text: &[u8], at: usize, floor: usize) -> Option<usize> {
    let mut start = local_run(text, at, floor);
    // `@user@host`, `a@b@host`: the run before the first at-sign belongs to the person too.
    if byte_before(text, start, floor, b'@') && start < at {
        start = local_run(text, start - 1, floor);
    }
    start = after_control(text, after_escape(text, start, floor), at);
    while start < at
        && matches!(text[start], b'.' | b'\'' | b'-' | b'+' | b'*' | b'#' | b'$' | b'!' | b'~' | b'^' | b'%')
    {
        start += 1;
    }
    (start < at && text[at - 1] != b'.' || start + 1 < at).then_some(start).filter(|start| *start < at)
}

fn local_run(text: &[u8], end: usize, floor: usize) -> usize {
    let lowest = floor.max(end.saturating_sub(LOCAL_MAX));
    let mut start = end;
    while start > lowest {
        match text[start - 1] {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'.' | b'_' | b'-' | b'+' => start -= 1,
            // Legal but rare: only in the middle of a local part, where they are no markup.
            b'\'' | b'#' | b'$' | b'!' | b'~' | b'^' | b'*' if alphanumeric_before(text, start - 1, lowest) => {
                start -= 1
            }
            b'%' if tag_percent(text, start - 1) => start -= 1,
            0x80.. => match char_before(text, start, lowest) {
                Some(c) if c.is_alphanumeric() || is_mark(c) => start -= c.len_utf8(),
                _ => break,
            },
            _ => break,
        }
    }
    steps::add(end - start);
    start
}

fn alphanumeric_before(text: &[u8], at: usize, floor: usize) -> bool {
    char_before(text, at, floor).is_some_and(char::is_alphanumeric)
}

/// Combining accents: a decomposed `é` is two characters.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36F}').contains(&c)
}

/// A percent sign that encodes a character of a local part, such as the plus of a tag.
fn tag_percent(text: &[u8], at: usize) -> bool {
    matches!(
        text.get(at + 1..at + 3),
        Some([b'2', b'B' | b'b' | b'7' | b'D' | b'd' | b'E' | b'e'] | [b'5', b'F' | b'f'])
    )
}

/// `start`, moved past the letter of an escape (`\n`, `\x0a`, `\u003c`) or the end of a colour sequence.
fn after_escape(text: &[u8], start: usize, floor: usize) -> usize {
    if byte_before(text, start, floor, b'\\') {
        return match text.get(start) {
            // `HOME\nowak@…`: a login behind its domain, where no reading says otherwise.
            Some(b'n' | b'r' | b't' | b'f' | b'b') if domain_before(text, start - 1, floor) => start,
            Some(b'n' | b'r' | b't' | b'f' | b'b') => start + 1,
            Some(b'x') => start + 3,
            Some(b'u') => start + 5,
            _ => start,
        };
    }
    if byte_before(text, start, floor, b'[') && start >= floor + 2 && text[start - 2] == 0x1B {
        let digits = text[start..].iter().take_while(|b| b.is_ascii_digit()).count();
        return start + digits + usize::from(text.get(start + digits) == Some(&b'm'));
    }
    start
}

/// `start`, moved past the last control character as syslog daemons write it (`Hi#012jan@…`).
fn after_control(text: &[u8], start: usize, at: usize) -> usize {
    let control = |part: &[u8]| matches!(part, [b'#', b'0', b'0'..=b'3', b'0'..=b'7', b'A'..=b'Z' | b'a'..=b'z']);
    let behind = start..at.max(start);
    text[behind].windows(5).rposition(control).map_or(start, |place| start + place + 4)
}

/// Whether the word that ends at `at` is written as names of Windows domains are.
fn domain_before(text: &[u8], at: usize, floor: usize) -> bool {
    let word = text[floor..at].iter().rev().take(16).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-');
    let (length, capitals) =
        word.fold((0, true), |(length, capitals), byte| (length + 1, capitals && !byte.is_ascii_lowercase()));
    (2..16).contains(&length) && capitals && text[at - 1].is_ascii_alphanumeric()
}

/// Past an apostrophe in the local part that opens a quotation closed right after the address: `b'jan@…'`.
fn after_quote(text: &[u8], start: usize, at: usize, end: usize) -> usize {
    match text[start..at].iter().rposition(|b| *b == b'\'') {
        Some(quote) if text.get(end) == Some(&b'\'') => start + quote + 1,
        _ => start,
    }
}

/// Where a quoted local part (`"jan kowalski"@…`, quotes possibly escaped) starts.
fn quoted_local(text: &[u8], at: usize, floor: usize) -> Option<usize> {
    let escaped = byte_before(text, at - 1, floor, b'\\');
    let close = at - 1 - usize::from(escaped);
    let lowest = floor.max(close.saturating_sub(64));
    let open = (lowest..close).rev().find(|&i| text[i] == b'"')?;
    let content = &text[open + 1..close];
    let start = if escaped && byte_before(text, open, floor, b'\\') { open - 1 } else { open };
    let free = char_before(text, start, floor).is_none_or(|c| " \t<,;:=([\"".contains(c));
    let person =
        content.iter().any(u8::is_ascii_alphanumeric) && !content.iter().any(|b| matches!(b, b'{' | b'}' | b'\n'));
    // `"key":"@example.com"`: the quotes belong to the carrier, between them stands a separator.
    let carrier = matches!(content.first(), None | Some(b':' | b',' | b'='));
    (free && person && !carrier).then_some(start)
}

/// Where the domain that starts at `from` ends; nothing unless it has two labels and a plausible last one.
fn domain(text: &[u8], from: usize) -> Option<usize> {
    match text.get(from)? {
        b'[' => return literal(text, from),
        byte if byte.is_ascii_alphanumeric() || *byte >= 0x80 => {}
        _ => return None,
    }
    let run_end = domain_run(text, from);
    let mut end = run_end;
    // The last label must be a word; trailing dots, dashes and numeric labels are punctuation or ports.
    loop {
        let dot = text[from..end].iter().rposition(|b| *b == b'.')? + from;
        let label = &text[dot + 1..end];
        if let Some(len) = top_label(label) {
            let end = dot + 1 + len;
            return (dot > from && !is_file_or_version(&text[from..end])).then_some(end);
        }
        end = dot;
    }
}

fn domain_run(text: &[u8], from: usize) -> usize {
    let limit = text.len().min(from + DOMAIN_MAX);
    let mut end = from;
    while end < limit {
        match text[end] {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' => end += 1,
            b'.' if text.get(end + 1) != Some(&b'.') => end += 1,
            0x80.. => match char_at(text, end) {
                Some((c, len)) if c.is_alphanumeric() || is_mark(c) => end += len,
                _ => break,
            },
            _ => break,
        }
    }
    steps::add(end - from);
    end
}

/// How much of a last label is a top-level domain: at least two letters, punycode, or any other script.
fn top_label(label: &[u8]) -> Option<usize> {
    if starts_with_fold(label, "xn--") {
        return Some(label.len());
    }
    let letters = label.iter().take_while(|b| b.is_ascii_alphabetic() || **b >= 0x80).count();
    (letters >= 2).then_some(letters)
}

/// `[192.0.2.1]` or `[IPv6:2001:db8::1]` in place of a domain.
fn literal(text: &[u8], open: usize) -> Option<usize> {
    let limit = text.len().min(open + 50);
    let close = (open + 1..limit).find(|&i| text[i] == b']')?;
    let inside = &text[open + 1..close];
    let address = inside.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':' | b'I' | b'P' | b'v'));
    (address && inside.len() >= 7 && inside.iter().any(|b| matches!(b, b'.' | b':'))).then_some(close + 1)
}

/// Whether a last label is a file or unit suffix and no top-level domain.
fn is_suffix(label: &[u8]) -> bool {
    const LONGEST: usize = 7;
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..label.len()) else { return false };
    lower.copy_from_slice(label);
    lower.make_ascii_lowercase();
    matches!(
        &*lower,
        b"png"
            | b"jpg"
            | b"jpeg"
            | b"gif"
            | b"svg"
            | b"webp"
            | b"ico"
            | b"css"
            | b"js"
            | b"jsx"
            | b"tsx"
            | b"json"
            | b"xml"
            | b"yaml"
            | b"yml"
            | b"toml"
            | b"html"
            | b"htm"
            | b"php"
            | b"log"
            | b"txt"
            | b"lock"
            | b"tgz"
            | b"gz"
            | b"jar"
            | b"war"
            | b"class"
            | b"dll"
            | b"exe"
            | b"conf"
            | b"service"
            | b"socket"
            | b"timer"
            | b"mount"
            | b"slice"
            | b"scope"
    )
}

/// `2x.png`, `1000.service`, `18.3.0-canary.abc`: what follows an at-sign in a file, unit or package name.
fn is_file_or_version(domain: &[u8]) -> bool {
    let mut labels = domain.split(|b| *b == b'.');
    let (first, second) = (labels.next().unwrap_or(&[]), labels.next().unwrap_or(&[]));
    let numeric = |label: &[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_digit);
    let last = domain.rsplit(|b| *b == b'.').next().unwrap_or(&[]);
    is_suffix(last) || (numeric(first) && second.first().is_some_and(u8::is_ascii_digit))
}

/// True for texts that have the form of an address and are none.
fn stays(text: &[u8], start: usize, at: usize, domain_end: usize, floor: usize) -> bool {
    let (name, host) = (&text[start..at], &text[at + 1..domain_end]);
    name == b"git"
        || is_object_identity(name, host)
        || super::userinfo::ends_password(text, at)
        || is_login_target(text, start, name, host, floor)
        || is_message_id(text, start, at, domain_end, floor)
}

/// `com.example.Task@1f32ab9c.run`: a class name, then eight or fewer hexadecimal digits.
fn is_object_identity(name: &[u8], host: &[u8]) -> bool {
    let label = host.split(|b| *b == b'.').next().unwrap_or(&[]);
    let hash = (5..=8).contains(&label.len())
        && label.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        && label.iter().any(u8::is_ascii_digit);
    let class = name.rsplit(|b| matches!(b, b'.' | b'$')).next().unwrap_or(&[]);
    hash && class.len() < name.len() && class.first().is_some_and(u8::is_ascii_uppercase)
}

/// Programs that log in to a machine.
const LOGIN_PROGRAMS: [&[u8]; 7] = [b"ssh", b"scp", b"sftp", b"mosh", b"kinit", b"ssh-copy-id", b"rsync"];

/// Accounts that stand for no person.
#[rustfmt::skip]
const ACCOUNTS: [&[u8]; 30] = [
    b"admin", b"airflow", b"ansible", b"app", b"azureuser", b"backup", b"bitnami", b"centos", b"ci", b"core", b"debian", b"deploy",
    b"deployer", b"ec2-user", b"fedora", b"jenkins", b"node", b"opc", b"ops", b"oracle", b"pi", b"postgres", b"rocky", b"root",
    b"runner", b"sync", b"ubuntu", b"user", b"vagrant", b"www-data",
];

/// `ssh deploy@web-1.internal`, `ssh -p 2222 root@web.example.com`: an account on a machine of the own network, or one
/// of the accounts that every machine has.
fn is_login_target(text: &[u8], start: usize, name: &[u8], host: &[u8], floor: usize) -> bool {
    const NETWORKS: [&[u8]; 6] = [b"internal", b"local", b"lan", b"localdomain", b"cluster", b"intranet"];
    let last = host.rsplit(|byte| *byte == b'.').next().unwrap_or(&[]);
    let (account, own) = (ACCOUNTS.contains(&name), NETWORKS.contains(&last));
    if account && own {
        return true;
    }
    (account || own)
        && byte_before(text, start, floor, b' ')
        && (LOGIN_PROGRAMS.contains(&previous_word(text, start, floor)) || account && follows_login(text, start, floor))
}

/// Whether the word at `start` is an argument of a program that logs in.
fn follows_login(text: &[u8], start: usize, floor: usize) -> bool {
    const REACH: usize = 96;
    let before = &text[floor.max(start.saturating_sub(REACH))..start];
    let command = before.iter().rposition(|byte| b";|&\n\"'`".contains(byte)).map_or(0, |at| at + 1);
    let mut words = before[command..].split(|byte| *byte == b' ');
    words.any(|word| LOGIN_PROGRAMS.contains(&word))
}

/// `message-id=<20260301.77.abc@mail.example.com>`: the header's name right before, a number inside.
fn is_message_id(text: &[u8], start: usize, at: usize, end: usize, floor: usize) -> bool {
    if !byte_before(text, start, floor, b'<') || text.get(end) != Some(&b'>') {
        return false;
    }
    let digits = text[start..at].iter().filter(|b| b.is_ascii_digit()).count();
    let header = previous_word(text, start, floor);
    digits >= 6
        && ["message-id", "message_id", "messageid", "msgid", "in-reply-to", "references", "resent-message-id"]
            .iter()
            .any(|name| ends_with_fold(header, name))
}

/// Where the run of glued addresses (`a@x.comb@y.com`) ends.
fn glued(text: &[u8], mut end: usize) -> usize {
    while text.get(end) == Some(&b'@') {
        let Some(next) = domain(text, end + 1) else { break };
        end = next;
    }
    end
}

/// Bounce addresses carry the recipient before an equals sign: `bounce+jan=example.com@lists.example.org`.
fn with_bounce_tag(text: &[u8], start: usize, at: usize, floor: usize) -> usize {
    if !byte_before(text, start, floor, b'=') || !text[start..at].contains(&b'.') {
        return start;
    }
    let run = local_run(text, start - 1, floor);
    let tag = &text[run..start - 1];
    let bounce =
        ["bounce", "return", "srs0", "prvs", "msprvs", "sentto"].iter().any(|word| starts_with_fold(tag, word));
    if bounce || tag.contains(&b'+') { run } else { start }
}
