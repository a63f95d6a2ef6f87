//! The expression of a rule: one way to compile it for the loader, which judges it, and the engine, which runs it.
//! Classes such as `\w` mean ASCII, the empty match is no match, and the program's size is bounded.
//!
//! Compiled programs are large and most are never asked for on a host, so that those of the built-in pack wait for
//! their first use.

use regex::bytes::{Regex, RegexBuilder};
use std::sync::{Arc, OnceLock};

/// Bytes a compiled expression may take.
pub(super) const SIZE: usize = 256 << 10;

/// An expression over bytes; clones share the compiled program.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    compiled: Arc<OnceLock<Compiled>>,
}

/// The program, and the group whose bytes are masked; 0: the whole match.
pub(super) struct Compiled {
    pub(super) regex: Regex,
    pub(super) value: usize,
}

impl Expression {
    /// Compiles `text`.
    ///
    /// # Errors
    /// When it is no expression of this dialect, or larger than [`SIZE`].
    pub fn new(text: &str) -> Result<Expression, regex::Error> {
        let compiled = compile(text)?;
        Ok(Expression { compiled: Arc::new(OnceLock::from(compiled)), ..Expression::known(text) })
    }

    /// An expression that is known to compile, as tests have done it; it waits for its first use.
    pub(super) fn known(text: &str) -> Expression {
        Expression { text: text.into(), compiled: Arc::default() }
    }

    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The program.
    pub(super) fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| compile(&self.text).expect("known to compile"))
    }
}

fn compile(text: &str) -> Result<Compiled, regex::Error> {
    let regex = RegexBuilder::new(text).unicode(false).size_limit(SIZE).build()?;
    let value = regex.capture_names().position(|name| name == Some("value")).unwrap_or(0);
    Ok(Compiled { regex, value })
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.text == other.text
    }
}

/// As its text: what a rule decides does not depend on whether it has been asked yet.
impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ascii_and_the_size_is_bounded() {
        let word = Expression::known(r"^\w+$");
        let word = &word.compiled().regex;
        assert!(word.is_match(b"abc_1") && !word.is_match("zażółć".as_bytes()));
        assert!(matches!(Expression::new(r"(?:[a-z]{100}[0-9]{100}){90}"), Err(regex::Error::CompiledTooBig(_))));
    }

    #[test]
    fn the_value_is_the_group_of_that_name() {
        let value = |text| Expression::new(text).unwrap().compiled().value;
        assert_eq!((value("a(b)(?P<value>c)"), value("a(b)")), (2, 0));
    }
}
