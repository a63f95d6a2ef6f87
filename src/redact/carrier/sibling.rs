//! Names that are values: `{"name":"Authorization","value":"…"}`, `<add key="Password" value="…"/>`, flat
//! lists `["X-Api-Key","…"]`, pairs `("password","…")`.

use super::bare::Style;
use super::carry::Open;
use super::kind;
use super::lines;
use super::member;
use super::quoted;
use super::reader::Reader;
use super::scope::Scope;
use super::value;

/// Members whose value names what a sibling holds.
const NAMING: &[&str] = &[
    "attribute",
    "envname",
    "field",
    "fieldname",
    "header",
    "headername",
    "k",
    "key",
    "keyname",
    "n",
    "name",
    "option",
    "param",
    "parameter",
    "parametername",
    "paramname",
    "path",
    "pointer",
    "property",
    "setting",
    "var",
    "variable",
    "variablename",
];

/// Members that say what kind of thing the object is.
const TYPING: &[&str] = &["id", "label", "title", "type"];

/// Siblings looked at on either side.
const REACH: usize = 12;

/// Reads the siblings of the member whose value is the key's name: the value begins at `open` and ends at
/// `after`. False when it is no such member.
pub(crate) fn siblings(reader: &mut Reader<'_>, scope: Scope<'_>, open: usize, after: usize) -> bool {
    let Some(naming) = member::owner(scope, open) else { return false };
    let wanted: &[&str] = if member::is_one_of(scope, &naming.name, NAMING) {
        member::VALUES
    } else if member::is_one_of(scope, &naming.name, TYPING) {
        &["value", "val", "newvalue", "oldvalue"]
    } else if member::is_one_of(scope, &naming.name, &["kind"]) {
        &["data", "stringdata"]
    } else if let Some(labelled) = labelled(scope, &naming.name) {
        return around(reader, scope, after, naming.start, &[labelled]);
    } else {
        return false;
    };
    around(reader, scope, after, naming.start, wanted)
}

/// `variable "db_password" { default = "x" }`: reads the values of the block that the name at `open..after` labels.
pub(crate) fn block(reader: &mut Reader<'_>, scope: Scope<'_>, open: usize, after: usize) -> bool {
    let kind = scope.back_over_space(open);
    let labels = kind > scope.floor && kind < open && scope.text[kind - 1].is_ascii_lowercase();
    let brace = scope.skip_blank(after);
    if !labels || brace == after || scope.byte(brace) != Some(b'{') {
        return false;
    }
    let first = scope.skip_space(brace + 1);
    let Some(member) = member::at_start(scope, first) else {
        if first >= scope.limit {
            lines::leave_open(reader, scope, first, Open::Sibling);
        }
        return true;
    };
    if member::is_one_of(scope, &member.name, member::VALUES) {
        value::read(reader, scope, member.value, style_of(member.quoted));
    }
    forwards(reader, scope, member::value_end(scope, member.value), member::VALUES);
    true
}

/// The quotes of `"/user/password"`, of which the key is the last part; the key's own bounds when it is none.
pub(crate) fn pointer(scope: Scope<'_>, start: usize, at: usize) -> (usize, usize) {
    const LONGEST: usize = 64;
    let before = &scope.text[scope.floor..start];
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"/_-.".contains(byte);
    let path = before.iter().rev().take(LONGEST).take_while(part).count();
    let first = start - path;
    let quotes = scope.backslashes(at);
    let closes = matches!(scope.byte(at + quotes), Some(b'"' | b'\''));
    let opens = first > scope.floor && matches!(scope.text[first - 1], b'"' | b'\'');
    if path == 0 || scope.text[first] != b'/' || !opens || !closes {
        return (start, at);
    }
    (first - 1 - scope.backslashes_before(first - 1, scope.floor), at + quotes + 1)
}

fn around(reader: &mut Reader<'_>, scope: Scope<'_>, after: usize, start: usize, wanted: &[&str]) -> bool {
    forwards(reader, scope, after, wanted);
    backwards(reader, scope, start, wanted);
    true
}

/// `cs1` of `cs1Label`: the member that holds what the label names.
fn labelled<'t>(scope: Scope<'t>, name: &std::ops::Range<usize>) -> Option<&'t str> {
    let name = std::str::from_utf8(&scope.text[name.clone()]).ok()?;
    let stem = name.strip_suffix("Label").or(name.strip_suffix("Name"))?;
    stem.ends_with(|last: char| last.is_ascii_digit()).then_some(stem)
}

fn forwards(reader: &mut Reader<'_>, scope: Scope<'_>, after: usize, wanted: &[&str]) {
    let mut at = after;
    for _ in 0..REACH {
        let Some(next) = member::next(scope, at) else { break };
        let end = member::value_end(scope, next.value);
        if !reader.paid(at, end) {
            return;
        }
        if member::is_one_of(scope, &next.name, wanted) {
            value::read(reader, scope, next.value, style_of(next.quoted));
        }
        at = end;
    }
    let rest = scope.text[at.min(scope.limit)..scope.limit].iter();
    if rest.take(8).all(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b';')) {
        lines::leave_open(reader, scope, at, Open::Sibling);
    }
    // `<property name="password">x</property>`
    if scope.byte(at) == Some(b'>') && scope.text[scope.floor..at].last() != Some(&b'/') {
        super::markup::content(reader, scope, at + 1);
    }
}

fn backwards(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize, wanted: &[&str]) {
    let mut at = start;
    for _ in 0..REACH {
        let Some(previous) = member::previous(scope, at) else { return };
        if !reader.paid(previous.start, at) {
            return;
        }
        if member::is_one_of(scope, &previous.name, wanted) {
            value::read(reader, scope, previous.value, style_of(previous.quoted));
        }
        at = previous.start;
    }
}

fn style_of(quoted: bool) -> Style {
    Style { member: quoted, ..Style::default() }
}

/// Members whose value names a vendor.
const VENDORS: &[&str] = &[
    "app",
    "channel",
    "connector",
    "integration",
    "integrationtype",
    "marketplace",
    "name",
    "platform",
    "provider",
    "service",
    "source",
    "system",
    "type",
    "vendor",
];

/// Reads the settings beside a vendor's name: `{"integration":"baselinker","config":{"value":"…"}}`.
pub(crate) fn vendor(reader: &mut Reader<'_>, scope: Scope<'_>, open: usize, after: usize) -> bool {
    let Some(naming) = member::owner(scope, open) else { return false };
    if !member::is_one_of(scope, &naming.name, VENDORS) {
        return false;
    }
    let mut at = after;
    for _ in 0..REACH {
        let Some(next) = member::next(scope, at) else { break };
        at = setting(reader, scope, &next);
    }
    let mut at = naming.start;
    for _ in 0..REACH {
        let Some(previous) = member::previous(scope, at) else { break };
        setting(reader, scope, &previous);
        at = previous.start;
    }
    true
}

/// Reads a member if it is a container, or named as a value; returns its end.
fn setting(reader: &mut Reader<'_>, scope: Scope<'_>, member: &member::Member) -> usize {
    let end = member::value_end(scope, member.value);
    let from = scope.skip_space(member.value);
    let container = matches!(scope.byte(from), Some(b'{' | b'['));
    // The second secret of Polish payment services is called a checksum.
    let wanted = container
        || member::is_one_of(scope, &member.name, member::VALUES)
        || member::is_one_of(scope, &member.name, &["crc"]);
    if reader.paid(member.start, end) && wanted {
        value::read(reader, scope, member.value, style_of(member.quoted));
    }
    end
}

/// Reads the item behind the name in `{password,<<"x">>}` and `s:8:"password";s:1:"x"`: the name ends at `after`.
pub(crate) fn paired(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize, after: usize) -> bool {
    let tuple = start > scope.floor && scope.text[start - 1] == b'{' && scope.byte(after) == Some(b',');
    let from = if tuple {
        let item = scope.skip_blank(after + 1);
        item + if scope.has(item, b"<<") { 2 } else { 0 }
    } else if scope.has(after, b";s:") {
        let digits = scope.text[after + 3..scope.limit].iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
        after + 4 + digits
    } else {
        return false;
    };
    let quoted = quoted::open(scope, from).is_some();
    if quoted {
        value::read(reader, scope, from, Style { member: true, ..Style::default() });
    }
    quoted
}

/// Reads the item behind the name in a list: `["X-Api-Key","…", …]`, `["--token","…"]`, `("password", "…")`.
pub(crate) fn following(reader: &mut Reader<'_>, scope: Scope<'_>, open: usize, after: usize) -> bool {
    let before = scope.back_over_space(before_prefix(scope, open));
    let opener = if before > scope.floor { scope.text[before - 1] } else { return false };
    let comma = scope.skip_space(after);
    if !matches!(opener, b'[' | b'(' | b',') || scope.byte(comma) != Some(b',') {
        return false;
    }
    let mut from = scope.skip_space(comma + 1);
    from += usize::from(matches!(scope.byte(from), Some(b'b' | b'u')));
    let Some(quote) = quoted::open(scope, from) else { return false };
    let inner = quoted::read(scope, quote);
    let name = trimmed(scope, open, after);
    let text = &scope.text[inner.start..inner.end];
    let pair = opener != b',' && matches!(scope.byte(scope.skip_space(inner.after)), Some(b']' | b')'));
    let header = is_header(name) && !is_header(text);
    let listed = opener == b',' && is_varied(text) && at_even_place(scope, open);
    let listed = listed || opener == b'[' && is_chosen(text) && goes_on_in_pairs(scope, inner.after);
    if header
        || listed
        || kind::is_random(text)
        || name.starts_with(b"-")
        || (pair && !text.iter().all(u8::is_ascii_lowercase))
    {
        value::read(reader, scope, from, Style { member: true, ..Style::default() });
        return true;
    }
    false
}

/// Reads the field behind a name in a line of separated values: `githubToken,x,`. Only what looks random.
pub(crate) fn field(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) -> bool {
    if scope.byte(at) != Some(b',') {
        return false;
    }
    let fields = &scope.text[at + 1..scope.limit];
    let end =
        at + 1 + fields.iter().take_while(|byte| !byte.is_ascii_whitespace() && !b",\"'\\;".contains(byte)).count();
    let telling = end > at + 1 && kind::is_opaque(&scope.text[at + 1..end]);
    reader.paid(at, end) && telling && reader.claim(scope, at + 1..end, false)
}

/// Whether the text at `open` is the third, fifth, … item of the list around it: the place of a name in
/// `["Host", "x", "secretKey", "y"]`.
fn at_even_place(scope: Scope<'_>, open: usize) -> bool {
    const REACH: usize = 512;
    let lowest = scope.floor.max(open.saturating_sub(REACH));
    let Some(bracket) = memchr::memrchr(b'[', &scope.text[lowest..open]) else { return false };
    let mut at = scope.skip_space(lowest + bracket + 1);
    let mut place = 0usize;
    while at < open {
        let Some(quote) = quoted::open(scope, at) else { return false };
        let comma = scope.skip_space(quoted::read(Scope { limit: open, ..scope }, quote).after);
        if scope.byte(comma) != Some(b',') {
            return false;
        }
        at = scope.skip_space(comma + 1);
        place += 1;
    }
    at == open && place.is_multiple_of(2)
}

/// Whether the rest of a list, behind its first two items at `at`, is of an even number of items, of which every other
/// is a name: `["password", "x", "timeout", 30]`.
fn goes_on_in_pairs(scope: Scope<'_>, at: usize) -> bool {
    const MOST: usize = 16;
    let mut at = scope.skip_space(at);
    for _ in 0..MOST {
        if scope.byte(at) != Some(b',') {
            return matches!(scope.byte(at), Some(b']'));
        }
        let Some(quote) = quoted::open(scope, scope.skip_space(at + 1)) else { return false };
        let name = quoted::read(scope, quote);
        let comma = scope.skip_space(name.after);
        if scope.byte(comma) != Some(b',') || is_varied(&scope.text[name.start..name.end]) {
            return false;
        }
        at = scope.skip_space(member::value_end(scope, scope.skip_space(comma + 1)));
    }
    false
}

/// No name: a sign in it, or a digit before a letter.
fn is_chosen(text: &[u8]) -> bool {
    let sign = |byte: &u8| byte.is_ascii_punctuation() && !b"_-. ".contains(byte);
    let mixed = text.windows(2).any(|two| two[0].is_ascii_digit() && two[1].is_ascii_alphabetic());
    text.len() >= 6 && (mixed || text.iter().any(sign))
}

/// Hardly a name: digits or signs in it, or case that changes again and again.
fn is_varied(text: &[u8]) -> bool {
    let sign = |byte: &u8| byte.is_ascii_punctuation() && !b"_-. ".contains(byte);
    let turns = text.windows(2).filter(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase()).count();
    text.len() >= 4 && (text.iter().any(|byte| byte.is_ascii_digit() || sign(byte)) || turns >= 4)
}

/// A Python prefix (`b'authorization'`) belongs to the quote.
fn before_prefix(scope: Scope<'_>, open: usize) -> usize {
    let prefixed = open >= scope.floor + 2
        && matches!(scope.text[open - 1], b'b' | b'u')
        && matches!(scope.text[open - 2], b'(' | b'[' | b',' | b' ');
    open - usize::from(prefixed)
}

fn trimmed<'t>(scope: Scope<'t>, open: usize, after: usize) -> &'t [u8] {
    let text = &scope.text[open..after];
    let quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\' | b'`');
    let from = text.iter().take_while(|byte| quote(byte)).count();
    let to = text.len() - text.iter().rev().take_while(|byte| quote(byte)).count();
    &text[from.min(to)..to]
}

/// Header names: words joined by hyphens, or one of the few single ones.
fn is_header(name: &[u8]) -> bool {
    let letters = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let single = ["authorization", "cookie", "accept", "host", "origin", "referer"];
    let known = single.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    // Digits other than a lone one are a value's: `a1b2-c3d4` is no header.
    let digits = name.iter().filter(|byte| byte.is_ascii_digit()).count();
    letters && (known || (digits <= 1 && name.contains(&b'-') && !name.starts_with(b"-")))
}
