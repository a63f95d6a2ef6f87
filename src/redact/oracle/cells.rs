//! Text whose every byte knows which raw bytes it came from, and plain decoders over it.

/// One decoded byte and the raw bytes it came from.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    pub(super) byte: u8,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A plain decoder of a whole text.
pub(super) type Decode = fn(&[Cell]) -> Vec<Cell>;

/// The decoders, by name.
pub(super) const DECODERS: [(&str, Decode); 6] = [
    ("escape", escapes),
    ("percent", percent),
    ("html", entities),
    ("fold", unseen),
    ("hex", |cells| runs(cells, hex_text)),
    ("base64", |cells| runs(cells, base64_text)),
];

/// The raw text.
pub(super) fn raw(text: &[u8]) -> Vec<Cell> {
    text.iter().enumerate().map(|(at, &byte)| Cell { byte, from: at, to: at + 1 }).collect()
}

/// Of every byte of a JSON text, whether it is content of a string.
pub(super) fn in_string(text: &[u8]) -> Vec<bool> {
    let (mut open, mut escaped) = (false, false);
    let content = |&byte: &u8| {
        let quote = byte == b'"' && !escaped;
        escaped = open && byte == b'\\' && !escaped;
        open ^= quote;
        open && !quote
    };
    text.iter().map(content).collect()
}

/// The bytes alone.
pub(super) fn bytes(cells: &[Cell]) -> Vec<u8> {
    cells.iter().map(|cell| cell.byte).collect()
}

/// Rewrites a text left to right: `read` tells how many cells a code is written in and what it means.
fn rewrite(cells: &[Cell], read: fn(&[u8]) -> Option<(usize, Vec<u8>)>) -> Vec<Cell> {
    let text = bytes(cells);
    let (mut out, mut at) = (Vec::new(), 0);
    while at < cells.len() {
        match read(&text[at..]) {
            Some((width, meaning)) => {
                let (from, to) = (cells[at].from, cells[at + width - 1].to);
                out.extend(meaning.into_iter().map(|byte| Cell { byte, from, to }));
                at += width;
            }
            None => {
                out.push(cells[at]);
                at += 1;
            }
        }
    }
    out
}

fn number(digits: Option<&[u8]>, radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits?).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, radix).ok())?
}

fn utf8(code: u32) -> Option<Vec<u8>> {
    char::from_u32(code).map(|char| char.to_string().into_bytes())
}

fn escapes(cells: &[Cell]) -> Vec<Cell> {
    rewrite(cells, |rest| {
        if rest.first() != Some(&b'\\') {
            return None;
        }
        let simple = |byte: u8| Some((2, vec![byte]));
        match *rest.get(1)? {
            byte @ (b'"' | b'\\' | b'/' | b'\'') => simple(byte),
            b'n' => simple(b'\n'),
            b'r' => simple(b'\r'),
            b't' => simple(b'\t'),
            b'b' => simple(0x08),
            b'f' => simple(0x0c),
            b'0'..=b'3' => octal(rest.get(1..4)?),
            b'u' => Some((6, utf8(number(rest.get(2..6), 16)?)?)),
            b'x' => Some((4, vec![number(rest.get(2..4), 16)? as u8])),
            _ => None,
        }
    })
}

fn octal(digits: &[u8]) -> Option<(usize, Vec<u8>)> {
    let all = digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
    let value = digits.iter().fold(0, |value, digit| value * 8 + u32::from(digit & 7));
    all.then(|| (4, vec![value as u8]))
}

fn percent(cells: &[Cell]) -> Vec<Cell> {
    rewrite(cells, |rest| {
        let digits = rest.strip_prefix(b"%")?;
        if let Some(wide) = digits.strip_prefix(b"u") {
            return Some((6, utf8(number(wide.get(..4), 16)?)?));
        }
        Some((3, vec![number(digits.get(..2), 16)? as u8]))
    })
}

fn entities(cells: &[Cell]) -> Vec<Cell> {
    rewrite(cells, |rest| {
        let digits = rest.strip_prefix(b"&#")?;
        let end = digits.iter().take(7).position(|&byte| byte == b';')?;
        let decimal = digits[..end].iter().all(u8::is_ascii_digit);
        let code = number(Some(&digits[..end]), 10).filter(|_| decimal)?;
        Some((end + 3, utf8(code)?))
    })
}

fn unseen(cells: &[Cell]) -> Vec<Cell> {
    rewrite(cells, |rest| {
        if rest.starts_with("\u{200b}".as_bytes()) {
            return Some((3, Vec::new()));
        }
        if rest.starts_with("\u{a0}".as_bytes()) {
            return Some((2, vec![b' ']));
        }
        let colour = rest.strip_prefix(b"\x1b[")?;
        let end = colour.iter().take(16).position(|byte| !(byte.is_ascii_digit() || *byte == b';'))?;
        (colour[end] == b'm').then(|| (end + 3, Vec::new()))
    })
}

/// Replaces each run of at least sixteen characters that `read` can read by its text.
fn runs(cells: &[Cell], read: fn(&[u8]) -> Option<Vec<u8>>) -> Vec<Cell> {
    let opaque = |cell: &Cell| cell.byte.is_ascii_alphanumeric() || b"+/-_".contains(&cell.byte);
    let (mut out, mut at) = (Vec::new(), 0);
    while at < cells.len() {
        let sign = end_of_sign(cells, at);
        out.extend_from_slice(&cells[at..at + sign]);
        at += sign;
        let len = cells[at..].iter().take_while(|cell| opaque(cell)).count();
        let run = &cells[at..at + len];
        let text = if len >= 16 { read(&bytes(run)) } else { None };
        match text.filter(|text| text.iter().all(|byte| (0x20..0x7f).contains(byte))) {
            Some(text) => {
                let (from, to) = (run[0].from, run[len - 1].to);
                // Blanks that stand for nothing keep apart what was not one text before.
                let blank = |at: usize| Cell { byte: b' ', from: at, to: at };
                out.push(blank(from));
                out.extend(text.into_iter().map(|byte| Cell { byte, from, to }));
                out.push(blank(to));
            }
            None => out.extend_from_slice(run),
        }
        at += len;
        if let Some(&cell) = cells.get(at) {
            out.push(cell);
            at += 1;
        }
    }
    out
}

/// How many cells at `at` end the code before them of a blank, a quote or a sign between texts: no run begins with them.
fn end_of_sign(cells: &[Cell], at: usize) -> usize {
    let Some(before) = at.checked_sub(1) else { return 0 };
    let text = bytes(&cells[before..cells.len().min(at + 64)]);
    let plain = String::from_utf8_lossy(&text).into_owned();
    let parts = |digits: &str| {
        let code = number(digits.as_bytes().get(..2), 16);
        code.is_some_and(|code| code <= 0x20 || [0x22, 0x26, 0x27, 0x2c, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e].contains(&code))
    };
    if let Some(code) = plain.strip_prefix('%') {
        let last = code.trim_start_matches("25");
        return if parts(last) { code.len() - last.len() + 2 } else { 0 };
    }
    let octal = |digits: &str| {
        digits.len() >= 3
            && digits.starts_with('0')
            && number(digits.as_bytes().get(..3), 8).is_some_and(|code| code < 0x20)
    };
    match (plain.strip_prefix(r"\x"), plain.strip_prefix('#')) {
        (Some(code), _) if parts(code) => 3,
        (_, Some(code)) if octal(code) => 3,
        _ => 0,
    }
}

fn hex_text(run: &[u8]) -> Option<Vec<u8>> {
    run.chunks(2).map(|pair| Some(number(Some(pair).filter(|pair| pair.len() == 2), 16)? as u8)).collect()
}

fn base64_text(run: &[u8]) -> Option<Vec<u8>> {
    let cased = run.iter().take(64).any(u8::is_ascii_uppercase) && run.iter().take(64).any(u8::is_ascii_lowercase);
    if !cased || run.len() % 4 == 1 {
        return None;
    }
    let mut bits = String::new();
    for &char in run {
        let value = match char {
            b'A'..=b'Z' => char - b'A',
            b'a'..=b'z' => char - b'a' + 26,
            b'0'..=b'9' => char - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits += &format!("{value:06b}");
    }
    Some(
        bits.as_bytes()
            .chunks_exact(8)
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap_or(""), 2).unwrap_or(0))
            .collect(),
    )
}
