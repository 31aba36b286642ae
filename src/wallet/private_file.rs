//! Files of one person: folder mode 0700, files 0600, written whole or not at all. What they hold is the
//! business of [`super::keyring`] and [`super::record`].

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::secret::fill_random;

/// What the system refused, at which path.
pub(super) struct Refused {
    pub(super) path: PathBuf,
    pub(super) error: String,
    pub(super) kind: io::ErrorKind,
}

/// Bytes of a file, and its permission bits where the system knows them.
pub(super) struct Found {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) mode: Option<u32>,
}

/// Whether a file may take the place of another of its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Never: of kind `AlreadyExists`.
    Nothing,
    /// The old one goes when the new one is whole.
    Old,
}

/// Writes `dir/name`: to a temporary file beside it, synced, then under its name, so that the name never
/// stands for half a file. The folder is made if it is missing.
pub(super) fn write(dir: &Path, name: &str, bytes: &[u8], over: Over) -> Result<PathBuf, Refused> {
    let path = dir.join(name);
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| Refused::at(dir, &error))?;
    if over == Over::Nothing && path.symlink_metadata().is_ok() {
        return Err(Refused::at(&path, &io::Error::from(io::ErrorKind::AlreadyExists)));
    }
    let mut random = [0; 8];
    fill_random(&mut random).map_err(|error| Refused::at(&path, &io::Error::other(error)))?;
    let temporary = dir.join(format!(".{name}.{}", hex::encode(random)));
    let named = write_new(&temporary, bytes).and_then(|()| match over {
        Over::Nothing => fs::hard_link(&temporary, &path),
        Over::Old => fs::rename(&temporary, &path),
    });
    // Without its other name the file is whole already; a leftover would only be litter.
    let removed = match fs::remove_file(&temporary) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    named.map_err(|error| Refused::at(&path, &error))?;
    removed.and_then(|()| File::open(dir)?.sync_all()).map_err(|error| Refused::at(dir, &error))?;
    Ok(path)
}

/// Reads a file of at most `bytes_max`; of a longer one a byte more, which its parser refuses.
pub(super) fn read(path: &Path, bytes_max: usize) -> Result<Found, Refused> {
    let at = |error: &io::Error| Refused::at(path, error);
    let metadata = fs::metadata(path).map_err(|error| at(&error))?;
    if !metadata.is_file() {
        return Err(at(&io::Error::other("not a file")));
    }
    let length = usize::try_from(metadata.len()).unwrap_or(bytes_max).min(bytes_max);
    // Room for all of it at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
    File::open(path)
        .and_then(|file| file.take(bytes_max as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| at(&error))?;
    #[cfg(unix)]
    let mode = Some(std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777);
    #[cfg(not(unix))]
    let mode = None;
    Ok(Found { bytes, mode })
}

/// The parts of the names in a folder before `.extension`, in order; a missing folder is empty.
pub(super) fn stems(dir: &Path, extension: &str) -> Result<Vec<String>, Refused> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Refused::at(dir, &error)),
    };
    let mut stems = Vec::new();
    for entry in entries {
        let file_name = entry.map_err(|error| Refused::at(dir, &error))?.file_name();
        let stem = file_name.to_str().and_then(|name| name.strip_suffix(extension));
        stems.extend(stem.and_then(|stem| stem.strip_suffix('.')).map(str::to_owned));
    }
    stems.sort();
    Ok(stems)
}

impl Found {
    /// The mode, if others than the owner may do anything with the file.
    pub(super) fn exposed_mode(&self) -> Option<u32> {
        self.mode.filter(|mode| mode & 0o077 != 0)
    }
}

impl Refused {
    fn at(path: &Path, error: &io::Error) -> Self {
        Self { path: path.to_owned(), error: error.to_string(), kind: error.kind() }
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
