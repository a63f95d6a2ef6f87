//! Places that were reached in content which is gone from under its name: truncated in place, or no longer found
//! after a start. For a while a copy is looked for under any name beside it, packed or not, so that what had not
//! been read can be read there.

use crate::source::content::Content;
use crate::source::copies::{Kin, Reached};
use crate::source::discover::Finder;
use crate::source::identity::{IdentityKey, Inode, Stat, stat};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How long a copy is looked for.
const SEARCH: Duration = Duration::from_secs(60);
/// A copy made while the agent runs has changed this recently.
const RECENT: Duration = Duration::from_secs(900);

/// Places whose copy is looked for.
#[derive(Default)]
pub(super) struct Orphans(Vec<Orphan>);

struct Orphan {
    reached: Reached,
    /// Where to look; none: everywhere.
    folder: Option<PathBuf>,
    until: Instant,
}

/// A copy that goes on behind the place.
pub(super) struct Found {
    pub(super) content: Content,
    pub(super) seen: Stat,
    pub(super) path: PathBuf,
    pub(super) reached: Reached,
}

impl Orphans {
    /// Looks for a copy of this from now on, in one folder or, without one, in all.
    pub(super) fn add(&mut self, reached: Reached, folder: Option<&Path>) {
        let until = Instant::now() + SEARCH;
        self.0.push(Orphan { reached, folder: folder.map(Path::to_owned), until });
    }

    /// Looks once; files of which `is_known` is true are left out, and so are names that a pattern matches:
    /// those are met as newcomers.
    pub(super) fn search(
        &mut self,
        finder: &Finder,
        key: &IdentityKey,
        folders: &BTreeSet<PathBuf>,
        is_known: &dyn Fn(&Inode) -> bool,
    ) -> Vec<Found> {
        self.0.retain(|orphan| orphan.until > Instant::now());
        let everywhere = self.0.iter().any(|orphan| orphan.folder.is_none());
        let own = self.0.iter().filter_map(|orphan| orphan.folder.clone());
        let folders: BTreeSet<PathBuf> = if everywhere { folders.clone() } else { own.collect() };
        let mut found = Vec::new();
        for path in folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten() {
            if self.0.is_empty() {
                break;
            }
            found.extend(self.look_at(&path.path(), finder, key, is_known, everywhere));
        }
        found
    }

    fn look_at(
        &mut self,
        path: &Path,
        finder: &Finder,
        key: &IdentityKey,
        is_known: &dyn Fn(&Inode) -> bool,
        any_age: bool,
    ) -> Option<Found> {
        let meta = std::fs::symlink_metadata(path).ok()?;
        let age = meta.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok()).unwrap_or_default();
        if !meta.is_file() || finder.matches(path) || (!any_age && age > RECENT) {
            return None;
        }
        let file = finder.open(path).ok()?;
        let seen = stat(&file).ok().filter(|seen| seen.regular && !is_known(&seen.inode))?;
        let (content, _) = Content::of(file).ok()?;
        let at = self.0.iter().position(|orphan| orphan.reached.kin(key, &content) == Kin::GoesOn)?;
        let reached = self.0.swap_remove(at).reached;
        // A copy that ends where reading ended holds nothing new.
        let goes_on = content.read_at(&mut [0], reached.from).is_ok_and(|count| count > 0);
        goes_on.then(|| Found { content, seen, path: path.to_owned(), reached })
    }
}
