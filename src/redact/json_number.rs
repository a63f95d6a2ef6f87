//! Bare numbers of JSON: told from digits of prose, so that a mask in their place is written in quotes.
//!
//! Looks left from the number: at a key's colon, or over the elements before it to the bracket of its array.
//! Linear: what is known of the last number answers for the ones behind it in the same array, and all
//! walks of one text share fuel of a few times its length.

use super::finding::Span;
use super::steps;

/// Steps to the left that a text pays for, per byte.
const STEPS_PER_BYTE: usize = 4;
const STEPS_BASE: usize = 4096;
/// Longest number that is widened to, each side.
const WIDEST: usize = 40;

/// A whole number in the place of a JSON value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Number {
    /// All of it: sign, fraction and exponent included.
    pub(super) span: Span,
    /// Backslashes before the quotes of the JSON it belongs to.
    pub(super) backslashes: usize,
}

impl Number {
    /// The backslashes, as many as quotes have that are escaped four times at most.
    pub(super) fn depth(self) -> u8 {
        self.backslashes.min(15) as u8
    }
}

/// Tells the numbers of one text, asked for from left to right.
#[derive(Default)]
pub(super) struct Numbers {
    fuel: usize,
    /// Where the last number that was judged ended, and what was found of its array.
    last: Option<(usize, Option<usize>)>,
    /// The last bracket that was judged.
    bracket: Option<(usize, Option<usize>)>,
}

impl Numbers {
    /// Starts a text of `len` bytes.
    pub(super) fn begin(&mut self, len: usize) {
        *self = Numbers { fuel: len * STEPS_PER_BYTE + STEPS_BASE, last: None, bracket: None };
    }

    /// The bare number of JSON that `span` is or lies in.
    pub(super) fn around(&mut self, text: &[u8], span: Span, floor: usize, limit: usize) -> Option<Number> {
        let whole = widened(text, span, floor, limit)?;
        let behind = text[whole.end as usize..limit].iter().find(|byte| !is_blank(**byte));
        if !matches!(behind, None | Some(b',' | b'}' | b']')) {
            return None;
        }
        let before = over_blanks(text, whole.start as usize, floor);
        let known = match text[floor..before].last()? {
            b':' => return behind_key(text, before - 1, floor).map(|backslashes| Number { span: whole, backslashes }),
            b'[' | b',' => self.in_array(text, before, floor),
            _ => None,
        };
        self.last = Some((whole.end as usize, known));
        known.map(|backslashes| Number { span: whole, backslashes })
    }

    /// Walks left from `at` to the bracket of the array around it; the backslashes of the quotes there.
    fn in_array(&mut self, text: &[u8], mut at: usize, floor: usize) -> Option<usize> {
        let (mut deep, mut quotes) = (0usize, None);
        while at > floor {
            if deep == 0
                && let Some((_, known)) = self.last.filter(|(end, _)| *end == at)
            {
                return known;
            }
            let Some(left) = self.fuel.checked_sub(1) else { return self.last.and_then(|(_, known)| known) };
            self.fuel = left;
            steps::add(1);
            at -= 1;
            match text[at] {
                b'"' => at = self.string_start(text, at, floor, &mut quotes)?,
                b']' | b'}' => deep += 1,
                b'[' | b'{' if deep > 0 => {
                    deep -= 1;
                    if deep == 0
                        && let Some((_, known)) = self.bracket.filter(|(place, _)| *place == at)
                    {
                        return known;
                    }
                }
                b'[' => match opened_by(text, at, floor) {
                    Opened::Array => {}
                    Opened::Json(known) => {
                        self.bracket = Some((at, Some(known)));
                        return Some(known);
                    }
                    Opened::Text => return None,
                },
                _ if deep > 0 || is_blank(text[at]) => {}
                byte if byte.is_ascii_alphanumeric() || b"+-.,\\".contains(&byte) => {}
                _ => return None,
            }
        }
        None
    }

    /// The first byte of the string (its backslashes included) that closes with the quote at `close`.
    fn string_start(&mut self, text: &[u8], close: usize, floor: usize, quotes: &mut Option<usize>) -> Option<usize> {
        let run = backslashes(text, close, floor);
        let depth = own_backslashes(text, close, floor)?;
        if *quotes.get_or_insert(depth) != depth {
            return None;
        }
        let mut end = close - run;
        while let Some(length) = memchr::memrchr(b'"', &text[floor..end]) {
            let quote = floor + length;
            self.fuel = self.fuel.checked_sub(end - quote)?;
            steps::add(end - quote);
            let run = backslashes(text, quote, floor);
            if run == depth {
                return Some(quote - run);
            }
            end = quote - run;
        }
        None
    }
}

/// What stands before a bracket.
enum Opened {
    /// A key, or nothing: JSON whose quotes have so many backslashes.
    Json(usize),
    /// Another element or bracket: an array in an array, perhaps.
    Array,
    /// Prose.
    Text,
}

fn opened_by(text: &[u8], bracket: usize, floor: usize) -> Opened {
    let before = over_blanks(text, bracket, floor);
    match text[floor..before].last() {
        None => Opened::Json(0),
        Some(b':') => behind_key(text, before - 1, floor).map_or(Opened::Text, Opened::Json),
        // The text of a string begins with it: quotes in there are written one level deeper.
        Some(b'"') => Opened::Json(2 * backslashes(text, before - 1, floor) + 1),
        Some(b'[' | b',') => Opened::Array,
        _ => Opened::Text,
    }
}

/// The backslashes of the quote that closes a key before the colon at `colon`.
fn behind_key(text: &[u8], colon: usize, floor: usize) -> Option<usize> {
    let end = over_blanks(text, colon, floor);
    (text[floor..end].last() == Some(&b'"')).then(|| own_backslashes(text, end - 1, floor)).flatten()
}

/// The backslashes before the quote at `quote` that belong to it; the others are escaped ones of what it
/// closes.
pub(super) fn own_backslashes(text: &[u8], quote: usize, floor: usize) -> Option<usize> {
    let run = backslashes(text, quote, floor);
    [0, 1, 3, 7, 15].into_iter().find(|own| run >= *own && (run - own).is_multiple_of(2 * (own + 1)))
}

/// The number that `span` lies in, when it lies in one.
fn widened(text: &[u8], span: Span, floor: usize, limit: usize) -> Option<Span> {
    let of_number = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let (start, end) = (span.start as usize, span.end as usize);
    if span.len() > 2 * WIDEST || !span.of(text).iter().all(|byte| of_number(&byte)) {
        return None;
    }
    let before = text[floor..start].iter().rev().take(WIDEST).take_while(of_number).count();
    let behind = text[end..limit].iter().take(WIDEST).take_while(of_number).count();
    let whole = Span::new(start - before, end + behind);
    is_number(whole.of(text)).then_some(whole)
}

fn is_number(token: &[u8]) -> bool {
    let digits = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = token.strip_prefix(b"-").unwrap_or(token);
    let (whole, rest) = rest.split_at(digits(rest));
    let (fraction, rest) = match rest.strip_prefix(b".") {
        Some(rest) => (digits(rest), &rest[digits(rest)..]),
        None => (1, rest),
    };
    let exponent = match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] => {
            !rest.is_empty() && digits(rest) == rest.len()
        }
        _ => false,
    };
    !whole.is_empty() && fraction > 0 && exponent
}

/// The place behind the last byte before `at` that is not white space.
fn over_blanks(text: &[u8], at: usize, floor: usize) -> usize {
    at - text[floor..at].iter().rev().take_while(|byte| is_blank(**byte)).count()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// How many backslashes stand right before `at`.
pub(super) fn backslashes(text: &[u8], at: usize, floor: usize) -> usize {
    let count = text[floor..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    steps::add(count);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(text: &str, part: &str) -> Option<Number> {
        let at = text.find(part).unwrap();
        let mut numbers = Numbers::default();
        numbers.begin(text.len());
        numbers.around(text.as_bytes(), Span::new(at, at + part.len()), 0, text.len())
    }

    #[test]
    fn bare_numbers_of_json_are_told_from_text() {
        let table = [
            (r#"{"pesel":90010112349,"amount":1}"#, Some(0)),
            (r#"{"m":"{\"pesel\": 90010112349}"}"#, Some(1)),
            (r#"{"ids":[1, 90010112349]}"#, Some(0)),
            ("[90010112349]", Some(0)),
            (r#"["a{b:", 90010112349]"#, Some(0)),
            (r#"["a\"[", "é", 90010112349]"#, Some(0)),
            (r#"{"a":[[1,2],[90010112349,3]]}"#, Some(0)),
            (r#"{"a":[{"b":"]"},90010112349]}"#, Some(0)),
            (r#"{"m":"[\"x{\",90010112349]"}"#, Some(1)),
            (r#"{"m":"[1,90010112349]"}"#, Some(1)),
            ("[\n  90010112349\n]", Some(0)),
            (r#"{"pesel\\":90010112349}"#, Some(0)),
            ("pesel: 90010112349, next", None),
            ("pesel=90010112349", None),
            ("sshd[90010112349]", None),
            ("ids: 12, 90010112349, 5", None),
            (r#"{"pesel":"90010112349"}"#, None),
            ("90010112349", None),
        ];
        for (text, want) in table {
            assert_eq!(around(text, "90010112349").map(|number| number.backslashes), want, "{text}");
        }
    }

    #[test]
    fn a_number_is_taken_whole() {
        for (text, want) in [
            (r#"{"n":-4111111111111111.00}"#, "-4111111111111111.00"),
            (r#"{"n":4111111111111111e+2,"m":0}"#, "4111111111111111e+2"),
        ] {
            let number = around(text, "4111111111111111").unwrap();
            assert_eq!(number.span.of(text.as_bytes()), want.as_bytes());
        }
        assert_eq!(around(r#"{"n":4111111111111111-2}"#, "4111111111111111"), None);
    }

    #[test]
    fn judging_every_number_of_a_long_text_is_linear() {
        for piece in ["90010112349,", "[90010112349],", "[[1],90010112349,", "{\"a\":[90010112349", "[,", "\"\\\","] {
            let text = piece.repeat(4096) + "90010112349]";
            let mut numbers = Numbers::default();
            numbers.begin(text.len());
            let fuel = numbers.fuel;
            for (at, _) in text.match_indices("90010112349") {
                numbers.around(text.as_bytes(), Span::new(at, at + 11), 0, text.len());
            }
            assert!(fuel - numbers.fuel <= STEPS_PER_BYTE * text.len() + STEPS_BASE, "{piece}");
        }
        let text = format!("[{}1]", "90010112349,".repeat(9000));
        let mut numbers = Numbers::default();
        numbers.begin(text.len());
        for (at, _) in text.match_indices("90010112349") {
            let found = numbers.around(text.as_bytes(), Span::new(at, at + 11), 0, text.len());
            assert!(found.is_some(), "at {at}");
        }
    }
}
