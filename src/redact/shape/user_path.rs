//! `user-path`: the account name in a home directory's path, where it is not a well-known service account.

use super::ShapeHit;
use super::edge::char_before;
use crate::redact::validate::Verdict;

pub(super) const HOMES: &[&str] = &["/home/", "/Users/", "\\Users\\"];

/// Directories below a home that belong to no person.
#[rustfmt::skip]
const SHARED: [&str; 34] = [
    "public", "default", "shared", "all", "root", "ubuntu", "ec2-user", "centos", "debian", "admin", "administrator", "runner", "runneradmin",
    "vagrant", "node", "app", "deploy", "git", "jenkins", "gitlab-runner", "circleci", "vscode", "user", "users", "www", "www-data", "nginx",
    "postgres", "mysql", "hadoop", "spark", "airflow", "linuxbrew", "guest",
];

pub(super) fn find(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let home = HOMES.iter().find(|home| text[at..].starts_with(home.as_bytes()))?;
    // `https://host/home/page` is a page, not a home directory.
    if home.starts_with('/') && char_before(text, at, floor).is_some_and(|c| c.is_alphanumeric() || c == '.') {
        return None;
    }
    let mut start = at + home.len();
    start += text[start..].iter().take(4).take_while(|b| **b == b'\\').count();
    let len = text[start..].iter().take(65).take_while(|b| is_name(**b)).count();
    let mut end = start + len;
    while end > start && matches!(text[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let name = &text[start..end];
    let shared = SHARED.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    let person = (2..=64).contains(&name.len()) && name[0] != b'.' && name.iter().any(u8::is_ascii_alphabetic);
    (person && !shared).then(|| ShapeHit::new(start, end, Verdict::Proves))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'.' | b'_' | b'-')
}
