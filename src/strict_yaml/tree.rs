//! From text to a tree of nodes that know where they stand.

use super::problem::Problems;
use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span};
use std::ops::Range;

/// Longest text that is read, in bytes.
pub const MAX_BYTES: usize = 8 << 20;
/// Most nodes of one text.
pub const MAX_NODES: usize = 500_000;
/// Deepest nesting of lists and maps.
pub const MAX_DEPTH: usize = 32;

/// A value and its place in the text.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// Byte range; for lists and maps it starts with their first element.
    pub span: Range<usize>,
    /// What stands there.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A scalar. `plain`: written without quotes, so `true`, `12` and `null` are not text.
    Scalar {
        /// Decoded text.
        text: String,
        /// Written without quotes or block marker.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map, in the order written; keys are distinct.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// The key's place.
    pub span: Range<usize>,
    /// Its value.
    pub value: Node,
}

/// Parses `text` into one tree. Mistakes of the syntax are noted in `problems`; repeated keys, aliases and
/// tags are noted and the rest is still read. `None` when there is nothing to go on with.
pub fn parse(text: &str, problems: &Problems<'_>) -> Option<Node> {
    if text.len() > MAX_BYTES {
        problems.error(&(0..0), format!("the file is {} bytes long, the limit is {MAX_BYTES}", text.len()));
        return None;
    }
    let mut options = Options::default();
    options.emit_comments = false;
    options.emit_unresolved_aliases = true;
    let mut builder = Builder { problems, open: Vec::new(), root: None, nodes: 0, documents: 0 };
    for next in Parser::new_from_str_with_options(text, options) {
        match next {
            Ok((event, span)) => {
                builder.take(event, bytes(&span))?;
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len());
                problems.error(&(at..at), format!("not YAML: {}", error.info()));
                return builder.finish();
            }
        }
    }
    builder.finish()
}

fn bytes(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0)
}

/// A list or map that is still being read.
enum Open {
    List(Range<usize>, Vec<Node>),
    Map(Range<usize>, Vec<Entry>, Option<(String, Range<usize>)>),
}

struct Builder<'p, 't> {
    problems: &'p Problems<'t>,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
}

impl Builder<'_, '_> {
    /// Takes one event; `None` when reading must stop.
    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Option<()> {
        if let Some(tag) = event.tag() {
            let written = format!("{tag}");
            self.problems.error_with_help(
                &span,
                format!("tag '{written}' is not supported"),
                "remove it; quotes make text",
            );
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.problems.error_with_help(&span, "a second document", "one file holds one document");
                    return None;
                }
            }
            Event::Scalar(text, style, ..) => {
                let plain = matches!(style, ScalarStyle::Plain);
                self.add(Node { span, value: Value::Scalar { text: text.into_owned(), plain } })?;
            }
            Event::SequenceStart(..) => self.enter(Open::List(span, Vec::new()))?,
            Event::MappingStart(..) => self.enter(Open::Map(span, Vec::new(), None))?,
            Event::SequenceEnd | Event::MappingEnd => self.leave(span.end)?,
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.problems.error_with_help(&span, "aliases are not supported", "write the value out");
                self.add(Node { span, value: Value::Scalar { text: String::new(), plain: false } })?;
            }
            _ => {}
        }
        Some(())
    }

    fn enter(&mut self, open: Open) -> Option<()> {
        if self.open.len() >= MAX_DEPTH {
            let (Open::List(span, _) | Open::Map(span, ..)) = &open;
            self.problems.error(span, format!("nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        self.open.push(open);
        Some(())
    }

    fn leave(&mut self, end: usize) -> Option<()> {
        let node = match self.open.pop()? {
            Open::List(span, items) => Node { span: span.start..end, value: Value::List(items) },
            Open::Map(span, entries, _) => Node { span: span.start..end, value: Value::Map(entries) },
        };
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Option<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            self.problems.error(&node.span, format!("more than {MAX_NODES} values"));
            return None;
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, entries, pending)) => match pending.take() {
                None => *pending = Some(key(node, self.problems)),
                Some((key, span)) => entry(entries, Entry { key, span, value: node }, self.problems),
            },
        }
        Some(())
    }

    /// The root, or what was read of it before a syntax error.
    fn finish(mut self) -> Option<Node> {
        while !self.open.is_empty() {
            let end = self.problems.text().len();
            self.leave(end)?;
        }
        self.root
    }
}

fn key(node: Node, problems: &Problems<'_>) -> (String, Range<usize>) {
    match node.value {
        Value::Scalar { text, .. } => (text, node.span),
        _ => {
            problems.error_with_help(&node.span, "a key must be text", "write 'key: value'");
            (String::new(), node.span)
        }
    }
}

fn entry(entries: &mut Vec<Entry>, new: Entry, problems: &Problems<'_>) {
    match entries.iter().find(|known| known.key == new.key) {
        None => entries.push(new),
        Some(first) => {
            let line = problems.text()[..first.span.start.min(problems.text().len())].matches('\n').count() + 1;
            problems.error_with_help(
                &new.span,
                format!("key '{}' is written twice", new.key),
                format!("it stands in line {line} already; remove one of them"),
            );
        }
    }
}
