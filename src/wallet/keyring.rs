//! A folder of key files: `<dir>/keys/<name>.key`, folder mode 0700, files 0600, written whole or not at
//! all, never overwritten.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::wallet::key_file::{KEY_FILE_BYTES_MAX, KeyFile, KeyFileError};
use crate::wallet::secret::fill_random;

const EXTENSION: &str = "key";
const NAME_CHARS_MAX: usize = 48;

/// What a key is called on this machine: 1 to 48 of a-z, 0-9, `.`, `_` and `-`, a letter or digit first.
/// Shorter than any key or address in text, so that it is never taken for one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

/// A text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "key name {text:?}: expected 1 to {NAME_CHARS_MAX} of a-z, 0-9, '.', '_' and '-', a letter or digit first"
)]
pub struct NameError {
    text: String,
}

/// Why a key file cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// A key of this name exists; nothing was written.
    #[error("{} exists: key files are never overwritten", path.display())]
    Exists {
        /// Its file.
        path: PathBuf,
    },
    /// No key of this name.
    #[error("no key {name} in {}", dir.display())]
    Missing {
        /// The name.
        name: KeyName,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// An unprotected key that others on this machine can read.
    #[error("{} holds an unprotected key and has mode {mode:o}: chmod 600 it", path.display())]
    Exposed {
        /// Its file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key file.
    #[error("{}: {error}", path.display())]
    File {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: KeyFileError,
    },
    /// The system refused.
    #[error("{}: {error}", path.display())]
    System {
        /// What it was asked for.
        path: PathBuf,
        /// What it said.
        error: String,
    },
}

/// A key in a list, or why it cannot be used.
pub type Listed = (KeyName, Result<KeyFile, KeyringError>);

/// The key files below one directory.
#[derive(Debug, Clone)]
pub struct Keyring {
    dir: PathBuf,
}

impl Keyring {
    /// The key files in `<dir>/keys`. Nothing is read or created yet.
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        Self { dir: dir.join("keys") }
    }

    /// Where a key of this name is kept.
    #[must_use]
    pub fn path(&self, name: &KeyName) -> PathBuf {
        self.dir.join(format!("{name}.{EXTENSION}"))
    }

    /// Writes a new key file: to a temporary file beside it, synced, then linked under its name, so that
    /// the name never stands for half a key and never loses another one.
    ///
    /// # Errors
    ///
    /// `Exists`, or what the system said; then no file of this name was created.
    pub fn create(&self, name: &KeyName, key: &KeyFile) -> Result<PathBuf, KeyringError> {
        let path = self.path(name);
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir).map_err(|error| system(&self.dir, &error))?;
        if path.symlink_metadata().is_ok() {
            return Err(KeyringError::Exists { path });
        }

        let mut random = [0; 8];
        fill_random(&mut random).map_err(|error| system(&path, &error))?;
        let temporary = self.dir.join(format!(".{name}.{}", hex::encode(random)));
        let linked = write_new(&temporary, key.to_text().as_bytes())
            .and_then(|()| fs::hard_link(&temporary, &path));
        // Without its other name the file is whole already; a leftover would only be litter.
        let removed = fs::remove_file(&temporary);
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(KeyringError::Exists { path });
            }
            Err(error) => return Err(system(&path, &error)),
        }
        removed
            .and_then(|()| File::open(&self.dir)?.sync_all())
            .map_err(|error| system(&self.dir, &error))?;
        Ok(path)
    }

    /// Reads the key of this name without opening it.
    ///
    /// # Errors
    ///
    /// `Missing`, `Exposed`, `File`, `System`.
    pub fn read(&self, name: &KeyName) -> Result<KeyFile, KeyringError> {
        let path = self.path(name);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyringError::Missing { name: name.clone(), dir: self.dir.clone() });
            }
            Err(error) => return Err(system(&path, &error)),
        };
        if !metadata.is_file() {
            return Err(system(&path, &"not a file"));
        }
        let mut text = zeroize::Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES_MAX + 1));
        File::open(&path)
            .and_then(|file| file.take(KEY_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut text))
            .map_err(|error| system(&path, &error))?;
        let key = KeyFile::parse(&text)
            .map_err(|error| KeyringError::File { path: path.clone(), error })?;
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777;
            if !key.is_protected() && mode & 0o077 != 0 {
                return Err(KeyringError::Exposed { path, mode });
            }
        }
        Ok(key)
    }

    /// Every key by name, in the order of the names, none opened. A file that cannot be read stands with
    /// its error; other files are passed over.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read; a missing one is empty.
    pub fn list(&self) -> Result<Vec<Listed>, KeyringError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(system(&self.dir, &error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let file_name = entry.map_err(|error| system(&self.dir, &error))?.file_name();
            let name = file_name.to_str().and_then(|name| name.strip_suffix(".key"));
            names.extend(name.and_then(|name| name.parse::<KeyName>().ok()));
        }
        names.sort();
        Ok(names.into_iter().map(|name| (name.clone(), self.read(&name))).collect())
    }
}

impl FromStr for KeyName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = (1..=NAME_CHARS_MAX).contains(&text.len())
            && text.as_bytes().first().is_some_and(is_plain)
            && text.bytes().all(|byte| is_plain(&byte) || b"._-".contains(&byte));
        if !is_name {
            return Err(NameError { text: text.chars().take(100).collect() });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

fn system(path: &Path, error: &dyn fmt::Display) -> KeyringError {
    KeyringError::System { path: path.to_owned(), error: error.to_string() }
}
