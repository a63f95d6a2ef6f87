//! What is wrong with a text, where, and how to mend it.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::cell::RefCell;
use std::ops::Range;

/// How bad a problem is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Worth knowing; the text still loads.
    Warning,
    /// The text does not load.
    Error,
}

/// One mistake of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The file as the caller named it.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Byte range in the text.
    pub span: Range<usize>,
    /// It is about the machine or the file as a whole, noted at `0..0`: no place in the text shows it.
    pub placeless: bool,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The rule or section the place belongs to, where it has a name.
    pub subject: Option<String>,
}

/// The mistakes of one text, gathered while it is read.
pub struct Problems<'t> {
    file: String,
    text: &'t str,
    found: RefCell<Vec<Problem>>,
    subject: RefCell<Option<String>>,
}

impl<'t> Problems<'t> {
    /// No problems yet in `text`, which messages call `file`.
    pub fn new(file: &str, text: &'t str) -> Problems<'t> {
        Problems { file: file.to_owned(), text, found: RefCell::default(), subject: RefCell::default() }
    }

    /// Notes an error at `span`.
    pub fn error(&self, span: &Range<usize>, message: impl Into<String>) {
        self.note(Severity::Error, span, message.into(), None);
    }

    /// Notes an error at `span` and what to do about it.
    pub fn error_with_help(&self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.note(Severity::Error, span, message.into(), Some(help.into()));
    }

    /// Notes a warning at `span` and what to do about it.
    pub fn warning(&self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.note(Severity::Warning, span, message.into(), Some(help.into()));
    }

    /// Names the rule or section that the next problems belong to.
    pub fn set_subject(&self, subject: Option<&str>) {
        *self.subject.borrow_mut() = subject.map(str::to_owned);
    }

    /// True once an error was noted.
    pub fn any_error(&self) -> bool {
        self.found.borrow().iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Number of errors noted so far.
    pub fn error_count(&self) -> usize {
        self.found.borrow().iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// The text the problems are about.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Everything noted, in the order of the text.
    pub fn into_list(self) -> Vec<Problem> {
        let mut list = self.found.into_inner();
        list.sort_by_key(|problem| problem.span.start);
        list
    }

    fn note(&self, severity: Severity, span: &Range<usize>, message: String, help: Option<String>) {
        let placeless = *span == (0..0);
        let span = visible(self.text, span);
        let before = &self.text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        self.found.borrow_mut().push(Problem {
            severity,
            file: self.file.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span,
            placeless,
            message,
            help,
            subject: self.subject.borrow().clone(),
        });
    }
}

/// The part of `span` that lies on its first line, on character borders, at least one character long
/// where the line has one.
fn visible(text: &str, span: &Range<usize>) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    let line_end = text[start..].find(['\r', '\n']).map_or(text.len(), |at| start + at);
    let end = floor(span.end).clamp(start, line_end);
    let one = text[start..line_end].chars().next().map_or(0, char::len_utf8);
    start..end.max(start + one)
}

impl Problem {
    /// The problem as people see it: title, the line with carets, help. `text` is the text it was found
    /// in; `color` asks for terminal colours.
    pub fn render(&self, text: &str, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = match &self.subject {
            Some(subject) => format!("{subject}: {}", self.message),
            None => self.message.clone(),
        };
        let mut group = Group::with_title(level.primary_title(title));
        if !self.placeless {
            let mark = AnnotationKind::Primary.span(visible(text, &self.span));
            group = group.element(Snippet::source(text).path(self.file.as_str()).annotation(mark));
        } else if self.severity == Severity::Error {
            group = group.element(Origin::path(self.file.as_str()));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

/// `file:line:column: message (help)`: one line, for logs and lists.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if let Some(subject) = &self.subject {
            write!(f, "{subject}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}
