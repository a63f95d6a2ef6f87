//! Coordinates, and addresses hidden in host names: `geo-coordinates` (`geo:` links, pairs of decimals),
//! `ip-hostname` (`ip-10-0-12-34…`).

use super::ShapeHit;
use super::edge::{digit_at, starts_with_fold, word_after, word_before};
use super::groups::free_left;
use crate::redact::validate::{Verdict, content};

pub(super) const HOST_PREFIXES: &[&str] =
    &["ip-1", "ip-2", "ip-3", "ip-4", "ip-5", "ip-6", "ip-7", "ip-8", "ip-9", "ec2-"];

/// `ip-hostname`: the four octets after `ip-` or `ec2-`.
pub(super) fn ip_hostname(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    let start = at + text[at..].iter().take(4).position(|b| *b == b'-')? + 1;
    if word_before(text, at, floor) {
        return None;
    }
    let mut end = start;
    for i in 0..4 {
        if i > 0 {
            end += usize::from(text.get(end) == Some(&b'-'));
        }
        let digits = text[end..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        let value = text[end..end + digits].iter().fold(0u32, |n, b| n * 10 + u32::from(b - b'0'));
        if !(1..=3).contains(&digits) || value > 255 || (i < 3 && text.get(end + digits) != Some(&b'-')) {
            return None;
        }
        end += digits;
    }
    (!word_after(text, end) && text.get(end) != Some(&b'-')).then(|| ShapeHit::new(start, end, Verdict::Proves))
}

/// `geo-coordinates`: after `geo:` proven, as a bare pair `50.06143, 19.93658` silent.
pub(super) fn coordinates(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if starts_with_fold(&text[at..], "geo:") {
        if word_before(text, at, floor) {
            return None;
        }
        return pair(text, at + 4).map(|end| ShapeHit::new(at + 4, end, Verdict::Proves));
    }
    if !digit_at(text, at) || !free_left(text, at, floor) {
        return None;
    }
    let start = at - usize::from(at > floor && text[at - 1] == b'-');
    pair(text, start).map(|end| ShapeHit::new(start, end, Verdict::Silent))
}

/// End of two decimal degrees joined by a comma, semicolon or space.
fn pair(text: &[u8], start: usize) -> Option<usize> {
    let first = start + degree_len(text, start)?;
    let mut second = first + usize::from(matches!(text.get(first), Some(b',' | b';')));
    second += usize::from(text.get(second) == Some(&b' '));
    let end = second + degree_len(text, second)?;
    (second > first && !word_after(text, end)).then_some(end)
}

fn degree_len(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let sign = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
    let len = sign + rest[sign..].iter().take(22).take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    (content::degree(&rest[..len]) == Verdict::Silent).then_some(len)
}
