//! What the stack traces of six languages look like, as the state after each line.
//!
//! Frames are told by their form (`at f(`, `File "…", line 1`, `0: f`), heads by theirs (`Traceback (most recent
//! call last):`, `panic: `, `thread '…' panicked at`). A head joins the line before it only when that line
//! announces an error: a logger writes its own line and then the trace.

/// A set of languages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Languages(u8);

/// Names as written in a configuration.
pub const LANGUAGES: &[(&str, Languages)] = &[
    ("java", Languages::JAVA),
    ("python", Languages::PYTHON),
    ("go", Languages::GO),
    ("node", Languages::NODE),
    ("dotnet", Languages::DOTNET),
    ("rust", Languages::RUST),
];

impl Languages {
    /// Java, Kotlin, Scala.
    pub const JAVA: Languages = Languages(1);
    /// Python.
    pub const PYTHON: Languages = Languages(2);
    /// Go.
    pub const GO: Languages = Languages(4);
    /// JavaScript on Node.
    pub const NODE: Languages = Languages(8);
    /// C#, F#.
    pub const DOTNET: Languages = Languages(16);
    /// Rust.
    pub const RUST: Languages = Languages(32);
    /// All of them.
    pub const ALL: Languages = Languages(63);
    /// None of them.
    pub const NONE: Languages = Languages(0);

    /// Both sets together.
    #[must_use]
    pub fn with(self, other: Languages) -> Languages {
        Languages(self.0 | other.0)
    }

    /// True when one of `any` is in this set.
    fn has(self, any: Languages) -> bool {
        self.0 & any.0 != 0
    }
}

/// What the open group is, after its last line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// A line; a head joins it when it announces an error.
    Line { announces: bool },
    /// A line that names an exception, or frames of Java, .NET or Node.
    Frames,
    /// Node prints the error's fields: up to the closing brace.
    Fields,
    /// Within a Python traceback.
    Python,
    /// Behind a Python exception: another traceback may be chained.
    PythonEnd,
    /// Within the dump of a Go program.
    Go,
    /// The message of a Rust panic comes next.
    RustMessage,
    /// Behind a Rust panic.
    Rust,
}

const JVM: Languages = Languages(Languages::JAVA.0 | Languages::DOTNET.0);
const BY_AT: Languages = Languages(JVM.0 | Languages::NODE.0);

impl State {
    /// The state after a group's first line.
    pub(super) fn of_first(line: &[u8]) -> State {
        if let Some(head) = head(line, Languages::ALL) {
            return head;
        }
        if frame(line) { State::Frames } else { State::Line { announces: announces(line) } }
    }

    /// The state after one more line; none when the line does not belong to the group.
    pub(super) fn next(self, line: &[u8], on: Languages) -> Option<State> {
        let own_frames = matches!(self, State::Python | State::Go | State::RustMessage | State::Rust);
        if on.has(BY_AT) && !own_frames && (frame(line) || cause(line)) {
            let fields = on.has(Languages::NODE) && line.ends_with(b" {");
            return Some(if fields { State::Fields } else { State::Frames });
        }
        match self {
            State::Line { announces } => head(line, on).filter(|_| announces),
            State::Frames => (on.has(Languages::NODE) && line == b"}").then_some(State::Frames),
            State::Fields if line == b"}" => Some(State::Frames),
            State::Fields => indented(line).then_some(State::Fields),
            State::Python => python(line, on),
            State::PythonEnd => chained(line, on),
            State::Go => (on.has(Languages::GO) && go(line)).then_some(State::Go),
            State::RustMessage => on.has(Languages::RUST).then_some(State::Rust),
            State::Rust => (on.has(Languages::RUST) && rust(line)).then_some(State::Rust),
        }
    }
}

/// The state behind a line that begins a trace.
fn head(line: &[u8], on: Languages) -> Option<State> {
    if on.has(Languages::PYTHON) && line.trim_ascii().ends_with(b"Traceback (most recent call last):") {
        return Some(State::Python);
    }
    if on.has(Languages::GO) && (line.starts_with(b"panic: ") || line.starts_with(b"fatal error: ") || goroutine(line))
    {
        return Some(State::Go);
    }
    if on.has(Languages::RUST) && line.starts_with(b"thread '") && contains(line, b" panicked at ") {
        // Since 1.73 the message stands on the next line; before, on this one.
        return Some(if line.ends_with(b":") { State::RustMessage } else { State::Rust });
    }
    if on.has(BY_AT) && names_exception(line) {
        return Some(State::Frames);
    }
    None
}

/// `at package.Class.method(File.java:1)`, `at f (file.js:1:2)`, `at file.js:1:2`, `at Ns.T.M() in f.cs:line 1`.
fn frame(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    let Some(place) = text.strip_prefix(b"at ").filter(|_| text.len() < line.len()) else { return false };
    place.contains(&b'(') || place.contains(&b':')
}

/// What stands between the frames of nested exceptions.
fn cause(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    let nested: [&[u8]; 5] = [b"Caused by: ", b"Suppressed: ", b"---> ", b"--- End of ", b"[cause]: "];
    let inside = text.len() < line.len();
    let starts = nested.iter().any(|word| text.starts_with(word));
    let omitted = text.strip_prefix(b"... ").is_some_and(|rest| {
        rest.first().is_some_and(u8::is_ascii_digit)
            && (rest.ends_with(b" more") || contains(rest, b"frames omitted") || contains(rest, b"lines matching"))
    });
    starts && (inside || text.starts_with(b"Caused by: ") || text.starts_with(b"--- End of ")) || inside && omitted
}

/// `java.lang.IllegalStateException: …`, `System.NullReferenceException: …`, `TypeError: …`.
fn names_exception(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"Exception in thread ").map_or(line, after_quoted);
    let line = line.strip_prefix(b"Unhandled exception. ").unwrap_or(line);
    let line = line.strip_prefix(b"Uncaught ").unwrap_or(line);
    let end = line.iter().position(|b| !(b.is_ascii_alphanumeric() || b"._$".contains(b))).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let ends = [&b"Exception"[..], b"Error", b"Throwable"].iter().any(|word| name.ends_with(word));
    let upper = name.rsplit(|&b| b == b'.').next().and_then(<[u8]>::first).is_some_and(u8::is_ascii_uppercase);
    ends && upper && (rest.is_empty() || rest[0] == b':' || rest.starts_with(b" ["))
}

fn after_quoted(text: &[u8]) -> &[u8] {
    let inside = text.strip_prefix(b"\"").unwrap_or(text);
    memchr::memmem::find(inside, b"\" ").map_or(text, |at| &inside[at + 2..])
}

fn python(line: &[u8], on: Languages) -> Option<State> {
    if !on.has(Languages::PYTHON) {
        return None;
    }
    if indented(line) {
        return Some(State::Python);
    }
    let end = line.iter().position(|b| !(b.is_ascii_alphanumeric() || b"._".contains(b) || *b >= 0x80));
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    (!name.is_empty() && (rest.is_empty() || rest[0] == b':')).then_some(State::PythonEnd)
}

/// Behind an exception: a blank line, the words that join two tracebacks, or the next traceback.
fn chained(line: &[u8], on: Languages) -> Option<State> {
    let words: [&[u8]; 2] = [b"During handling of the above exception", b"The above exception was the direct cause"];
    if !on.has(Languages::PYTHON) {
        return None;
    }
    if line.is_empty() || words.iter().any(|w| line.starts_with(w)) {
        return Some(State::PythonEnd);
    }
    head(line, Languages::PYTHON)
}

fn goroutine(line: &[u8]) -> bool {
    let number = line.strip_prefix(b"goroutine ");
    number.is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit) && rest.ends_with(b"]:"))
}

fn go(line: &[u8]) -> bool {
    let starts: [&[u8]; 5] = [b"\t", b"[signal ", b"created by ", b"exit status ", b"panic: "];
    if line.is_empty() || goroutine(line) || starts.iter().any(|s| line.starts_with(s)) {
        return true;
    }
    // `main.(*Server).serve(0xc000010000, {0x1, 0x2})`, `runtime.goexit({})`
    let call = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
    line.ends_with(b")") && line[..call].contains(&b'(') && line[..call].contains(&b'.')
}

fn rust(line: &[u8]) -> bool {
    indented(line) || line.starts_with(b"note: ") || line == b"stack backtrace:"
}

fn indented(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// A line of a logger that reports an error.
fn announces(line: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [b"error", b"exception", b"critical", b"fatal", b"warn", b"severe", b"panic", b"fail"];
    let mut lower = [0; 512];
    let len = line.len().min(lower.len());
    lower[..len].copy_from_slice(&line[..len]);
    lower[..len].make_ascii_lowercase();
    WORDS.iter().any(|word| contains(&lower[..len], word))
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(text, word).is_some()
}
