//! The wall clock as a value, so that tests step it.

use std::fmt;
use std::sync::Arc;

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
