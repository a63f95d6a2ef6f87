//! The one strict YAML loader, for configuration and rule files.
//!
//! A text becomes a tree of [`Node`]s that know their place ([`parse`]); typed readers ([`Fields`] and the
//! `read_*` methods of [`Node`]) take values out of it and note every mistake in [`Problems`] instead of
//! stopping at the first. Unknown and repeated keys, wrong types and missing fields all carry file, line,
//! column, the place itself and what to do.
//!
//! Strictness: one document; no anchors, aliases, merge keys or tags; no environment interpolation; text
//! is text only when it cannot be taken for a number, a truth value or null (quotes decide otherwise).
//! Limits: [`MAX_BYTES`] a text, [`MAX_NODES`] nodes, [`MAX_DEPTH`] levels.

mod fields;
mod nearest;
mod problem;
mod tree;

pub use fields::Fields;
pub use nearest::nearest;
pub use problem::{Problem, Problems, Severity};
pub use tree::{Entry, MAX_BYTES, MAX_DEPTH, MAX_NODES, Node, Value, parse};

#[cfg(test)]
mod tests;
