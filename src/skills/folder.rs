//! A folder of skills on disk, looked at again when it is used: edits count without a restart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::finding::Finding;
use super::reading::{Shelf, Stamp};

/// How long what was seen last may be relied on. Looking costs one system call a file.
const LOOK_AGAIN_MS: i64 = 500;

/// The watched folder of a process.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    at_ms: Option<i64>,
    stamp: Stamp,
    shelf: Arc<Shelf>,
    /// Grows with every edit.
    edition: u64,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Folder {
        Folder { path: path.to_owned(), seen: Mutex::default() }
    }

    /// The skills in the folder now, and a number that grows when they change. A folder that cannot be read is
    /// an empty one with a finding: the other skills keep working.
    pub(super) fn shelf(&self, now_ms: i64) -> (u64, Arc<Shelf>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.at_ms.is_none_or(|at| (now_ms - at).abs() >= LOOK_AGAIN_MS) {
            let stamp = Stamp::of(&self.path);
            if seen.at_ms.is_none() || stamp != seen.stamp {
                seen.shelf = Arc::new(self.read());
                seen.stamp = stamp;
                seen.edition += 1;
            }
            seen.at_ms = Some(now_ms);
        }
        (seen.edition, Arc::clone(&seen.shelf))
    }

    fn read(&self) -> Shelf {
        Shelf::read(&self.path).unwrap_or_else(|error| {
            let finding = Finding::error(&self.path.display().to_string(), None, error.message);
            Shelf { skills: Vec::new(), findings: vec![finding] }
        })
    }
}
