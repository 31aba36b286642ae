//! A disk in memory that fails on demand and remembers what was done to it: for tests and fuzzing. It
//! grants every lock, so it does not keep two stores apart.

use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

/// What a sector is to a disk: it is written whole or not at all.
const SECTOR_BYTES: usize = 512;

/// What can be asked of a disk and fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskCall {
    /// Reading bytes.
    Read,
    /// Writing bytes.
    Write,
    /// Growing or shrinking.
    Resize,
    /// Making everything before it durable.
    Sync,
}

/// A failure to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The calls that are counted.
    pub call: DiskCall,
    /// How many of them still succeed.
    pub after: u64,
    /// What the next one says.
    pub kind: io::ErrorKind,
    /// Whether all that follow fail too.
    pub lasts: bool,
}

/// A change to the disk, in the order in which they were asked for.
#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Arc<[u8]> },
    Resize { len: usize },
    Sync,
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => write(image, *at, bytes),
            Self::Resize { len } => image.resize(*len, 0),
            Self::Sync => {}
        }
    }
}

fn write(image: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if image.len() < end {
        image.resize(end, 0);
    }
    image[at..end].copy_from_slice(bytes);
}

#[derive(Debug, Default)]
struct State {
    image: Vec<u8>,
    /// The image before the first change in `changes`.
    first_image: Vec<u8>,
    changes: Vec<Change>,
    fault: Option<Fault>,
    capacity_bytes: Option<u64>,
    is_unplugged: bool,
}

impl State {
    /// Whether a call fails, counting it.
    fn call(&mut self, call: DiskCall) -> io::Result<()> {
        if self.is_unplugged {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "the test disk is gone"));
        }
        match &mut self.fault {
            Some(fault) if fault.call == call => {
                if fault.after > 0 {
                    fault.after -= 1;
                    return Ok(());
                }
                let kind = fault.kind;
                if !fault.lasts {
                    self.fault = None;
                }
                Err(io::Error::new(kind, "a fault of the test disk"))
            }
            _ => Ok(()),
        }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.image);
        self.changes.push(change);
    }

    /// An end of the image that fits the disk and memory.
    fn end(&self, at: u64, len: usize) -> io::Result<usize> {
        let end = at
            .checked_add(len as u64)
            .filter(|end| self.capacity_bytes.is_none_or(|capacity| *end <= capacity));
        let end = end.and_then(|end| usize::try_from(end).ok());
        end.ok_or_else(|| io::Error::new(io::ErrorKind::StorageFull, "the test disk is full"))
    }
}

/// A disk in memory. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct FaultyDisk(Arc<Mutex<State>>);

impl FaultyDisk {
    /// An empty disk without end.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk with these bytes on it.
    #[must_use]
    pub fn with_image(image: Vec<u8>) -> Self {
        let first_image = image.clone();
        Self(Arc::new(Mutex::new(State { image, first_image, ..State::default() })))
    }

    /// What is on the disk.
    #[must_use]
    pub fn image(&self) -> Vec<u8> {
        self.state().image.clone()
    }

    /// Sets or clears the failure to come.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// Whether a fault is still to come, or lasts.
    #[must_use]
    pub fn has_fault(&self) -> bool {
        self.state().fault.is_some()
    }

    /// Bounds the disk: what would end beyond `capacity_bytes` fails as on a full disk.
    pub fn set_capacity(&self, capacity_bytes: Option<u64>) {
        self.state().capacity_bytes = capacity_bytes;
    }

    /// Takes the disk away with all that is on it: every call fails from now on.
    pub fn unplug(&self) {
        *self.state() = State { is_unplugged: true, ..State::default() };
    }

    /// Changes so far: a place in the history for [`crash_image`](Self::crash_image).
    #[must_use]
    pub fn changes(&self) -> usize {
        self.state().changes.len()
    }

    /// A disk as a crash might leave it after `changes` changes: everything up to the last sync is on
    /// it, and of each later change a part or nothing, in any order. `below(n)` is a random number
    /// below `n`.
    #[must_use]
    pub fn crash_image(&self, changes: usize, below: &mut dyn FnMut(usize) -> usize) -> Vec<u8> {
        let state = self.state();
        let before = &state.changes[..changes.min(state.changes.len())];
        let synced = before.iter().rposition(|change| matches!(change, Change::Sync)).unwrap_or(0);
        let mut image = state.first_image.clone();
        before[..synced].iter().for_each(|change| change.apply(&mut image));
        let mut loose: Vec<&Change> = before[synced..].iter().collect();
        if below(2) == 0 {
            for last in (1..loose.len()).rev() {
                loose.swap(last, below(last + 1));
            }
        }
        for change in loose {
            match (below(4), change) {
                (0, _) => {}
                // A part from the front.
                (1, Change::Write { at, bytes }) => {
                    write(&mut image, *at, &bytes[..below(bytes.len() + 1)]);
                }
                // Some of its sectors.
                (2, Change::Write { at, bytes }) => {
                    for (sector, bytes) in bytes.chunks(SECTOR_BYTES).enumerate() {
                        if below(2) == 0 {
                            write(&mut image, at + sector * SECTOR_BYTES, bytes);
                        }
                    }
                }
                (_, change) => change.apply(&mut image),
            }
        }
        image
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for FaultyDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().image.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.call(DiskCall::Read)?;
        let from = usize::try_from(offset).ok().and_then(|at| state.image.get(at..));
        let found = from.and_then(|from| from.get(..out.len()));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.call(DiskCall::Resize)?;
        let len = state.end(len, 0)?;
        state.change(Change::Resize { len });
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.call(DiskCall::Sync)?;
        state.change(Change::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let at = state.end(offset, data.len())? - data.len();
        let called = state.call(DiskCall::Write);
        if state.is_unplugged {
            return called;
        }
        // A write that fails may have been done in part.
        let done = if called.is_ok() { data.len() } else { data.len() / 2 };
        state.change(Change::Write { at, bytes: data[..done].into() });
        called
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}
