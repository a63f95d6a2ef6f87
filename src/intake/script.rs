//! What the intake does to the n-th request instead of its duty: statuses, cuts, stalls.
//!
//! Written form, for `--script`: steps separated by commas; after a `|` come steps that repeat without end
//! (without it the intake does its duty once the steps are used up). A step is a status (`503`; 202 means
//! the duty), a status with `Retry-After` (`429:2` seconds, `429:date:2` the date two seconds ahead), `cut`
//! (the connection, in the middle of the body), `cut-before` or `cut-after` the body, `cut-stored` (kept,
//! then cut before the answer), `stall`, `drip` (the answer byte by byte), `redirect:URL`; and `+500ms`
//! behind any of them delays it.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::Duration;

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// The duty: check and answer.
    Accept,
    /// Answer so, keep nothing.
    Status(u16, Option<RetryAfter>),
    /// Answer 307 to this address.
    Redirect(String),
    /// Cut before the body is read.
    CutBefore,
    /// Cut in the middle of the body.
    CutDuring,
    /// Read the body, keep nothing, cut.
    CutAfter,
    /// Do the duty and keep, then cut instead of answering: the client must send again.
    CutStored,
    /// Never answer; hold the connection.
    Stall,
    /// Do the duty, answer with this pause before each byte.
    Drip(Duration),
}

/// Form of a `Retry-After` header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetryAfter {
    /// Seconds.
    Seconds(u64),
    /// The date this many seconds ahead.
    Date(u64),
}

/// An action, perhaps delayed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// How long to wait first.
    pub delay: Duration,
}

impl From<Action> for Step {
    fn from(action: Action) -> Step {
        Step { action, delay: Duration::ZERO }
    }
}

impl From<u16> for Step {
    fn from(status: u16) -> Step {
        Action::from(status).into()
    }
}

impl From<u16> for Action {
    fn from(status: u16) -> Action {
        if status == 202 { Action::Accept } else { Action::Status(status, None) }
    }
}

/// Steps for the requests to come.
#[derive(Clone, Default, Debug)]
pub struct Script {
    steps: VecDeque<Step>,
    repeat: Vec<Step>,
    turn: usize,
    by_key: HashMap<String, Step>,
}

impl Script {
    /// These steps, then the duty.
    pub fn once(steps: impl IntoIterator<Item = Step>) -> Script {
        Script { steps: steps.into_iter().collect(), ..Script::default() }
    }

    /// After the steps, these without end.
    pub fn then_repeat(mut self, steps: impl IntoIterator<Item = Step>) -> Script {
        self.repeat = steps.into_iter().collect();
        self
    }

    /// Whatever the steps say, requests under `key` meet this one.
    pub fn for_key(mut self, key: &str, step: impl Into<Step>) -> Script {
        self.by_key.insert(key.to_owned(), step.into());
        self
    }

    /// The step for the next request.
    pub fn next(&mut self, key: Option<&str>) -> Step {
        if let Some(step) = key.and_then(|key| self.by_key.get(key)) {
            return step.clone();
        }
        if let Some(step) = self.steps.pop_front() {
            return step;
        }
        match self.repeat.len() {
            0 => Action::Accept.into(),
            n => {
                self.turn += 1;
                self.repeat[(self.turn - 1) % n].clone()
            }
        }
    }
}

/// A step that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadStep(String);

impl fmt::Display for BadStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "script step {:?} is not known; expected a status such as 503 or 429:2, cut, cut-before, cut-after, \
             cut-stored, stall, drip or redirect:URL, each with an optional delay such as +500ms",
            self.0
        )
    }
}

impl std::error::Error for BadStep {}

impl std::str::FromStr for Script {
    type Err = BadStep;

    fn from_str(text: &str) -> Result<Script, BadStep> {
        let (once, repeat) = text.split_once('|').unwrap_or((text, ""));
        let steps = |list: &str| {
            let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(|item| step(item).ok_or_else(|| BadStep(item.to_owned()))).collect::<Result<Vec<_>, _>>()
        };
        Ok(Script::once(steps(once)?).then_repeat(steps(repeat)?))
    }
}

fn step(text: &str) -> Option<Step> {
    if let Some(url) = text.strip_prefix("redirect:") {
        return Some(Action::Redirect(url.to_owned()).into());
    }
    let (name, delay) = match text.split_once('+') {
        Some((name, delay)) => (name, duration(delay)?),
        None => (text, Duration::ZERO),
    };
    Some(Step { action: action(name)?, delay })
}

fn action(name: &str) -> Option<Action> {
    Some(match name {
        "cut" => Action::CutDuring,
        "cut-before" => Action::CutBefore,
        "cut-after" => Action::CutAfter,
        "cut-stored" => Action::CutStored,
        "stall" => Action::Stall,
        "drip" => Action::Drip(Duration::from_millis(20)),
        _ => return status(name),
    })
}

fn status(text: &str) -> Option<Action> {
    let (code, wait) = match text.split_once(':') {
        None => (text, None),
        Some((code, wait)) => match wait.strip_prefix("date:") {
            Some(ahead) => (code, Some(RetryAfter::Date(ahead.parse().ok()?))),
            None => (code, Some(RetryAfter::Seconds(wait.parse().ok()?))),
        },
    };
    let code: u16 = code.parse().ok().filter(|code| (200..=599).contains(code))?;
    Some(if wait.is_none() { code.into() } else { Action::Status(code, wait) })
}

fn duration(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(number) => Some(Duration::from_millis(number.parse().ok()?)),
        None => Some(Duration::from_secs(text.strip_suffix('s')?.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_form_is_read() {
        let mut script: Script =
            "503, 429:2, 429:date:3, cut, cut-before, cut-after, cut-stored, stall, redirect:http://x/+y, 202+500ms | 500,drip"
                .parse()
                .expect("a script");
        let half = Duration::from_millis(500);
        let expected: Vec<Step> = vec![
            503.into(),
            Action::Status(429, Some(RetryAfter::Seconds(2))).into(),
            Action::Status(429, Some(RetryAfter::Date(3))).into(),
            Action::CutDuring.into(),
            Action::CutBefore.into(),
            Action::CutAfter.into(),
            Action::CutStored.into(),
            Action::Stall.into(),
            Action::Redirect("http://x/+y".into()).into(),
            Step { action: Action::Accept, delay: half },
            500.into(),
            Action::Drip(Duration::from_millis(20)).into(),
            500.into(),
        ];
        let steps: Vec<Step> = (0..expected.len()).map(|_| script.next(None)).collect();
        assert_eq!(steps, expected);
    }

    #[test]
    fn a_wrong_step_is_named() {
        for text in ["99", "600", "429:soon", "cuts", "202+5m", "503,,x"] {
            let error = text.parse::<Script>().err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains("expected a status"), "{text}: {error}");
        }
    }

    #[test]
    fn a_key_has_its_own_step_and_the_duty_comes_last() {
        let mut script = Script::once([503.into()]).for_key("revoked", 403);
        assert_eq!(script.next(Some("revoked")).action, Action::Status(403, None));
        assert_eq!(script.next(Some("good")).action, Action::Status(503, None));
        assert_eq!(script.next(Some("good")).action, Action::Accept);
        assert_eq!(script.next(None).action, Action::Accept);
    }
}
