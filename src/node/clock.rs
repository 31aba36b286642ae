//! Time as a value, so that tests step it: the wall clock that blocks are stamped with, and one that only
//! goes forward, by which deadlines are kept and rates are told.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::unix_now;

/// Tells the time: seconds since 1970.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// This machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(unix_now)
    }

    /// A clock of one's own.
    #[must_use]
    pub fn new(now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        (self.0)()
    }

    /// The same as a header holds it; the last second of 2106 from then on.
    #[must_use]
    pub fn stamp(&self) -> u32 {
        u32::try_from(self.now()).unwrap_or(u32::MAX)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// A moment by both clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970.
    pub unix_s: u64,
    /// Milliseconds since some beginning; never goes back.
    pub ms: u64,
}

impl Moment {
    /// The stamp of a block that is made now.
    #[must_use]
    pub fn stamp(self) -> u32 {
        u32::try_from(self.unix_s).unwrap_or(u32::MAX)
    }
}

/// Tells the time by both clocks: the machine's, or a test's.
#[derive(Clone)]
pub struct Moments(Arc<dyn Fn() -> Moment + Send + Sync>);

impl Moments {
    /// Stamps by this clock; milliseconds are the machine's and begin now.
    #[must_use]
    pub fn by(clock: Clock) -> Self {
        let start = Instant::now();
        let ms = move || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Self::new(move || Moment { unix_s: clock.now(), ms: ms() })
    }

    /// Moments of one's own.
    #[must_use]
    pub fn new(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.0)()
    }
}

impl fmt::Debug for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Moments").field(&self.now()).finish()
    }
}
