//! Carriers: where the value of a recognised key begins and ends.
//!
//! One small value grammar knows JSON and nested JSON, name/value siblings, flat header lists, logfmt,
//! `k=v`, `k: v`, Python/Ruby/PHP/Java/Go dumps, XML elements and attributes, query strings, CLI flags,
//! headers, cookies and connection strings. It works on raw bytes inside a [`scope`] and writes findings
//! with a [`reader`]; every byte read is paid for at the [`cursor`].
//!
//! From the bottom up: [`keep`] and [`kind`] judge a scalar; [`quoted`], [`bare`] and [`plain`] find
//! its end; [`header`] and [`scalar`] read inside it; [`container`] and [`value`] read what a key owns.

pub(crate) mod bare;
pub(crate) mod bound;
pub(crate) mod call;
pub mod carry;
pub(crate) mod column;
pub(crate) mod columns;
pub(crate) mod command;
pub(crate) mod container;
pub mod cursor;
pub(crate) mod full_name;
pub(crate) mod grid;
pub(crate) mod header;
pub(crate) mod json_rows;
pub(crate) mod keep;
pub mod kind;
pub mod labels;
pub(crate) mod lines;
pub(crate) mod markup;
pub(crate) mod member;
pub(crate) mod multipart;
pub(crate) mod owner;
pub(crate) mod pair;
pub(crate) mod plain;
pub(crate) mod prose;
pub(crate) mod quoted;
pub(crate) mod reader;
pub(crate) mod resume;
pub(crate) mod rows;
pub(crate) mod scalar;
pub(crate) mod scheme;
pub(crate) mod scope;
pub(crate) mod section;
pub(crate) mod sibling;
pub(crate) mod value;
pub(crate) mod weak;
