//! What rules in shadow would have done: for each how many records, and a few masked samples.
//!
//! A sample is made of the record as shipped, masked once more by those rules in force: it shows no more than the
//! record does. Counts and samples lie in `shadow.json` of the state directory, so
//! that they outlive a restart; those of a rule that was written anew begin again.

use crate::durable;
use crate::redact::rule::{Rule, Stage};
use crate::redact::{Redacted, Redactor, RuleSet, StreamState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Name of the file in the state directory.
const FILE: &str = "shadow.json";
/// Samples kept of the first records.
const FIRST: usize = 5;
/// Samples kept of a rule; those after the first ones are the latest.
const MOST: usize = 10;
/// Between two of the latest samples, milliseconds.
const APART: i64 = 10_000;
/// Characters of a record kept on each side of the mask.
const AROUND: usize = 80;
/// Between two writes of the file.
const SAVE: Duration = Duration::from_secs(10);

/// What is known of all rules in shadow; clones share it.
#[derive(Clone, Default)]
pub struct ShadowBook(Arc<Shared>);

#[derive(Default)]
struct Shared {
    rules: Mutex<BTreeMap<String, Watched>>,
    /// Something is not in the file yet.
    unsaved: AtomicBool,
}

/// What a rule in shadow would have done.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Watched {
    /// Digest of how the rule is written.
    form: String,
    /// Records in which it would have masked something.
    pub records: u64,
    /// Time of the first such record, Unix milliseconds.
    pub first: Option<i64>,
    /// Time of the last one.
    pub last: Option<i64>,
    /// The first records and the latest ones.
    pub samples: Vec<Sample>,
}

/// A masked piece of a record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// When it was read, Unix milliseconds.
    pub at: i64,
    /// Source it came from.
    pub source: String,
    /// What stands around the mask.
    pub text: String,
}

impl Watched {
    fn wants_sample(&self, now: i64) -> bool {
        self.samples.len() < FIRST || self.samples.last().is_none_or(|last| now - last.at >= APART)
    }

    fn keep(&mut self, sample: Sample) {
        if self.samples.len() >= MOST {
            self.samples.remove(FIRST);
        }
        self.samples.push(sample);
    }
}

impl ShadowBook {
    /// The counts and samples that an agent left in its state directory.
    ///
    /// # Errors
    /// The file cannot be read or is none of ours.
    pub fn read(state_dir: &Path) -> io::Result<BTreeMap<String, Watched>> {
        Ok(serde_json::from_slice(&std::fs::read(state_dir.join(FILE))?)?)
    }

    /// A copy of everything.
    pub fn all(&self) -> BTreeMap<String, Watched> {
        self.rules().clone()
    }

    /// Goes on under another rule set: rules that are not in shadow any more, or written anew, are forgotten.
    pub(super) fn follow(&self, rules: &RuleSet) {
        let mut book = self.rules();
        let mut known = std::mem::take(&mut *book);
        for rule in rules.rules().iter().filter(|rule| rule.stage == Stage::Shadow) {
            let form = form(rule);
            let watched = known.remove(&rule.id).filter(|watched| watched.form == form);
            book.insert(rule.id.clone(), watched.unwrap_or(Watched { form, ..Watched::default() }));
        }
    }

    /// Takes over what the last agent left.
    pub(super) fn resume(&self, state_dir: &Path) {
        let left = match ShadowBook::read(state_dir) {
            Ok(left) => left,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return tracing::warn!(%error, "{FILE} cannot be used; counts of rules in shadow begin again"),
        };
        let mut book = self.rules();
        for (id, watched) in left {
            match book.get_mut(&id) {
                Some(known) if known.form == watched.form => *known = watched,
                _ => {}
            }
        }
    }

    /// Writes the file now and then, until it is dropped.
    pub(super) async fn keep(self, state_dir: PathBuf) {
        loop {
            tokio::time::sleep(SAVE).await;
            let (book, state_dir) = (self.clone(), state_dir.clone());
            let _ = tokio::task::spawn_blocking(move || book.save(&state_dir)).await;
        }
    }

    /// Writes the file if something has changed.
    pub(super) fn save(&self, state_dir: &Path) {
        if !self.0.unsaved.swap(false, Ordering::Relaxed) {
            return;
        }
        let text = serde_json::to_vec(&self.all()).unwrap_or_default();
        if let Err(error) = durable::replace(&state_dir.join(FILE), &text, 0o600) {
            tracing::warn!(%error, "{FILE} cannot be written; counts of rules in shadow end with this run");
        }
    }

    fn rules(&self) -> MutexGuard<'_, BTreeMap<String, Watched>> {
        self.0.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Digest of how a rule is written.
fn form(rule: &Rule) -> String {
    blake3::hash(rule.decisions().as_bytes()).to_hex()[..16].to_owned()
}

/// One worker's eyes on the rules in shadow.
pub(super) struct ShadowWatch {
    book: ShadowBook,
    /// Masks as if they were in force.
    trial: Option<Redactor>,
}

impl ShadowWatch {
    /// Writes into `book`; `trial` holds the rules in shadow as if they were in force, where there are any.
    pub(super) fn new(book: ShadowBook, trial: Option<Arc<RuleSet>>) -> ShadowWatch {
        ShadowWatch { book, trial: trial.map(Redactor::new) }
    }

    /// Notes a record of `rules` in which rules in shadow would have masked something.
    #[cold]
    pub(super) fn note(&mut self, record: &Redacted<'_>, rules: &RuleSet, source: &str, now: i64) {
        let mut wanted = Vec::new();
        let mut book = self.book.rules();
        for rule in record.shadowed() {
            let Some(watched) = book.get_mut(rules.id(*rule)) else { continue };
            watched.records += 1;
            watched.first = watched.first.or(Some(now));
            watched.last = Some(now);
            if watched.wants_sample(now) {
                wanted.push(*rule);
            }
        }
        drop(book);
        self.book.0.unsaved.store(true, Ordering::Relaxed);
        let Some(trial) = self.trial.as_mut().filter(|_| !wanted.is_empty()) else { return };
        let mut text = Vec::new();
        record.write_to(&mut text);
        let tried = trial.rules().clone();
        trial.redact(&mut StreamState::default(), &text, &[text.len() as u32], &mut |again| {
            for rule in &wanted {
                let shown = again.masked().scan(0isize, |shift, (shown, raw, mask)| {
                    let at = raw.start.saturating_add_signed(*shift);
                    *shift += mask.len() as isize - raw.len() as isize;
                    Some((shown, at..at + mask.len()))
                });
                // Where another rule's mask covers it, that one stands there.
                let mut places: Vec<_> = shown.collect();
                places.sort_by_key(|(shown, place)| {
                    (shown.map(|shown| tried.id(shown)) != Some(rules.id(*rule)), place.start)
                });
                let Some((_, place)) = places.first() else { continue };
                let mut whole = Vec::new();
                again.write_to(&mut whole);
                let sample = Sample { at: now, source: source.to_owned(), text: around(&whole, place.clone()) };
                if let Some(watched) = self.book.rules().get_mut(rules.id(*rule)) {
                    watched.keep(sample);
                }
            }
        });
    }
}

/// What stands around a place, cut where it is long.
fn around(text: &[u8], place: std::ops::Range<usize>) -> String {
    let before = String::from_utf8_lossy(&text[..place.start]).into_owned();
    let after = String::from_utf8_lossy(&text[place.end..]).into_owned();
    let start = before.char_indices().rev().nth(AROUND - 1).map_or(0, |(at, _)| at);
    let end = after.char_indices().nth(AROUND).map_or(after.len(), |(at, _)| at);
    let (first, last) = (if start > 0 { "…" } else { "" }, if end < after.len() { "…" } else { "" });
    format!("{first}{}{}{}{last}", &before[start..], String::from_utf8_lossy(&text[place]), &after[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::builtin;
    use crate::redact::policy::Policy;

    /// E-mail addresses in shadow, passwords in force.
    fn set(change: impl Fn(&mut Rule)) -> RuleSet {
        let mut rules = builtin::rules();
        rules.retain(|rule| ["email", "password"].contains(&rule.id.as_str()));
        rules.iter_mut().filter(|rule| rule.id == "email").for_each(|rule| {
            rule.stage = Stage::Shadow;
            change(rule);
        });
        RuleSet::compile(rules, &Policy::default()).expect("a set")
    }

    fn note(book: &ShadowBook, set: &Arc<RuleSet>, line: &str, now: i64) {
        let trial = set.awakened().expect("a set").map(Arc::new);
        let mut watch = ShadowWatch::new(book.clone(), trial);
        let mut redactor = Redactor::new(set.clone());
        redactor.redact(&mut StreamState::default(), line.as_bytes(), &[line.len() as u32], &mut |record| {
            watch.note(record, set, "app", now);
        });
    }

    #[test]
    fn records_are_counted_and_samples_show_no_value_of_any_rule() {
        let (book, set) = (ShadowBook::default(), Arc::new(set(|_| {})));
        book.follow(&set);
        for n in 0..40 {
            note(&book, &set, &format!("password=hunter{n}zq for user{n}@mail.example done"), n * 1_000);
        }
        let watched = &book.all()["email"];
        assert_eq!((watched.records, watched.first, watched.last), (40, Some(0), Some(39_000)));
        assert!((FIRST..=MOST).contains(&watched.samples.len()));
        for sample in &watched.samples {
            assert_eq!(sample.text, "password=[password] for [email] done");
        }
        let at: Vec<i64> = watched.samples.iter().map(|sample| sample.at).collect();
        assert_eq!(at, [0, 1_000, 2_000, 3_000, 4_000, 14_000, 24_000, 34_000], "the first ones and some later ones");
    }

    #[test]
    fn a_restart_goes_on_counting_and_a_rule_written_anew_begins_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (book, rules) = (ShadowBook::default(), Arc::new(set(|_| {})));
        book.follow(&rules);
        note(&book, &rules, "to ana@mail.example", 7);
        book.save(folder.path());
        let next = ShadowBook::default();
        next.follow(&rules);
        next.resume(folder.path());
        assert_eq!(next.all(), book.all());
        next.follow(&set(|rule| rule.label = "address".into()));
        assert_eq!((next.all()["email"].records, next.all()["email"].samples.len()), (0, 0));
        next.follow(&set(|rule| rule.stage = Stage::Enforce));
        assert!(next.all().is_empty());
        std::fs::write(folder.path().join(FILE), "not ours").expect("written");
        next.resume(folder.path());
        assert!(next.all().is_empty());
    }

    #[test]
    fn long_records_are_cut_on_characters() {
        let text = format!("{}[email]{}", "ż".repeat(200), "ź".repeat(200));
        let at = "ż".repeat(200).len();
        let cut = around(text.as_bytes(), at..at + 7);
        assert_eq!(cut.chars().count(), 2 * AROUND + 7 + 2);
    }
}
