//! Names in a store's directory, and files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::StoreError;

/// The file that holds the tables.
pub(super) const FILE: &str = "chain.redb";
/// The same while it is founded.
pub(super) const FILE_NEW: &str = "chain.redb.new";
/// How the name of a file ends that is not yet whole.
const PART: &str = ".part";

/// The error for a path.
pub(super) fn failed(doing: &str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::io(&format!("{doing} {}", path.display()), error)
}

/// Makes the names in `dir` durable.
pub(super) fn sync_directory(dir: &Path) -> Result<(), StoreError> {
    // Elsewhere a directory cannot be opened as a file; there, renames are durable by themselves.
    if cfg!(unix) {
        let synced = File::open(dir).and_then(|dir| dir.sync_all());
        synced.map_err(|error| failed("writing", dir, &error))?;
    }
    Ok(())
}

/// Writes `dir/name` so that it appears whole, replaces what bore the name, and is durable when this
/// returns. A crash may leave a file that [`is_part`] knows.
pub(super) fn write_whole(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let written = match write_and_rename(dir, name, bytes) {
        // Another process took the part for that of a dead one: see `remove_parts`.
        Err(error) if error.kind() == io::ErrorKind::NotFound => write_and_rename(dir, name, bytes),
        written => written,
    };
    written.map_err(|error| failed("writing", &dir.join(name), &error))?;
    sync_directory(dir)
}

fn write_and_rename(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = WholeFile::create(&dir.join(name))?;
    file.write_all(bytes)?;
    file.rename()
}

/// A file that appears under its name when it is [finished](Self::finish), whole and durable, and
/// replaces what bore the name; dropped before that it leaves nothing behind. A crash may leave a file
/// beside it whose name ends with `.part`.
#[derive(Debug)]
pub struct WholeFile {
    file: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
}

impl WholeFile {
    /// Begins a file that will be `path`.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let Some(name) = path.file_name() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"));
        };
        // No other process and no other thread has this name.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut part = name.to_owned();
        part.push(format!(".{}.{number}{PART}", std::process::id()));
        let part = path.with_file_name(part);
        let file = BufWriter::new(File::create_new(&part)?);
        Ok(Self { file, part, path: path.to_owned() })
    }

    /// Gives it its name, durably.
    ///
    /// # Errors
    ///
    /// What the system says; then nothing has changed under its name.
    pub fn finish(mut self) -> io::Result<()> {
        self.rename()?;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        if cfg!(unix) {
            File::open(dir.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }

    fn rename(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.part, &self.path)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // Gone if it was finished; otherwise of no use, and that it cannot be removed says nothing new.
        let _ = fs::remove_file(&self.part);
    }
}

/// Removes the files in `dir` that were never finished.
pub(super) fn remove_parts(dir: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(dir).map_err(|error| failed("reading", dir, &error))? {
        let entry = entry.map_err(|error| failed("reading", dir, &error))?;
        if entry.file_name().to_str().is_some_and(is_part) {
            // It may be gone by now; if it cannot be removed, it is only in the way.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Whether a name is that of a file that was never finished.
pub(super) fn is_part(name: &str) -> bool {
    name.ends_with(PART)
}

/// The bytes of a file of at most `bytes_max`; nothing if it is longer, or no regular file.
pub(super) fn read_bounded(path: &Path, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    // A link could lead anywhere, and opening a pipe would wait for its other end.
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= bytes_max).then_some(bytes))
}

/// Creates a directory inside the store's.
pub(super) fn create_inside(dir: &Path, name: &str) -> Result<PathBuf, StoreError> {
    let path = dir.join(name);
    fs::create_dir_all(&path).map_err(|error| failed("creating", &path, &error))?;
    Ok(path)
}
