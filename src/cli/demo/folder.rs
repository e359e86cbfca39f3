//! A folder of the demonstration's own, gone with it unless it is to be kept.

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use crate::clock::Ids;
use crate::error::{Result, invalid};

/// Removed with all it holds when dropped, also after an error or an interrupt.
pub(super) struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    pub(super) fn new(keep: bool) -> Result<Folder> {
        let path = std::env::temp_dir().join(format!("opstables-demo-{}", Ids::Random.next().simple()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|error| {
            invalid(format!("the folder `{}` cannot be made: {error}", path.display()))
                .hint("name another place for temporary files with TMPDIR")
        })?;
        Ok(Folder { path, keep })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            // Nobody is left to be told; the system clears its temporary files sooner or later.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}
