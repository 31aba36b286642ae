//! Names in a store's directory, and files that appear whole or not at all.

use std::fs::File;
use std::path::Path;

use super::StoreError;

/// The file that holds the tables.
pub(super) const FILE: &str = "chain.redb";
/// The same while it is founded.
pub(super) const FILE_NEW: &str = "chain.redb.new";

/// Makes the names in `dir` durable.
pub(super) fn sync_directory(dir: &Path) -> Result<(), StoreError> {
    // Elsewhere a directory cannot be opened as a file; there, renames are durable by themselves.
    if cfg!(unix) {
        let synced = File::open(dir).and_then(|dir| dir.sync_all());
        synced.map_err(|error| StoreError::io(&format!("writing {}", dir.display()), &error))?;
    }
    Ok(())
}
