//! From an event to one line on standard error: collect, redact, escape, write at once.

use super::limit::Limiter;
use super::{Format, Level};
use crate::redact::{Piece, Redactor, RuleSet, StreamState};
use std::fmt::{Debug, Write as _};
use std::io::Write as _;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Longest message, bytes; the rest is cut.
const LONGEST: usize = 8 * 1024;

/// The rules that the own log is masked by.
#[derive(Clone)]
pub struct LogRules(Arc<Mutex<State>>);

impl LogRules {
    /// From now on messages are masked by these.
    pub fn replace(&self, rules: Arc<RuleSet>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).redactor.set_rules(rules);
    }
}

/// Makes this the process's log. A second call changes nothing.
pub fn install(level: Level, format: Format, rules: Arc<RuleSet>) -> LogRules {
    let state = Arc::new(Mutex::new(State::new(rules)));
    let own = OwnLog { format, journal: under_journal(), state: state.clone() };
    let lowest = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    // Only this program speaks: libraries could put anything into their messages.
    let ours = tracing_subscriber::filter::filter_fn(|meta| meta.target().starts_with("logveil"));
    let _ = tracing_subscriber::registry().with(own.with_filter(lowest).with_filter(ours)).try_init();
    LogRules(state)
}

struct OwnLog {
    format: Format,
    /// Standard error is the journal's socket.
    journal: bool,
    state: Arc<Mutex<State>>,
}

struct State {
    redactor: Redactor,
    limiter: Limiter,
}

impl State {
    fn new(rules: Arc<RuleSet>) -> State {
        State { redactor: Redactor::new(rules), limiter: Limiter::default() }
    }

    /// The text with masks, escaped.
    fn clean(&mut self, text: &str) -> String {
        let mut out = Vec::with_capacity(text.len());
        let bytes = &text.as_bytes()[..text.floor_char_boundary(LONGEST)];
        // One record, whatever line ends it holds: a message cannot make a second line of the log.
        self.redactor.redact(&mut StreamState::default(), bytes, &[bytes.len() as u32], &mut |record| {
            for piece in record.pieces() {
                match piece {
                    Piece::Keep(bytes) | Piece::Mask(bytes) => out.extend_from_slice(bytes),
                }
            }
        });
        escape(&String::from_utf8_lossy(&out))
    }
}

impl<S: Subscriber> Layer<S> for OwnLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(held_back) = state.limiter.pass(event.metadata().callsite(), Instant::now()) else { return };
        let mut parts = Parts::default();
        event.record(&mut parts);
        if held_back > 0 {
            parts.fields.push(("held_back".to_owned(), held_back.to_string()));
        }
        let message = state.clean(&parts.message);
        let fields: Vec<_> = parts.fields.iter().map(|(name, value)| (name.clone(), state.clean(value))).collect();
        let line = self.line(*event.metadata().level(), &message, &fields);
        // Nobody is left to be told that the log cannot be written.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

impl OwnLog {
    fn line(&self, level: tracing::Level, message: &str, fields: &[(String, String)]) -> String {
        let (name, priority) = match level {
            tracing::Level::ERROR => ("error", 3),
            tracing::Level::WARN => ("warn", 4),
            tracing::Level::INFO => ("info", 6),
            _ => ("debug", 7),
        };
        let mut line = if self.journal { format!("<{priority}>") } else { String::new() };
        let now = jiff::Timestamp::try_from(SystemTime::now()).unwrap_or_default();
        match self.format {
            Format::Json => {
                let mut object = serde_json::Map::new();
                object.insert("time".into(), format!("{now:.3}").into());
                object.insert("level".into(), name.into());
                object.insert("message".into(), message.into());
                for (name, value) in fields {
                    object.insert(name.clone(), value.as_str().into());
                }
                line.push_str(&serde_json::Value::Object(object).to_string());
            }
            Format::Text => {
                // The journal keeps the time itself.
                if !self.journal {
                    let _ = write!(line, "{now:.3} ");
                }
                let _ = write!(line, "{name:<5} {message}");
                for (name, value) in fields {
                    let quote = if value.contains(' ') { "\"" } else { "" };
                    let _ = write!(line, " {name}={quote}{value}{quote}");
                }
            }
        }
        line.push('\n');
        line
    }
}

#[derive(Default)]
struct Parts {
    message: String,
    fields: Vec<(String, String)>,
}

impl Visit for Parts {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            name => self.fields.push((name.to_owned(), value.to_owned())),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Marks that change the direction of writing could make a line read as another one.
        let direction = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || direction { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// True when standard error is the socket that systemd named in `JOURNAL_STREAM`.
fn under_journal() -> bool {
    let named = std::env::var("JOURNAL_STREAM").ok();
    let ours = rustix::fs::fstat(std::io::stderr().as_fd()).ok().map(|s| format!("{}:{}", s.st_dev, s.st_ino));
    named.is_some() && named == ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_redacted_and_cannot_forge_lines() {
        let mut state = State::new(RuleSet::builtin());
        let shown = state.clean("for ana.diaz@mail.example\n2026 error forged \u{1b}[31m \u{202e}");
        assert!(!shown.contains("ana.diaz"), "{shown}");
        assert!(!shown.contains(['\n', '\u{1b}', '\u{202e}']), "{shown}");
        assert!(state.clean(&"x".repeat(1 << 20)).len() <= LONGEST);
    }

    #[test]
    fn lines_have_their_form() {
        let log =
            |format, journal| OwnLog { format, journal, state: Arc::new(Mutex::new(State::new(RuleSet::builtin()))) };
        let fields = [("source".to_owned(), "work flows".to_owned())];
        let text = log(Format::Text, true).line(tracing::Level::WARN, "slow", &fields);
        assert_eq!(text, "<4>warn  slow source=\"work flows\"\n");
        let json = log(Format::Json, false).line(tracing::Level::ERROR, "a \"b\"", &fields);
        let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!((read["level"].as_str(), read["message"].as_str()), (Some("error"), Some("a \"b\"")));
    }
}
