//! Where a key stands: what surrounds a name tells the carrier, and the carrier where the value is.

use super::name::Name;
use crate::redact::carrier::bare::Style;
use crate::redact::carrier::quoted;
use crate::redact::carrier::scope::Scope;

/// The place of a key, and of what belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Spot {
    /// A separator follows; the value begins at or after `at`.
    Pair {
        /// First byte behind the separator.
        at: usize,
        /// How a bare value ends.
        style: Style,
    },
    /// The name is a text of its own: one item of a list, or the value of `name`.
    Text {
        /// First byte of the opening quote (its backslashes included).
        open: usize,
        /// First byte behind the closing quote.
        after: usize,
    },
    /// `<name …>`: the value is the element's content.
    Element {
        /// First byte behind the name.
        at: usize,
    },
    /// `<key>name</key>`: the value is the next element's content.
    Content {
        /// First byte of the closing tag.
        at: usize,
    },
    /// `--name value`.
    Flag {
        /// First byte of the white space.
        at: usize,
    },
    /// Something else; prose, a column of SQL, `name=KEY value=x`.
    Loose {
        /// First byte behind the name.
        at: usize,
    },
}

/// Where `name` stands.
pub(super) fn of(scope: Scope<'_>, name: Name) -> Spot {
    let Name { start, end, .. } = name;
    if let Some(after_quote) = closing_quote(scope, end) {
        return quoted_name(scope, start, end, after_quote);
    }
    // `"card[cvc]" => x`
    let closed = scope.text[end..scope.limit].iter().take(2).take_while(|byte| **byte == b']').count();
    if let Some(after_quote) = closing_quote(scope, end + closed).filter(|_| closed > 0 && is_indexed(scope, start)) {
        return quoted_name(scope, start, end + closed, after_quote);
    }
    let before = if start > scope.floor { scope.text[start - 1] } else { 0 };
    if let Some(spot) = in_markup(scope, start, end, before) {
        return spot;
    }
    let flag = before == b'-';
    let bracket = skip_brackets(scope, end);
    if let Some((at, sign)) = separator(scope, bracket) {
        let query = matches!(before, b'?' | b'&' | b'#') && sign == Sign::Assign;
        // `…/app;jsessionid=x?page=2`: a parameter of a path.
        let matrix = before == b';' && sign == Sign::Assign && glued_path(scope, start - 1);
        let query = query || matrix;
        let colon = sign == Sign::Colon;
        let line = colon && !flag && begins_line(scope, start);
        // `${PASSWORD:-default}`: the dash belongs to the operator.
        let default = before == b'{' && matches!(scope.byte(at), Some(b'-' | b'+' | b'?')) && colon;
        let at = at + usize::from(default);
        return Spot::Pair { at, style: Style { query, member: false, colon, line } };
    }
    if flag && matches!(scope.byte(end), Some(b' ' | b'\t')) {
        return Spot::Flag { at: end };
    }
    Spot::Loose { at: end }
}

/// Whether a name stands in brackets glued to another: `card[cvc]`.
pub(super) fn is_indexed(scope: Scope<'_>, start: usize) -> bool {
    let before = &scope.text[scope.floor..start];
    matches!(before, [.., first, b'['] if first.is_ascii_alphanumeric() || *first == b']')
}

/// Whether the run of characters that ends at `at` is the path of an address.
fn glued_path(scope: Scope<'_>, at: usize) -> bool {
    let before = scope.text[scope.floor..at].iter().rev().take(256);
    before.take_while(|byte| byte.is_ascii_alphanumeric() || b"/._-~%".contains(byte)).any(|byte| *byte == b'/')
}

/// What separates a key from its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Colon,
    Assign,
}

/// The separator at or behind white space at `at`, and the place behind it.
fn separator(scope: Scope<'_>, at: usize) -> Option<(usize, Sign)> {
    let at = scope.skip_blank(at);
    if let Some(behind) = compound_assignment(scope, at) {
        return Some((behind, Sign::Assign));
    }
    if let Some(value) = fallback(scope, at) {
        return Some((value, Sign::Assign));
    }
    match scope.byte(at)? {
        b':' => match scope.byte(at + 1) {
            Some(b'=') => Some((at + 2, Sign::Assign)),
            // `userPassword:: cGFzcw==`: LDIF says that the value is base64.
            Some(b':') if scope.byte(at + 2) == Some(b' ') => Some((at + 2, Sign::Colon)),
            Some(b':') => None,
            Some(b'/') if scope.byte(at + 2) == Some(b'/') => None,
            _ => match typed(scope, at + 1) {
                Some(value) => Some((value, Sign::Assign)),
                None => Some((at + 1, Sign::Colon)),
            },
        },
        b'=' => {
            let more = scope.text[at + 1..scope.limit].iter().take(2).take_while(|byte| **byte == b'=').count();
            // `==` compares or assigns; a base64 padding cannot stand behind a name.
            let arrow = usize::from(more == 0 && scope.byte(at + 1) == Some(b'>'));
            Some((at + 1 + more + arrow, Sign::Assign))
        }
        // `password\=x` of properties files.
        b'\\' => {
            let sign = at + scope.backslashes(at);
            match scope.byte(sign)? {
                b'=' => Some((sign + 1, Sign::Assign)),
                b':' => Some((sign + 1, Sign::Colon)),
                _ => None,
            }
        }
        b'-' if scope.byte(at + 1) == Some(b'>') => Some((at + 2, Sign::Assign)),
        // `password........."x"`, as settings are printed in columns.
        b'.' => {
            let dots = scope.text[at..scope.limit].iter().take_while(|byte| **byte == b'.').count();
            let value = scope.byte(at + dots).is_some_and(|byte| !byte.is_ascii_whitespace());
            (dots >= 5 && value).then_some((at + dots, Sign::Assign))
        }
        0xE2 if scope.has(at, "→".as_bytes()) => Some((at + 3, Sign::Assign)),
        _ => None,
    }
}

/// `process.env.SECRET || 'x'`, `token ?? "x"`, `secret or 'x'`: the text that is taken where there is none.
fn fallback(scope: Scope<'_>, at: usize) -> Option<usize> {
    let sign = match scope.byte(at)? {
        b'|' if scope.has(at, b"|| ") => 3,
        b'?' if scope.has(at, b"?? ") || scope.has(at, b"?: ") => 3,
        b'o' if scope.has(at, b"or ") => 3,
        _ => return None,
    };
    let value = scope.skip_blank(at + sign);
    quoted::open(scope, value).is_some().then_some(value)
}

/// `token: String = "x"`: behind the sign that follows the type of a declaration.
fn typed(scope: Scope<'_>, at: usize) -> Option<usize> {
    const LONGEST: usize = 40;
    let from = scope.skip_blank(at);
    let rest = &scope.text[from.min(scope.limit)..scope.limit.min(from + LONGEST)];
    let named = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_<>&'?.[]".contains(byte);
    let length = rest.iter().take_while(named).count();
    let letter = rest.iter().find(|byte| **byte != b'&')?.is_ascii_alphabetic();
    let sign = match rest.get(length..)? {
        [b' ', b'=', b' ', ..] => 3,
        [b' ', b':', b'=', b' ', ..] => 4,
        _ => return None,
    };
    let value = from + length + sign;
    (length > 0 && letter && quoted::open(scope, value).is_some()).then_some(value)
}

/// Behind `?=`, `+=`, `.=`, `::=`, `||=` and their like.
fn compound_assignment(scope: Scope<'_>, at: usize) -> Option<usize> {
    let sign = scope.byte(at).filter(|byte| b":?+.|&".contains(byte))?;
    let signs = (1..=3).take_while(|more| scope.byte(at + more) == Some(sign)).count() + 1;
    (signs <= 3 && scope.byte(at + signs) == Some(b'=')).then_some(at + signs + 1)
}

/// Behind the quote that closes a name at `end`.
fn closing_quote(scope: Scope<'_>, end: usize) -> Option<usize> {
    let quote = end + scope.backslashes(end);
    match scope.byte(quote)? {
        b'"' | b'\'' | b'`' => Some(quote + 1),
        0xE2 if scope.has(quote, "”".as_bytes()) => Some(quote + 3),
        _ => None,
    }
}

fn quoted_name(scope: Scope<'_>, start: usize, end: usize, after: usize) -> Spot {
    // `<<"password">> => <<"x">>`
    let binary = if scope.has(after, b">>") { after + 2 } else { after };
    let bracket = skip_brackets(scope, binary);
    if let Some((at, sign)) = separator(scope, bracket) {
        let colon = sign == Sign::Colon;
        // `"a=b" : c` and `x["password"]: y` are members alike.
        return Spot::Pair { at, style: Style { member: true, colon, ..Style::default() } };
    }
    let closing = &scope.text[end..after];
    let dashes =
        scope.text[scope.floor..start].iter().rev().take(2).take_while(|byte| matches!(byte, b'-' | b'#')).count();
    let first = sections_start(scope, start - dashes);
    let open = first.saturating_sub(closing.len()).max(scope.floor);
    let typographic = first - open == 3 && quoted::open(scope, open).is_some();
    if scope.text[open..first] == *closing || typographic {
        Spot::Text { open, after }
    } else {
        Spot::Loose { at: end }
    }
}

/// Behind the closing brackets or emphasis of `user[password]`, `["password"]`, `[password]`.
fn skip_brackets(scope: Scope<'_>, mut at: usize) -> usize {
    for _ in 0..2 {
        match scope.byte(at) {
            Some(b']') => at += 1,
            Some(b'%') if scope.has(at, b"%5D") => at += 3,
            // `char auth[] = "x"`
            Some(b'[') if scope.has(at, b"[]") => at += 2,
            // `passwd(etl)=x`, `API key (live): x`
            Some(b'(' | b' ') if remark_end(scope, at).is_some() => at = remark_end(scope, at).unwrap_or(at),
            // `**password**: x`
            Some(b'*') if scope.has(at, b"**") => at += 2,
            _ => break,
        }
    }
    at
}

/// Behind a word in brackets that a separator follows.
fn remark_end(scope: Scope<'_>, at: usize) -> Option<usize> {
    const LONGEST: usize = 32;
    let open = at + usize::from(scope.byte(at) == Some(b' '));
    if scope.byte(open) != Some(b'(') {
        return None;
    }
    let rest = &scope.text[open + 1..scope.limit.min(open + LONGEST)];
    let word = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.@ ".contains(byte)).count();
    let separated = matches!(rest.get(word + 1), Some(b':' | b'='));
    (word > 0 && rest.get(word) == Some(&b')') && separated).then_some(open + word + 2)
}

/// An element's name, or an element's whole content.
fn in_markup(scope: Scope<'_>, start: usize, end: usize, before: u8) -> Option<Spot> {
    let colon_start = if before == b':' { namespace_start(scope, start - 1) } else { start };
    let opened = colon_start > scope.floor && scope.text[colon_start - 1] == b'<';
    if opened && matches!(scope.byte(end), Some(b'>' | b' ' | b'/')) {
        return Some(Spot::Element { at: end });
    }
    let closing = scope.byte(end) == Some(b'<') && scope.byte(end + 1) == Some(b'/');
    (before == b'>' && closing).then_some(Spot::Content { at: end })
}

/// First byte of the namespace that ends at `colon`.
fn namespace_start(scope: Scope<'_>, colon: usize) -> usize {
    let letters = scope.text[scope.floor..colon]
        .iter()
        .rev()
        .take(32)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'-'))
        .count();
    colon - letters
}

/// First byte of the sections before a name, `Auth:Google:ClientSecret`, which begin with a capital; of the name, where
/// it has none.
fn sections_start(scope: Scope<'_>, name: usize) -> usize {
    let mut start = name;
    for _ in 0..4 {
        let Some(colon) = start.checked_sub(1).filter(|at| *at >= scope.floor && scope.text[*at] == b':') else {
            break;
        };
        let section = namespace_start(scope, colon);
        if !scope.text[section].is_ascii_uppercase() {
            break;
        }
        start = section;
    }
    start
}

/// Whether nothing but indentation (and a list's dash) stands before `start` on its line, and the name is
/// written as keys of such files are.
fn begins_line(scope: Scope<'_>, start: usize) -> bool {
    let before = &scope.text[scope.floor..start];
    let line = before.iter().rev().take(64).position(|byte| *byte == b'\n');
    let indent = match line {
        Some(length) => &before[before.len() - length..],
        None if before.len() <= 64 => before,
        None => return false,
    };
    indent.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'-')) && scope.text[start].is_ascii_lowercase()
}
