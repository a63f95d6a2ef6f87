//! `named-token`: a random token right behind the name of a service, `vercel: x9…`, `adzuna KEY=x9…`,
//! `find a vercel secret x9… within`, `datadog-secrettoken-00a2…`.
//!
//! Names of services stand on most lines of a workflow platform, so they start nothing: the shape is asked at
//! runs of token characters only, most of which are gone after one look at what they are made of, and reads
//! the few words before them. Ids with a type in front (`cus_…`), UUIDs and, behind a bare name, hexadecimal
//! digits (commits, containers, events) are left alone.

use super::ShapeHit;
use super::edge::ends_with_fold;
use super::services::{SERVICES, WITH_NOUN};
use crate::redact::carrier::kind::is_random;
use crate::redact::eight;
use crate::redact::validate::{Verdict, content};

/// Bytes before the token in which its name may stand.
const REACH: usize = 48;
/// A token shorter than this is an id, a version, a word.
const SHORTEST: usize = 16;
/// Longest name of a service, its words joined.
const LONGEST_NAME: usize = 24;
/// Shorter hexadecimal digits behind a bare name are ids of objects.
const HEX_KEY: usize = 32;
/// A longer run is data; it is not read to its end.
const LONGEST: usize = 512;

/// What the last word between name and token ends in.
const NOUNS: &[&str] =
    &["key", "token", "secret", "apikey", "pat", "auth", "credential", "credentials", "api", "crc", "klucz"];

/// Words that may stand before one of them.
const QUALIFIERS: &[&str] = &[
    "access",
    "account",
    "admin",
    "api",
    "app",
    "application",
    "auth",
    "bearer",
    "bot",
    "client",
    "consumer",
    "deploy",
    "dev",
    "ingest",
    "klucz",
    "license",
    "live",
    "oauth",
    "oauth2",
    "personal",
    "private",
    "prod",
    "rest",
    "sandbox",
    "secret",
    "server",
    "service",
    "signing",
    "test",
    "user",
    "webapi",
    "write",
    "ws",
];

/// The whole token, when what stands before it gives it away.
pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let limit = text.len().min(at + LONGEST);
    if let Some(hit) = glued(text, at, limit) {
        return Some(hit);
    }
    let start = token_start(text, at, floor);
    if start <= floor {
        return None;
    }
    // Most runs have another name: what they are made of is only looked at behind these.
    let (start, named) = match name_before(text, start, floor) {
        Some(named) => (start, named),
        None => {
            let start = pair_start(text, start, floor)?;
            (start, name_before(text, start, floor)?)
        }
    };
    let run = run_end(text, at, limit)?;
    let end = token_end(text, run, limit);
    let token = &text[start..end];
    if token.len() < SHORTEST || !has_both(token) {
        return None;
    }
    let fits = match named {
        Named::Noun => true,
        Named::Bare { sign } => {
            !is_typed(token) && !is_uuid(token) && (!is_hex(token) || sign && token.len() >= HEX_KEY)
        }
    };
    (fits && is_random(token)).then(|| ShapeHit { named: true, ..ShapeHit::new(start, end, Verdict::Proves) })
}

/// The end of the run that begins at `at`; nothing where it goes on as data.
fn run_end(text: &[u8], at: usize, limit: usize) -> Option<usize> {
    let run = at + text[at..limit].iter().take_while(|byte| is_token(**byte)).count();
    (run < limit || limit == text.len()).then_some(run)
}

/// The start of the token: further left than the run, which begins at signs that tokens may have inside.
fn token_start(text: &[u8], at: usize, floor: usize) -> usize {
    const MOST: usize = 64;
    let before = &text[floor.max(at.saturating_sub(MOST))..at];
    if !before.last().is_some_and(|byte| matches!(byte, b'.' | b'+' | b'/' | b'~')) {
        return at;
    }
    at - before.iter().rev().take_while(|byte| is_token(**byte) || b".+/~".contains(byte)).count()
}

/// The start of the id that stands before the token and a colon, `ably key zOPYQj.HR1yvs:26ie…`: not a word.
fn pair_start(text: &[u8], start: usize, floor: usize) -> Option<usize> {
    const MOST: usize = 80;
    let colon = start.checked_sub(1).filter(|colon| *colon > floor && text[*colon] == b':')?;
    let before = &text[floor.max(colon.saturating_sub(MOST))..colon];
    let length = before.iter().rev().take_while(|byte| is_token(**byte) || b".+/~".contains(byte)).count();
    let id = &before[before.len() - length..];
    (length >= 8 && id.iter().any(u8::is_ascii_digit) && id.iter().any(u8::is_ascii_uppercase)).then(|| colon - length)
}

/// How the token is named.
enum Named {
    /// By a service and a noun: `vercel token`; or by `secret`.
    Noun,
    /// By a service alone; whether a sign of assignment stands between.
    Bare {
        /// One does.
        sign: bool,
    },
}

fn name_before(text: &[u8], at: usize, floor: usize) -> Option<Named> {
    let lowest = floor.max(at.saturating_sub(REACH));
    let before = &text[lowest..at];
    let is_sign = |byte: u8| {
        matches!(
            byte,
            b' ' | b'\t' | b':' | b'=' | b'"' | b'\'' | b'`' | b'\\' | b'|' | b'>' | b'(' | b'{' | b',' | b'?'
        )
    };
    let mut signs = 0;
    while signs < before.len().min(6) && is_sign(before[before.len() - 1 - signs]) {
        signs += 1;
    }
    if signs == 0 {
        return None;
    }
    let (name, between) = before.split_at(before.len() - signs);
    let sign = between.iter().any(|byte| matches!(byte, b':' | b'=' | b'|' | b'>'));
    // `vercel key is x9…`
    let name = name.strip_suffix(b" is").unwrap_or(name);
    let (last, rest) = last_word(name)?;
    if is_listed(last, rest, &[SERVICES]) {
        return Some(Named::Bare { sign });
    }
    // `new MailgunClient("x9…")`
    if between.contains(&b'(') && ends_with_fold(last, "client") {
        let stem = &last[..last.len() - "client".len()];
        return is_name(b"", stem, &[SERVICES]).then_some(Named::Bare { sign: true });
    }
    if is_account(last) {
        return Some(Named::Noun);
    }
    // All of them end in one of these letters.
    if !matches!(last.last()? | 0x20, b'y' | b'n' | b't' | b'h' | b'l' | b's' | b'i' | b'c' | b'z')
        || !NOUNS.iter().any(|noun| ends_with_fold(last, noun))
    {
        return None;
    }
    if ends_with_fold(last, "secret") {
        return Some(Named::Noun);
    }
    let mut words = without_possessive(rest);
    for _ in 0..3 {
        let (word, rest) = last_word(words)?;
        if is_listed(word, rest, &[SERVICES, WITH_NOUN]) {
            return Some(Named::Noun);
        }
        if !QUALIFIERS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes())) {
            return None;
        }
        words = rest;
    }
    None
}

/// The word that ends `text`, and what stands before it; one separator may follow it.
fn last_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let joint = text.last().is_some_and(|byte| matches!(byte, b' ' | b'_' | b'-' | b'.'));
    let text = &text[..text.len() - usize::from(joint)];
    let mut start = text.len();
    while start > 0 && text[start - 1].is_ascii_alphanumeric() {
        start -= 1;
    }
    (text.len() - start >= 2).then(|| (&text[start..], &text[..start]))
}

/// `vercel's key`: the name without what makes it an owner.
fn without_possessive(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"'s ").unwrap_or(text)
}

/// An account id of Twilio or a key id of AWS, right before the secret that belongs to it.
fn is_account(word: &[u8]) -> bool {
    let twilio = word.len() == 34 && matches!(&word[..2], b"AC" | b"SK") && is_hex(&word[2..]);
    let aws = word.len() == 20
        && matches!(&word[..4], b"AKIA" | b"ASIA")
        && word.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    twilio || aws
}

/// By the first two letters, and by the first and the last: which lengths names of services have, one bit each. Most
/// words are told by that.
static LENGTHS: [[[u32; 26]; 26]; 2] = {
    let (mut lengths, mut list) = ([[[0; 26]; 26]; 2], 0);
    while list < 2 {
        let (names, mut at) = ([SERVICES, WITH_NOUN][list], 0);
        while at < names.len() {
            let name = names[at].as_bytes();
            let ends = [name[0], name[1], name[name.len() - 1]];
            if ends[0].is_ascii_lowercase() && ends[1].is_ascii_lowercase() && ends[2].is_ascii_lowercase() {
                let [first, second, last] = [ends[0] - b'a', ends[1] - b'a', ends[2] - b'a'];
                lengths[0][first as usize][second as usize] |= 1 << name.len();
                lengths[1][first as usize][last as usize] |= 1 << name.len();
            }
            at += 1;
        }
        list += 1;
    }
    lengths
};

/// Whether a service may have a name of this length with these small letters first, second and last.
fn may_be_listed(ends: [u8; 3], length: usize) -> bool {
    let [first, second, last] = ends;
    let place = |letter: u8| usize::from(letter - b'a');
    let first = place(first);
    LENGTHS[0][first][place(second)] & LENGTHS[1][first][place(last)] & 1 << length != 0
}

/// Whether a word, alone or with the one before it (`new relic`), is the name of a service.
fn is_listed(word: &[u8], before: &[u8], lists: &[&[&str]]) -> bool {
    is_name(b"", word, lists) || last_word(before).is_some_and(|(first, _)| is_name(first, word, lists))
}

/// Whether the two words together are a name of the lists.
fn is_name(first: &[u8], second: &[u8], lists: &[&[&str]]) -> bool {
    let length = first.len() + second.len();
    if !(2..=LONGEST_NAME).contains(&length) {
        return false;
    }
    let byte = |at: usize| if at < first.len() { first[at] } else { second[at - first.len()] }.to_ascii_lowercase();
    let ends = [byte(0), byte(1), byte(length - 1)];
    let letters = ends[0].is_ascii_lowercase() && ends[1].is_ascii_lowercase() && ends[2].is_ascii_lowercase();
    if letters && !may_be_listed(ends, length) {
        return false;
    }
    let mut name = [0; LONGEST_NAME];
    (0..length).for_each(|at| name[at] = byte(at));
    let known = |service: &&str| service.as_bytes().cmp(&name[..length]);
    lists.iter().any(|list| list.binary_search_by(known).is_ok())
}

/// `datadog-secrettoken-00a2…`: a run whose last part is the token and whose part before names it.
fn glued(text: &[u8], at: usize, limit: usize) -> Option<ShapeHit> {
    const LEAST: usize = 24;
    /// Bytes that the part before may have.
    const NAMING: usize = 64;
    const NAMES: [&str; 8] =
        ["token", "secret", "apikey", "api_key", "api-key", "secretkey", "secret_key", "secret-key"];
    let head = &text[at..limit.min(at + NAMING)];
    // All of them end in one of these letters, which no digit of an id is.
    let named = |dash: usize| {
        dash > 0
            && matches!(head[dash - 1] | 0x20, b'n' | b't' | b'y')
            && NAMES.iter().any(|name| dash > name.len() && ends_with_fold(&head[..dash], name))
    };
    let start = at + eight::find(head, b'-', named)? + 1;
    let token = text.get(start..run_end(text, at, limit)?)?;
    (token.len() >= LEAST && has_both(token) && is_random(token))
        .then(|| ShapeHit { named: true, ..ShapeHit::new(start, start + token.len(), Verdict::Proves) })
}

/// The end of the token: further than the run, which ends at signs that tokens may have inside.
fn token_end(text: &[u8], run: usize, limit: usize) -> usize {
    let more = text[run..limit].iter().take_while(|byte| is_token(**byte) || b".+/=~:".contains(byte)).count();
    let end = run + more;
    end - text[run..end].iter().rev().take_while(|byte| b".:/~".contains(byte)).count()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn has_both(token: &[u8]) -> bool {
    token.iter().any(u8::is_ascii_digit) && token.iter().any(u8::is_ascii_alphabetic)
}

fn is_hex(token: &[u8]) -> bool {
    token.iter().all(u8::is_ascii_hexdigit)
}

fn is_uuid(token: &[u8]) -> bool {
    content::uuid(token) != Verdict::Refutes
}

/// `cus_9s6XKzkNRiz8i3`, `SM8f14…`: an id that says what it is the id of. Keys say that they are one.
fn is_typed(token: &[u8]) -> bool {
    const KEYS: [&[u8]; 10] = [b"live", b"test", b"sk", b"pk", b"rk", b"key", b"api", b"secret", b"token", b"pat"];
    let letters = token.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let prefix = (2..=12).contains(&letters)
        && matches!(token.get(letters), Some(b'_' | b'-'))
        && !KEYS.contains(&&token[..letters]);
    let capitals = token.len() == 34 && token[..2].iter().all(u8::is_ascii_uppercase) && is_hex(&token[2..]);
    // Records, bases, tables, fields and views of Airtable.
    let airtable =
        token.len() == 17 && [b"rec", b"app", b"tbl", b"fld", b"viw"].contains(&&[token[0], token[1], token[2]]);
    prefix || capitals || airtable
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::shape::by_name;

    fn found(text: &str) -> Option<String> {
        let shape = by_name("named-token").unwrap();
        let bytes = text.as_bytes();
        let starts = (0..bytes.len()).filter(|at| {
            is_token(bytes[*at])
                && (*at == 0 || !is_token(bytes[at - 1]))
                && bytes[*at..].iter().take_while(|byte| is_token(**byte)).count() >= SHORTEST
        });
        let hit = starts.filter_map(|at| (shape.find)(bytes, at, 0)).next()?;
        Some(text[hit.span.start as usize..hit.span.end as usize].to_owned())
    }

    const HEX: &str = "8f14e45fceea167a5a36dedd4bea2543";
    const MIXED: &str = "q7zx9lm2vt4kd8rw1bt5n3hp";

    #[test]
    fn lists_are_sorted_and_fit() {
        for list in [SERVICES, WITH_NOUN] {
            assert!(list.is_sorted());
            assert!(list.iter().all(|name| (2..=24).contains(&name.len())));
        }
        assert!(WITH_NOUN.iter().all(|name| SERVICES.binary_search(name).is_err()));
    }

    #[test]
    fn names_of_services_and_nouns_give_tokens_away() {
        for before in [
            "vercel ",
            "vercel: ",
            "\"vercel\": \"",
            "# vercel ",
            "adzuna KEY=",
            "new relic = '",
            "github api token ",
            "a foo secret ",
            "vercel's key is ",
            "adzuna api key is: ",
            "MailgunClient(\"",
            "resend token ?= ",
        ] {
            assert_eq!(found(&format!("{before}{MIXED}")).as_deref(), Some(MIXED), "{before}");
        }
        for before in [
            "AC0123456789abcdef0123456789abcdef:",
            "datadog: ",
            "adzuna KEY=",
            "You can find a foo secret ",
            "github key ",
            "datadog-secrettoken-",
        ] {
            assert_eq!(found(&format!("{before}{HEX}")).as_deref(), Some(HEX), "{before}");
        }
    }

    #[test]
    fn an_id_and_a_secret_are_one_token() {
        let pair = format!("zOPYQj.HR1yvs:{MIXED}");
        for before in ["ably key ", "ably: ", "lepton token="] {
            assert_eq!(found(&format!("{before}{pair}")).as_deref(), Some(&*pair), "{before}");
        }
        for text in [format!("ably channel users:{MIXED}"), format!("stripe event 2026-03-01T10:{MIXED}")] {
            assert_eq!(found(&text), None, "{text}");
        }
    }

    #[test]
    fn ids_hashes_and_other_names_stay() {
        let uuid = "3f2a9c1e-7b6d-4e5f-8a9b-0c1d2e3f4a5b";
        for text in [
            format!("github {HEX}"),
            format!("docker: {HEX}"),
            format!("datadog {HEX}"),
            format!("shopify order {MIXED}"),
            format!("connector shopify {uuid} started"),
            format!("slack: {uuid}"),
            format!("stripe cus_{MIXED}"),
            format!("twilio SM{HEX}"),
            "airtable: recA1b2C3d4E5f6G7".to_owned(),
            "trello: 5f2c9a1b7d3e4f60a1b2c3d4".to_owned(),
            format!("Client(\"{MIXED}"),
            format!("trace {HEX} of datadog"),
            format!("cache-key-{HEX}"),
            format!("sort key {HEX}"),
            format!("kafka key {HEX} and page cursor token {HEX}"),
            "stripe exports/2026/part-0001.parquet".to_owned(),
            "vercel deployment-preview-2026-03-01".to_owned(),
        ] {
            assert_eq!(found(&text), None, "{text}");
        }
    }
}
