//! Times: ISO 8601 and its relatives, RFC 3164, the common log format, Apache's error log, Unix epochs in
//! seconds to nanoseconds. All results are Unix milliseconds.

/// First time taken for one, 2000-01-01.
pub(super) const FIRST: i64 = 946_684_800_000;
/// First time no longer taken for one, 2100-01-01.
pub(super) const LAST: i64 = 4_102_444_800_000;

const DAY: i64 = 86_400_000;
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// The time a key's value is: a date or an epoch.
pub(super) fn of_value(value: &[u8], offset: i32) -> Option<i64> {
    epoch(value).or_else(|| iso(value, offset).map(|(time, _)| time))
}

/// A time at the start of a line, behind an optional bracket or RFC 5424 version.
pub(super) fn at_start(text: &[u8], now: i64, offset: i32) -> Option<i64> {
    let text = text.strip_prefix(b"1 ").unwrap_or(text);
    let text = text.strip_prefix(b"[").unwrap_or(text);
    match text.first()? {
        b'0'..=b'9' => iso(text, offset).map(|(time, _)| time).or_else(|| leading_epoch(text)),
        b'A'..=b'Z' => rfc3164(text, now, offset).or_else(|| apache_error(text, offset)),
        _ => None,
    }
}

/// A time of the common log format, `[10/Oct/2025:13:55:36 -0700]`, in one of the first brackets.
pub(super) fn in_brackets(text: &[u8]) -> Option<i64> {
    memchr::memchr_iter(b'[', text).take(4).find_map(|at| clf(&text[at + 1..]))
}

/// `YYYY-MM-DD` or `YYYY/MM/DD`, `T` or space, `HH:MM:SS`, an optional fraction, an optional zone; the time
/// and the length read.
fn iso(text: &[u8], offset: i32) -> Option<(i64, usize)> {
    let year = number(text, 0, 4)?;
    let month = number(text, 5, 2)?;
    let day = number(text, 8, 2)?;
    let dashes = (text[4], text[7]);
    if !matches!(dashes, (b'-', b'-') | (b'/', b'/')) || !matches!(text.get(10)?, b'T' | b't' | b' ' | b':') {
        return None;
    }
    let (clock, mut at) = clock(text, 11)?;
    let time = date(year, month, day)? + clock;
    let zone_at = at + usize::from(text.get(at) == Some(&b' '));
    let zone = match zone(&text[zone_at.min(text.len())..]) {
        Some((zone, len)) => {
            at = zone_at + len;
            zone
        }
        None => i64::from(offset) * 1000,
    };
    within(time - zone).map(|time| (time, at))
}

/// `Mmm dd HH:MM:SS`, the day padded by a space; the year is the one that brings it nearest to `now`.
fn rfc3164(text: &[u8], now: i64, offset: i32) -> Option<i64> {
    let month = month(text)?;
    if text.get(3) != Some(&b' ') || text.get(6) != Some(&b' ') {
        return None;
    }
    let day = if text[4] == b' ' { number(text, 5, 1)? } else { number(text, 4, 2)? };
    let (clock, _) = clock(text, 7)?;
    let this_year = year_of(now);
    let near = |year| Some(date(year, month, day)? + clock - i64::from(offset) * 1000);
    [this_year - 1, this_year, this_year + 1]
        .into_iter()
        .filter_map(near)
        .min_by_key(|time| time.abs_diff(now))
        .and_then(within)
}

/// `Www Mmm dd HH:MM:SS[.fraction] YYYY`.
fn apache_error(text: &[u8], offset: i32) -> Option<i64> {
    let rest = text.get(4..).filter(|_| text[3] == b' ')?;
    let month = month(rest)?;
    let day = number(rest, 4, 2)?;
    let (clock, at) = clock(rest, 7)?;
    let year = number(rest, at + 1, 4)?;
    within(date(year, month, day)? + clock - i64::from(offset) * 1000)
}

/// `dd/Mmm/YYYY:HH:MM:SS ±HHMM`.
fn clf(text: &[u8]) -> Option<i64> {
    let day = number(text, 0, 2)?;
    let month = month(text.get(3..)?)?;
    let year = number(text, 7, 4)?;
    if (text[2], text[6], *text.get(11)?) != (b'/', b'/', b':') {
        return None;
    }
    let (clock, at) = clock(text, 12)?;
    let (zone, _) = zone(text.get(at + 1..)?)?;
    within(date(year, month, day)? + clock - zone)
}

/// A whole value of 9 to 19 digits, perhaps with a fraction of seconds; the length tells the unit.
fn epoch(value: &[u8]) -> Option<i64> {
    let whole = value.iter().position(|b| !b.is_ascii_digit()).unwrap_or(value.len());
    let (digits, fraction) = value.split_at(whole);
    let n = digits.iter().take(19).fold(0i64, |n, &b| n.wrapping_mul(10).wrapping_add(i64::from(b - b'0')));
    let time = match (digits.len(), fraction) {
        (9..=10, []) => n * 1000,
        (9..=10, [b'.', fraction @ ..]) if fraction.iter().all(u8::is_ascii_digit) => n * 1000 + millis(fraction),
        (12..=13, []) => n,
        (15..=16, []) => n / 1000,
        (18..=19, []) => n / 1_000_000,
        _ => return None,
    };
    within(time)
}

fn leading_epoch(text: &[u8]) -> Option<i64> {
    let end = text.iter().take(24).position(|b| !(b.is_ascii_digit() || *b == b'.'))?;
    epoch(&text[..end]).filter(|_| matches!(text[end], b' ' | b'\t' | b']'))
}

/// `HH:MM:SS` at `at` with an optional fraction behind a dot or comma: milliseconds of the day and the end.
fn clock(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let (h, m, s) = (number(text, at, 2)?, number(text, at + 3, 2)?, number(text, at + 6, 2)?);
    if text[at + 2] != b':' || text[at + 5] != b':' || h > 23 || m > 59 || s > 60 {
        return None;
    }
    let end = at + 8;
    let fraction = match text.get(end) {
        Some(b'.' | b',') => text[end + 1..].iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len() - end - 1),
        _ => 0,
    };
    let time = ((h * 60 + m) * 60 + s) * 1000;
    match fraction {
        0 => Some((time, end)),
        n => Some((time + millis(&text[end + 1..end + 1 + n]), end + 1 + n)),
    }
}

/// `Z`, `UTC`, `±HH:MM`, `±HHMM` or `±HH`: milliseconds east and the length.
fn zone(text: &[u8]) -> Option<(i64, usize)> {
    let sign = match text.first()? {
        b'Z' | b'z' => return Some((0, 1)),
        b'U' if text.starts_with(b"UTC") => return Some((0, 3)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(text, 1, 2)?;
    let colon = usize::from(text.get(3) == Some(&b':'));
    let (minutes, len) = match number(text, 3 + colon, 2) {
        Some(minutes) => (minutes, 5 + colon),
        None => (0, 3),
    };
    (hours < 24 && minutes < 60).then_some((sign * (hours * 60 + minutes) * 60_000, len))
}

fn millis(fraction: &[u8]) -> i64 {
    (0..3).fold(0, |n, i| n * 10 + fraction.get(i).map_or(0, |&b| i64::from(b - b'0')))
}

fn number(text: &[u8], at: usize, len: usize) -> Option<i64> {
    let digits = text.get(at..at + len)?;
    digits.iter().try_fold(0, |n, &b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

fn month(text: &[u8]) -> Option<i64> {
    let name = text.get(..3)?;
    MONTHS.chunks(3).position(|month| month == name).map(|at| at as i64 + 1)
}

/// Midnight of a day of the Gregorian calendar, days counted by eras of 400 years.
fn date(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let longest = *longest.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=longest).contains(&day) {
        return None;
    }
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let days = of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1;
    Some((era * 146_097 + days - 719_468) * DAY)
}

fn year_of(time: i64) -> i64 {
    let guess = 1970 + time / (365 * DAY + DAY / 4);
    match date(guess, 1, 1) {
        Some(start) if start > time => guess - 1,
        _ => match date(guess + 1, 1, 1) {
            Some(next) if next <= time => guess + 1,
            _ => guess,
        },
    }
}

fn within(time: i64) -> Option<i64> {
    (FIRST..LAST).contains(&time).then_some(time)
}
