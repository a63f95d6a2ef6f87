//! How the expression of a rule is compiled: one way for the loader, which judges it, and the engine, which runs
//! it. Classes such as `\w` mean ASCII, the empty match is no match, and the program's size is bounded.

use regex::bytes::{Regex, RegexBuilder};

/// Bytes a compiled expression may take.
pub(super) const SIZE: usize = 256 << 10;

/// Compiles the expression of a rule.
pub(super) fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).unicode(false).size_limit(SIZE).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ascii_and_the_size_is_bounded() {
        let word = compile(r"^\w+$").unwrap();
        assert!(word.is_match(b"abc_1") && !word.is_match("zażółć".as_bytes()));
        assert!(matches!(compile(r"(?:[a-z]{100}[0-9]{100}){90}"), Err(regex::Error::CompiledTooBig(_))));
    }
}
