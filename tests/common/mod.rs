//! What several test binaries share: the real-world data and how to skip without it.

use std::path::PathBuf;

/// A file of the real-world data; without the data it says so, and the test passes without it.
#[must_use]
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("PROOFWARD_DATA") else {
        println!("skipped: PROOFWARD_DATA is not set");
        return None;
    };
    Some(PathBuf::from(root).join(path))
}
