//! A folder of key files: `<dir>/keys/<name>.key`, folder mode 0700, files 0600, written whole or not at
//! all, never overwritten.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::wallet::key_file::{KEY_FILE_BYTES_MAX, KeyFile, KeyFileError};
use crate::wallet::private_file::{self, Over, Refused};

const EXTENSION: &str = "key";
const NAME_CHARS_MAX: usize = 48;

/// What a key, or a record, is called on this machine: 1 to 48 of a-z, 0-9, `.`, `_` and `-`, a letter or digit first.
/// Shorter than any key or address in text, so that it is never taken for one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

/// A text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "name {text:?}: expected 1 to {NAME_CHARS_MAX} of a-z, 0-9, '.', '_' and '-', a letter or digit first"
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

    /// Writes a new key file: whole, under a name that never stood for another one.
    ///
    /// # Errors
    ///
    /// `Exists`, or what the system said; then no file of this name was created.
    pub fn create(&self, name: &KeyName, key: &KeyFile) -> Result<PathBuf, KeyringError> {
        let text = key.to_text();
        let file_name = format!("{name}.{EXTENSION}");
        let written = private_file::write(&self.dir, &file_name, text.as_bytes(), Over::Nothing);
        written.map_err(|refused| match refused.kind {
            io::ErrorKind::AlreadyExists => KeyringError::Exists { path: refused.path },
            _ => refused.into(),
        })
    }

    /// Reads the key of this name without opening it.
    ///
    /// # Errors
    ///
    /// `Missing`, `Exposed`, `File`, `System`.
    pub fn read(&self, name: &KeyName) -> Result<KeyFile, KeyringError> {
        let path = self.path(name);
        let found = private_file::read(&path, KEY_FILE_BYTES_MAX);
        let found = found.map_err(|refused| match refused.kind {
            io::ErrorKind::NotFound => {
                KeyringError::Missing { name: name.clone(), dir: self.dir.clone() }
            }
            _ => refused.into(),
        })?;
        let key = KeyFile::parse(&found.bytes)
            .map_err(|error| KeyringError::File { path: path.clone(), error })?;
        match found.exposed_mode() {
            Some(mode) if !key.is_protected() => Err(KeyringError::Exposed { path, mode }),
            _ => Ok(key),
        }
    }

    /// Every key by name, in the order of the names, none opened. A file that cannot be read stands with
    /// its error; other files are passed over.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read; a missing one is empty.
    pub fn list(&self) -> Result<Vec<Listed>, KeyringError> {
        let stems = private_file::stems(&self.dir, EXTENSION)?.into_iter();
        let names = stems.filter_map(|stem| stem.parse::<KeyName>().ok());
        Ok(names.map(|name| (name.clone(), self.read(&name))).collect())
    }
}

impl From<Refused> for KeyringError {
    fn from(Refused { path, error, .. }: Refused) -> Self {
        Self::System { path, error }
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
