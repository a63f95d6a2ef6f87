//! Carriers: where the value of a recognised key begins and ends.
//!
//! One small value grammar knows JSON and nested JSON, name/value siblings, flat header lists, logfmt,
//! `k=v`, `k: v`, Python/Ruby/PHP/Java/Go dumps, XML elements and attributes, query strings, CLI flags,
//! headers, cookies and connection strings.

pub mod cursor;
pub mod kind;
