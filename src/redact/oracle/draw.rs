//! Draws choices, words and JSON from fuzz input, so that any bytes make a sensible case.

use serde_json::{Map, Value};

/// Reads choices from bytes; endless zeros follow.
pub(super) struct Draw<'d> {
    rest: &'d [u8],
}

/// What texts are made of besides the input's own bytes.
const WORDS: [&str; 26] = [
    "password",
    "token",
    "=",
    ": ",
    "\"",
    "\\\"",
    "{",
    "}",
    "[",
    ",",
    "jan@example.com",
    "%40",
    "%22",
    "\\u0040",
    "&#64;",
    "4111111111111111",
    " ",
    "\n",
    "eyJhIjoi",
    "FAKEword1",
    "\u{200b}",
    "\x1b[1m",
    "ż",
    "\\",
    "\\n",
    "\u{1f600}",
];

impl<'d> Draw<'d> {
    pub(super) fn new(data: &'d [u8]) -> Draw<'d> {
        Draw { rest: data }
    }

    pub(super) fn byte(&mut self) -> u8 {
        let (&first, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        first
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % limit
    }

    pub(super) fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// `count` letters and digits.
    pub(super) fn letters(&mut self, count: usize) -> String {
        const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..count).map(|_| char::from(self.one_of(LETTERS))).collect()
    }

    /// A text of words and letters.
    pub(super) fn text(&mut self) -> String {
        let count = self.below(8);
        (0..count).map(|_| if self.byte() < 200 { self.one_of(&WORDS).to_owned() } else { self.letters(5) }).collect()
    }

    /// A JSON value, `depth` levels deep at most.
    pub(super) fn json(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 4 } else { 7 }) {
            0 => self.number(),
            1 => self.one_of(&[Value::Null, Value::Bool(true)].each_ref()).clone(),
            2 | 3 => Value::from(self.text()),
            4 => Value::from(self.json(depth - 1).to_string()),
            5 => (0..self.below(4)).map(|_| self.json(depth - 1)).collect(),
            _ => {
                let entries = (0..self.below(4)).map(|_| (self.key(), self.json(depth - 1)));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// Small numbers, and such as look like cards and identity numbers.
    fn number(&mut self) -> Value {
        match self.below(6) {
            0 => Value::from(4_111_111_111_111_111_u64),
            1 => Value::from(90_010_112_349_u64),
            2 => serde_json::from_str("-4111111111111111.50").unwrap_or(Value::Null),
            3 => serde_json::from_str("4111111111111111e2").unwrap_or(Value::Null),
            _ => Value::from(self.below(65_536)),
        }
    }

    fn key(&mut self) -> String {
        const KEYS: [&str; 6] = ["password", "n", "email", "api_key", "note", "card"];
        if self.byte() < 200 { self.one_of(&KEYS).to_owned() } else { self.text() }
    }
}
