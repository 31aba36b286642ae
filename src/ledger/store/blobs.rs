//! Blobs: ciphertexts beside the chain, each in a file named by its hash. What they hold and who may
//! read it is not known here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::file::{create_inside, failed, read_bounded, remove_parts, write_whole};
use crate::hash::tagged::Tag;
use crate::primitives::Digest;

/// Bytes of one blob.
pub const BLOB_BYTES_MAX: usize = 64 << 20;

const DIRECTORY: &str = "blobs";
/// What a blob is named by: `proofward/blob`.
const BLOB: Tag = Tag::new("blob");

/// Why a blob was not stored or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// It is too long.
    #[error("a blob has at most {BLOB_BYTES_MAX} bytes, this one has {0}")]
    TooLong(usize),
    /// The file is not what its name says.
    #[error("blob {} is damaged", hex::encode(.0))]
    Damaged(Digest),
    /// The disk refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The blobs of a store's directory.
#[derive(Debug, Clone)]
pub struct Blobs {
    dir: PathBuf,
}

impl Blobs {
    /// The blobs in the store's directory `dir`, which is created if it is missing.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { dir: create_inside(dir, DIRECTORY)? })
    }

    /// The hash that names a blob.
    #[must_use]
    pub fn hash(blob: &[u8]) -> Digest {
        BLOB.hash(blob)
    }

    /// Stores a blob; it is durable when this returns. One that is there and whole is left alone, one
    /// that is damaged is replaced.
    ///
    /// # Errors
    ///
    /// [`BlobError::TooLong`], or what the disk says.
    pub fn put(&self, blob: &[u8]) -> Result<Digest, BlobError> {
        if blob.len() > BLOB_BYTES_MAX {
            return Err(BlobError::TooLong(blob.len()));
        }
        let hash = Self::hash(blob);
        if !matches!(self.get(&hash), Ok(Some(_))) {
            let name = hex::encode(hash);
            let dir = create_inside(&self.dir, &name[..2])?;
            write_whole(&dir, &name, blob)?;
        }
        Ok(hash)
    }

    /// The blob of this hash, verified.
    ///
    /// # Errors
    ///
    /// [`BlobError::Damaged`] if what is stored has another hash, or what the disk says.
    pub fn get(&self, hash: &Digest) -> Result<Option<Vec<u8>>, BlobError> {
        let path = self.path(hash);
        match read_bounded(&path, BLOB_BYTES_MAX) {
            Ok(Some(blob)) if Self::hash(&blob) == *hash => Ok(Some(blob)),
            Ok(_) => Err(BlobError::Damaged(*hash)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("reading", &path, &error).into()),
        }
    }

    /// Removes a blob, if it is there.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub fn remove(&self, hash: &Digest) -> Result<(), BlobError> {
        let path = self.path(hash);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("removing", &path, &error).into())
            }
            _ => Ok(()),
        }
    }

    /// The hashes that are stored, in ascending order, after `after`, at most `limit`: for a check of
    /// all of them in steps.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub fn list(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, BlobError> {
        let mut hashes = Vec::new();
        for first in after.map_or(0, |after| after[0])..=u8::MAX {
            if hashes.len() >= limit {
                break;
            }
            let dir = self.dir.join(hex::encode([first]));
            if !dir.exists() {
                continue;
            }
            let entries = fs::read_dir(&dir).map_err(|error| failed("reading", &dir, &error))?;
            let mut here = Vec::new();
            for entry in entries {
                let entry = entry.map_err(|error| failed("reading", &dir, &error))?;
                let mut hash = Digest::default();
                let name = entry.file_name();
                let is_hash = hex::decode_to_slice(name.as_encoded_bytes(), &mut hash).is_ok();
                if is_hash && hash[0] == first && after.is_none_or(|after| hash > *after) {
                    here.push(hash);
                }
            }
            here.sort_unstable();
            hashes.extend(here);
        }
        hashes.truncate(limit);
        Ok(hashes)
    }

    /// Removes what processes left that died while they wrote.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub fn remove_parts(&self) -> Result<(), BlobError> {
        for first in 0..=u8::MAX {
            let dir = self.dir.join(hex::encode([first]));
            if dir.exists() {
                remove_parts(&dir)?;
            }
        }
        Ok(())
    }

    fn path(&self, hash: &Digest) -> PathBuf {
        let name = hex::encode(hash);
        self.dir.join(&name[..2]).join(name)
    }
}
