//! A small rule set, a slow obvious prefilter and an obvious mask step, for tests and fuzzing.

use super::*;
use crate::redact::rule::RuleIndex;
use std::ops::Range;

/// A key rule for `keys` that is otherwise as `find`.
fn rule(keys: &[&str], find: KeyFind) -> KeyFind {
    KeyFind { key: keys.iter().map(|key| (*key).to_owned()).collect(), ..find }
}

/// A small set of key rules, enough for every carrier.
pub(super) fn table() -> KeyTable {
    let of = |value| KeyFind { value, ..KeyFind::default() };
    let spoken = KeyFind { prose: true, ..KeyFind::default() };
    let secrets = KeyFind {
        not: ["page token", "public key", "unexpected token"].map(String::from).to_vec(),
        ..KeyFind::default()
    };
    let in_query = KeyFind { place: Place::Query, ..KeyFind::default() };
    let rules = [
        rule(&["password", "passwd", "passphrase", "pass", "pw", "pwd", "hasło"], spoken),
        rule(
            &[
                "secret",
                "token",
                "access token",
                "api key",
                "apikey",
                "client secret",
                "credentials",
                "secret key",
                "app key",
                "account key",
                "secret access key",
                "secret key base",
                "string data",
                "consumer key",
                "consumer secret",
                "auth token",
                "signature",
            ],
            secrets,
        ),
        rule(&["authorization", "proxy authorization"], of(ValueKind::Authorization)),
        rule(&["cookie", "cookies"], of(ValueKind::Cookie)),
        rule(&["set cookie"], of(ValueKind::SetCookie)),
        rule(&["auth", "sid"], of(ValueKind::Opaque)),
        rule(&["code"], in_query),
        rule(&["bearer"], of(ValueKind::Scheme)),
        rule(&["basic", "auth plain"], of(ValueKind::Basic)),
        rule(&["baselinker"], of(ValueKind::Vendor)),
        rule(&["private key"], of(ValueKind::Any)),
        rule(&["curl", "mysql", "sshpass", "ldapsearch", "redis cli", "docker login"], of(ValueKind::Command)),
        rule(&["pin", "cvv", "kod"], of(ValueKind::Code)),
        rule(&["pesel", "nip", "regon", "card number"], of(ValueKind::Digits)),
        rule(&["first name", "last name", "nazwisko", "imię", "company"], of(ValueKind::Text)),
        rule(&["date of birth"], of(ValueKind::Date)),
        rule(&["lat", "lon"], of(ValueKind::Number)),
    ];
    KeyTable::compile(rules.iter().enumerate().map(|(at, rule)| (RuleIndex(at as u16), rule))).unwrap()
}

/// Every hit of every literal, as the prefilter would report them.
pub(super) fn hits(table: &KeyTable, text: &[u8]) -> Vec<WordHit> {
    let folded = text.to_ascii_lowercase();
    let mut hits = Vec::new();
    for (literal, word) in table.literals() {
        for at in memchr::memmem::find_iter(&folded, literal) {
            hits.push(WordHit { start: at as u32, end: (at + literal.len()) as u32, word });
        }
    }
    hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
    hits
}

/// The union of all claims on one record.
#[cfg(test)]
pub(super) fn claimed(text: &[u8]) -> Vec<Range<usize>> {
    let table = table();
    let mut cursor = KeyCursor::default();
    let mut out = Vec::new();
    cursor.begin(0..text.len());
    for hit in hits(&table, text) {
        find(text, hit, &table, &mut cursor, &mut out);
    }
    union(&out)
}

/// Claims in order, overlapping ones joined.
pub(super) fn union(findings: &[Finding]) -> Vec<Range<usize>> {
    let mut spans: Vec<_> = findings.iter().map(|f| f.span.start as usize..f.span.end as usize).collect();
    spans.sort_by_key(|span| (span.start, span.end));
    let mut union: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match union.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => union.push(span),
        }
    }
    union
}

/// The record with a label in place of every claim; in quotes where a bare JSON value stood.
pub(super) fn masked(text: &[u8], findings: &[Finding]) -> Vec<u8> {
    let mut masked = Vec::new();
    let mut at = 0;
    let mut in_string = false;
    for span in union(findings) {
        let kept = &text[at..span.start];
        masked.extend_from_slice(kept);
        let mut escaped = false;
        for byte in kept {
            in_string ^= *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
        }
        masked.extend_from_slice(if in_string { b"[secret]" } else { b"\"[secret]\"" });
        at = span.end;
    }
    masked.extend_from_slice(&text[at..]);
    masked
}
