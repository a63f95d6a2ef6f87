//! Names of the encodings and chains of them, outermost first: `json>percent>base64`.

use std::fmt;

/// How many encodings may be stacked.
pub const MAX_DEPTH: usize = 4;

/// One encoding a view was read through. The order is the canonical order in which encodings that do not
/// produce each other are stacked; it keeps the number of readings of one text small.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Encoding {
    /// Backslash escapes: JSON strings (also JSON inside them), `\xHH`, octal.
    Escape,
    /// Control characters as syslog daemons write them: `#012`.
    Syslog,
    /// `%XX`.
    Percent,
    /// `&#64;`, `&commat;`.
    Html,
    /// `=XX`.
    QuotedPrintable,
    /// `=?utf-8?B?…?=`.
    EncodedWord,
    /// Terminal colours, zero-width characters and compatibility forms taken away.
    Fold,
    /// Hexadecimal of text.
    Hex,
    /// base64 or base64url of text.
    Base64,
}

impl Encoding {
    /// As explanations spell it.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Escape => "escape",
            Encoding::Syslog => "syslog",
            Encoding::Percent => "percent",
            Encoding::Html => "html",
            Encoding::QuotedPrintable => "quoted-printable",
            Encoding::EncodedWord => "encoded-word",
            Encoding::Fold => "fold",
            Encoding::Hex => "hex",
            Encoding::Base64 => "base64",
        }
    }

    /// Writes `text` so that decoding by this encoding gives `text` back. Only characters that matter to
    /// what surrounds a mask are encoded; brackets and letters stay as they are, so that labels stay searchable.
    fn encode(self, text: &[u8], out: &mut Vec<u8>) {
        for &byte in text {
            let escaped: &[u8] = match (self, byte) {
                (Encoding::Escape, b'"') => b"\\\"",
                (Encoding::Escape, b'\\') => b"\\\\",
                (Encoding::Percent, b'"') => b"%22",
                (Encoding::Percent, b'\\') => b"%5C",
                (Encoding::Percent, b'%') => b"%25",
                (Encoding::Percent, b'&') => b"%26",
                (Encoding::Html, b'"') => b"&quot;",
                (Encoding::Html, b'&') => b"&amp;",
                (Encoding::QuotedPrintable, b'=') => b"=3D",
                _ => {
                    out.push(byte);
                    continue;
                }
            };
            out.extend_from_slice(escaped);
        }
    }
}

/// The encodings between the raw record and a view, outermost first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chain {
    links: [Encoding; MAX_DEPTH],
    len: usize,
}

impl Chain {
    /// The chain of these encodings, outermost first; at most [`MAX_DEPTH`] of them count.
    pub fn of(encodings: impl Iterator<Item = Encoding>) -> Chain {
        let mut chain = Chain { links: [Encoding::Escape; MAX_DEPTH], len: 0 };
        for encoding in encodings.take(MAX_DEPTH) {
            chain.links[chain.len] = encoding;
            chain.len += 1;
        }
        chain
    }

    /// Outermost first.
    pub fn encodings(&self) -> &[Encoding] {
        &self.links[..self.len]
    }

    /// Appends `mask` as it must stand in the raw record so that decoding through the chain gives `mask`.
    /// Encodings from the first base64 or hex inwards do not count: their run is replaced as a whole. `scratch` may
    /// hold anything.
    pub fn encode_mask(&self, mask: &[u8], scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
        let whole = |encoding: &Encoding| matches!(encoding, Encoding::Base64 | Encoding::Hex);
        let outer = self.encodings().iter().position(whole).unwrap_or(self.len);
        let from = out.len();
        out.extend_from_slice(mask);
        for encoding in self.links[..outer].iter().rev() {
            scratch.clear();
            scratch.extend_from_slice(&out[from..]);
            out.truncate(from);
            encoding.encode(scratch, out);
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, encoding) in self.encodings().iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ">" })?;
            f.write_str(encoding.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_of_a_mask_are_written_in_the_encoding_of_the_view() {
        use Encoding::*;
        let table: &[(&[Encoding], &str)] = &[
            (&[], "\"[x]\""),
            (&[Escape], "\\\"[x]\\\""),
            (&[Escape, Escape], "\\\\\\\"[x]\\\\\\\""),
            (&[Percent], "%22[x]%22"),
            (&[Percent, Percent], "%2522[x]%2522"),
            (&[Percent, Escape], "%5C%22[x]%5C%22"),
            (&[Html], "&quot;[x]&quot;"),
            (&[Escape, Base64, Escape], "\\\"[x]\\\""),
        ];
        for (chain, want) in table {
            let mut out = Vec::new();
            Chain::of(chain.iter().copied()).encode_mask(b"\"[x]\"", &mut Vec::new(), &mut out);
            assert_eq!(std::str::from_utf8(&out), Ok(*want), "{chain:?}");
        }
    }

    #[test]
    fn chains_are_spelled_outermost_first() {
        let chain = Chain::of([Encoding::Escape, Encoding::Percent, Encoding::Base64].into_iter());
        assert_eq!(chain.to_string(), "escape>percent>base64");
    }
}
