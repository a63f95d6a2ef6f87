//! The keys of tokens while the agent runs: which one mints is decided by the time of redaction.
//!
//! [`LiveKeys`] holds the keyring as last read; a task re-reads the file when it has changed and judges it
//! every second. Every worker has a [`Mint`], which looks once a chunk whether its key still holds. Without a
//! usable key there is no plain hash and no old key: labels, a loud line, and a condition of readiness.

use super::progress::{KeyState, Progress};
use super::settings::TokenSettings;
use crate::keyring::{EpochKey, Keyring, KeyringError};
use crate::redact::Redactor;
use crate::token::Minter;
use arc_swap::ArcSwapOption;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Between two looks at the file and the clock.
const LOOK: Duration = Duration::from_secs(1);

/// The keyring as last read; clones share it. The default mints nothing.
#[derive(Clone, Default)]
pub struct LiveKeys(Arc<Shared>);

#[derive(Default)]
struct Shared {
    settings: Option<TokenSettings>,
    ring: ArcSwapOption<Keyring>,
}

/// What the file looked like when it was read.
type Seen = Option<(u64, i64, i64, u64)>;

impl LiveKeys {
    /// Reads the keyring that the settings name, if they name one. A keyring that cannot be used does not
    /// stop the agent: it is told and looked at again.
    pub fn open(settings: Option<TokenSettings>, progress: &Progress) -> LiveKeys {
        let keys = LiveKeys(Arc::new(Shared { settings, ring: ArcSwapOption::empty() }));
        if let Some(settings) = &keys.0.settings {
            let told = keys.read(settings);
            keys.tell(told, progress);
        }
        keys
    }

    /// Follows the file and the clock until dropped.
    pub async fn follow(self, progress: Arc<Progress>) {
        let Some(settings) = self.0.settings.clone() else { return std::future::pending().await };
        let mut seen = look(&settings);
        loop {
            tokio::time::sleep(LOOK).await;
            let (keys, settings) = (self.clone(), settings.clone());
            let judged = tokio::task::spawn_blocking(move || {
                let now_seen = look(&settings);
                let changed = now_seen != seen;
                let read = if changed || keys.0.ring.load().is_none() { keys.read(&settings) } else { keys.judge() };
                (now_seen, changed && read.is_ok(), read)
            });
            let Ok((now_seen, renewed, verdict)) = judged.await else { continue };
            seen = now_seen;
            if renewed {
                tracing::info!("the keyring was read again");
            }
            self.tell(verdict, &progress);
        }
    }

    /// A redactor that masks with the key of this moment.
    pub fn equip(&self, redactor: &mut Redactor) {
        Mint::new(self.clone()).equip(redactor, now());
    }

    /// Reads the file. One that cannot be read leaves the keys in force: they end by the clock anyway.
    fn read(&self, settings: &TokenSettings) -> Result<(), String> {
        match Keyring::load_for(&settings.path, settings.region) {
            Ok(ring) => {
                self.0.ring.store(Some(Arc::new(ring)));
                self.judge()
            }
            Err(error) => {
                if matches!(error, KeyringError::ForeignRegion { .. } | KeyringError::Exposed(..)) {
                    self.0.ring.store(None);
                }
                Err(error.to_string())
            }
        }
    }

    fn judge(&self) -> Result<(), String> {
        let Some(ring) = self.0.ring.load_full() else { return Err("no keyring could be read".to_owned()) };
        ring.active(now()).map_err(|error| error.to_string())?;
        match ring.overdue(now()).next() {
            None => Ok(()),
            Some(key) => Err(format!(
                "{}: the key of epoch {} should have been destroyed; run: logveil key destroy --overdue",
                ring.path().display(),
                key.epoch
            )),
        }
    }

    fn state(&self) -> Option<KeyState> {
        let (ring, now) = (self.0.ring.load_full()?, now());
        let remaining = ring.active(now).map_or(0, |key| key.valid_until - now);
        let overdue = ring.overdue(now).map(|key| now - key.destroy_by).max().unwrap_or(0);
        Some(KeyState { alive: ring.keys().len() as u64, remaining, overdue })
    }

    /// Says aloud what has changed about the keys.
    fn tell(&self, verdict: Result<(), String>, progress: &Progress) {
        progress.set_keys(self.state());
        let why = verdict.err();
        if why == progress.tokens() {
            return;
        }
        match &why {
            Some(why) => {
                tracing::error!(code = "LV0302", why, "the keyring needs attention; labels where no key mints")
            }
            None => tracing::info!("the keyring is in order again"),
        }
        progress.set_tokens(why);
    }
}

/// One redactor's share in the keys.
pub(super) struct Mint {
    keys: LiveKeys,
    ring: Option<Arc<Keyring>>,
    /// The present choice holds from the first to before the second, Unix seconds.
    holds: (i64, i64),
}

impl Mint {
    pub(super) fn new(keys: LiveKeys) -> Mint {
        Mint { keys, ring: None, holds: (0, 0) }
    }

    /// Gives the redactor the key of `now` (Unix seconds) when it is another one than before.
    pub(super) fn equip(&mut self, redactor: &mut Redactor, now: i64) {
        let Some(settings) = &self.keys.0.settings else { return };
        let ring = self.keys.0.ring.load();
        let same = ring.as_ref().map(Arc::as_ptr) == self.ring.as_ref().map(Arc::as_ptr);
        if same && (self.holds.0..self.holds.1).contains(&now) {
            return;
        }
        self.ring = ring.clone();
        let key = self.ring.as_ref().and_then(|ring| ring.active(now).ok());
        self.holds = key.map_or((now, now + 1), |key| (key.valid_from, key.valid_until));
        redactor.set_minter(key.map(|key| minter(key, settings)));
    }
}

fn minter(key: &EpochKey, settings: &TokenSettings) -> Minter {
    Minter::new(&key.key, settings.region, key.epoch, settings.country)
}

fn look(settings: &TokenSettings) -> Seen {
    let meta = std::fs::metadata(&settings.path).ok()?;
    Some((meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.size()))
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::EPOCH_SECONDS;
    use crate::redact::{RuleSet, StreamState};

    fn masked(redactor: &mut Redactor, text: &str) -> String {
        let mut out = Vec::new();
        redactor.redact(&mut StreamState::default(), text.as_bytes(), &[text.len() as u32], &mut |record| {
            record.write_to(&mut out);
        });
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_key_is_that_of_the_moment_and_none_means_labels() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ring.json");
        let mut ring = Keyring::empty(&path, "eu");
        ring.extend(now()).expect("keys");
        ring.save().expect("written");
        let progress = Progress::default();
        let settings = TokenSettings { path: path.clone(), region: "eu", country: None };
        let mut mint = Mint::new(LiveKeys::open(Some(settings), &progress));
        assert_eq!(progress.tokens(), None);
        let mut redactor = Redactor::new(RuleSet::builtin());
        let mut at = |mint: &mut Mint, when| {
            mint.equip(&mut redactor, when);
            masked(&mut redactor, "mail to zofia.k@example.org bounced")
        };
        let first = at(&mut mint, now());
        assert!(first.contains("em_"), "{first}");
        assert_eq!(at(&mut mint, now()), first);
        let second = at(&mut mint, now() + EPOCH_SECONDS);
        assert!(second.contains("em_") && second != first, "{second}");
        assert!(at(&mut mint, now() + 2 * EPOCH_SECONDS).contains("[email]"), "both keys have ended");
        assert_eq!(at(&mut mint, now()), first, "a clock set back takes the key of that time");
    }

    #[test]
    fn a_keyring_that_is_not_ours_mints_nothing_and_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ring.json");
        let mut ring = Keyring::empty(&path, "us");
        ring.extend(now()).expect("keys");
        ring.save().expect("written");
        let progress = Progress::default();
        let keys = LiveKeys::open(Some(TokenSettings { path, region: "eu", country: None }), &progress);
        assert!(progress.tokens().is_some_and(|why| why.contains("region")), "{:?}", progress.tokens());
        let mut redactor = Redactor::new(RuleSet::builtin());
        keys.equip(&mut redactor);
        assert!(masked(&mut redactor, "mail to zofia.k@example.org").contains("[email]"));
    }
}
