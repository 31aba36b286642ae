//! Numbers that must not come twice: the extranonce of a connection and the id of a job. They are taken
//! from ranges that a file has reserved before, so a restart, however sudden, goes on behind them.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Extranonces reserved at a time.
const EXTRANONCES_RESERVED: u32 = 4096;
/// Job ids reserved at a time: few, so that a restart skips few.
const JOBS_RESERVED: u32 = 64;
const HEAD: &str = "proofward stratum numbers 1";

/// The numbers of one port.
#[derive(Debug)]
pub struct Numbers {
    /// None: they begin anew at each start, for tests and chains in memory.
    file: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    extranonce1: Counter,
    job: Counter,
    /// Extranonces of the connections that there are.
    active: HashSet<u32>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counter {
    next: u32,
    /// The first that is not reserved.
    end: u32,
}

impl Counter {
    /// Reserves more if need be, and says whether it did.
    fn reserve(&mut self, count: u32) -> bool {
        let is_empty = self.next == self.end;
        if is_empty {
            self.end = self.end.wrapping_add(count);
        }
        is_empty
    }
}

/// The extranonce of a connection; another may have it once this is dropped.
#[derive(Debug)]
pub struct Extranonce1 {
    value: u32,
    numbers: Arc<Numbers>,
}

impl Extranonce1 {
    /// The number.
    #[must_use]
    pub fn get(&self) -> u32 {
        self.value
    }

    /// As it stands in the coinbase and, in hex, in the answer to `mining.subscribe`.
    #[must_use]
    pub fn bytes(&self) -> [u8; 4] {
        self.value.to_be_bytes()
    }
}

impl Drop for Extranonce1 {
    fn drop(&mut self) {
        self.numbers.lock().active.remove(&self.value);
    }
}

impl Numbers {
    /// Numbers that begin at these and are not remembered.
    #[must_use]
    pub fn in_memory(extranonce1: u32, job: u32) -> Arc<Self> {
        let counter = |next| Counter { next, end: next };
        let state =
            State { extranonce1: counter(extranonce1), job: counter(job), active: HashSet::new() };
        Arc::new(Self { file: None, state: Mutex::new(state) })
    }

    /// Numbers that go on behind those that `path` has reserved.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is something else.
    pub fn open(path: &Path) -> io::Result<Arc<Self>> {
        let reserved = match fs::read_to_string(path) {
            Ok(text) => parse(&text).ok_or_else(|| {
                let what = format!("{}: not a file of reserved numbers", path.display());
                io::Error::new(io::ErrorKind::InvalidData, what)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => (0, 0),
            Err(error) => return Err(error),
        };
        let fresh = Self::in_memory(reserved.0, reserved.1);
        let state = std::mem::take(&mut *fresh.lock());
        Ok(Arc::new(Self { file: Some(path.into()), state: Mutex::new(state) }))
    }

    /// An extranonce that no connection has, and none had unless four thousand million came between.
    ///
    /// # Errors
    ///
    /// If more cannot be reserved.
    pub fn extranonce1(self: &Arc<Self>) -> io::Result<Extranonce1> {
        let mut state = self.lock();
        loop {
            if state.extranonce1.reserve(EXTRANONCES_RESERVED) {
                self.save(&mut state, |state| &mut state.extranonce1)?;
            }
            let value = state.extranonce1.next;
            state.extranonce1.next = value.wrapping_add(1);
            if state.active.insert(value) {
                return Ok(Extranonce1 { value, numbers: Arc::clone(self) });
            }
        }
    }

    /// The extranonce of an earlier connection, if it was given out and nobody has it.
    #[must_use]
    pub fn resume(self: &Arc<Self>, value: u32) -> Option<Extranonce1> {
        let mut state = self.lock();
        // Given out: behind the next one, on the circle of all.
        let behind = state.extranonce1.next.wrapping_sub(value);
        let was_given = (1..=u32::MAX / 2).contains(&behind);
        (was_given && state.active.insert(value))
            .then(|| Extranonce1 { value, numbers: Arc::clone(self) })
    }

    /// The next number of a job.
    ///
    /// # Errors
    ///
    /// If more cannot be reserved.
    pub fn job(&self) -> io::Result<u32> {
        let mut state = self.lock();
        if state.job.reserve(JOBS_RESERVED) {
            self.save(&mut state, |state| &mut state.job)?;
        }
        let number = state.job.next;
        state.job.next = number.wrapping_add(1);
        Ok(number)
    }

    /// Writes what is reserved before any of it is given out; if that fails, nothing is reserved.
    fn save(&self, state: &mut State, of: fn(&mut State) -> &mut Counter) -> io::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let text =
            format!("{HEAD}\nextranonce1 {}\njob {}\n", state.extranonce1.end, state.job.end);
        let beside = path.with_extension("new");
        let written = fs::File::create(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, path)
        });
        if written.is_err() {
            let counter = of(state);
            counter.end = counter.next;
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(text: &str) -> Option<(u32, u32)> {
    let mut lines = text.lines();
    let head = lines.next() == Some(HEAD);
    let mut number = |name| lines.next()?.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    let numbers = (number("extranonce1")?, number("job")?);
    head.then_some(numbers)
}
