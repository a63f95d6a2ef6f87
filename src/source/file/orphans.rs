//! Places that were reached in content which is gone from under its name: truncated in place, or no longer found
//! after a start. For a while a copy is looked for under any name beside it, packed or not, so that what had not
//! been read can be read there.

use crate::source::content::Content;
use crate::source::copies::{Kin, Reached};
use crate::source::discover::Finder;
use crate::source::identity::{IdentityKey, Inode, Stat, stat};
use std::collections::{BTreeSet, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a copy is looked for.
const SEARCH: Duration = Duration::from_secs(60);

/// Places whose copy is looked for.
#[derive(Default)]
pub(super) struct Orphans {
    places: Vec<Orphan>,
    /// Files that are no copy of them: device, inode, size and time of the last change of any kind.
    others: HashSet<[i128; 4]>,
}

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
        self.places.push(Orphan { reached, folder: folder.map(Path::to_owned), until });
        self.others.clear();
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
        self.places.retain(|orphan| orphan.until > Instant::now());
        let everywhere = self.places.iter().any(|orphan| orphan.folder.is_none());
        let own = self.places.iter().filter_map(|orphan| orphan.folder.clone());
        let folders: BTreeSet<PathBuf> = if everywhere { folders.clone() } else { own.collect() };
        let mut found = Vec::new();
        for path in folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten() {
            if self.places.is_empty() {
                self.others.clear();
                break;
            }
            found.extend(self.look_at(&path.path(), finder, key, is_known));
        }
        found
    }

    fn look_at(
        &mut self,
        path: &Path,
        finder: &Finder,
        key: &IdentityKey,
        is_known: &dyn Fn(&Inode) -> bool,
    ) -> Option<Found> {
        let meta = std::fs::symlink_metadata(path).ok()?;
        let changed = i128::from(meta.ctime()) * 1_000_000_000 + i128::from(meta.ctime_nsec());
        let as_it_is = [meta.dev().into(), meta.ino().into(), meta.size().into(), changed];
        if !meta.is_file() || finder.matches(path) || self.others.contains(&as_it_is) {
            return None;
        }
        let file = finder.open(path).ok()?;
        let seen = stat(&file).ok().filter(|seen| seen.regular && !is_known(&seen.inode))?;
        let (content, _) = Content::of(file).ok()?;
        let known = self.places.iter().enumerate().filter(|(_, place)| place.reached.kin(key, &content) == Kin::GoesOn);
        let Some((at, _)) = known.max_by_key(|(_, place)| place.reached.from) else {
            self.others.insert(as_it_is);
            return None;
        };
        let reached = self.places.swap_remove(at).reached;
        // A copy that ends where reading ended holds nothing new.
        let goes_on = content.read_at(&mut [0], reached.from).is_ok_and(|count| count > 0);
        goes_on.then(|| Found { content, seen, path: path.to_owned(), reached })
    }
}
