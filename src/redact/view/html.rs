//! HTML entities: decimal, hexadecimal and the named ones that occur in texts.

use super::chain::Encoding;
use super::region::{self, Inline, REACH};
use memchr::memchr;

pub(super) const INLINE: Inline = Inline {
    encoding: Encoding::Html,
    triggers: region::AMPERSAND,
    find,
    within: find,
    decode,
    quoted: true,
    reach: REACH,
};

/// Longest entity read, `&` and `;` included.
const LONGEST: usize = 12;

fn find(text: &[u8], from: usize) -> Option<usize> {
    region::first(text, from, b'&', |at| read(text, at).is_some())
}

fn decode(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    match read(text, at) {
        Some((char, width)) => {
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            width
        }
        None => 1,
    }
}

/// The entity that starts with the ampersand at `at`, and how many bytes it is written in.
fn read(text: &[u8], at: usize) -> Option<(char, usize)> {
    let window = &text[at..text.len().min(at + LONGEST)];
    let end = memchr(b';', window)?;
    let name = window.get(1..end)?;
    let char = match name {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => NAMED.iter().find(|(known, _)| known.as_bytes() == name)?.1,
    };
    Some((char, end + 1))
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    char::from_u32(u32::from_str_radix(digits, radix).ok()?)
}

const NAMED: &[(&str, char)] = &[
    ("quot", '"'),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("commat", '@'),
    ("period", '.'),
    ("colon", ':'),
    ("semi", ';'),
    ("comma", ','),
    ("equals", '='),
    ("sol", '/'),
    ("bsol", '\\'),
    ("num", '#'),
    ("lowbar", '_'),
    ("hyphen", '-'),
    ("dash", '-'),
    ("minus", '-'),
    ("ndash", '-'),
    ("plus", '+'),
    ("percnt", '%'),
    ("dollar", '$'),
    ("excl", '!'),
    ("quest", '?'),
    ("ast", '*'),
    ("lpar", '('),
    ("rpar", ')'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("rcub", '}'),
    ("rbrace", '}'),
    ("vert", '|'),
    ("grave", '`'),
    ("Hat", '^'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("shy", '\u{ad}'),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("oacute", 'ó'),
    ("Oacute", 'Ó'),
    ("lstrok", 'ł'),
    ("Lstrok", 'Ł'),
    ("aogon", 'ą'),
    ("eogon", 'ę'),
    ("sacute", 'ś'),
    ("cacute", 'ć'),
    ("nacute", 'ń'),
    ("zacute", 'ź'),
    ("zdot", 'ż'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("agrave", 'à'),
    ("ccedil", 'ç'),
    ("ntilde", 'ñ'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_read_and_query_strings_are_not() {
        for raw in ["&#64;", "&#x40;", "&#X40;", "&#0064;", "&commat;"] {
            assert_eq!(read(raw.as_bytes(), 0), Some(('@', raw.len())), "{raw}");
        }
        for raw in ["a&b=1;", "&amp", "&#;", "&#x;", "&#+64;", "&#99999999;", "&unknown;", "&;"] {
            assert_eq!(find(raw.as_bytes(), 0), None, "{raw}");
        }
    }
}
