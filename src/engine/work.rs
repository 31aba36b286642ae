//! What to search: header templates, what may be rolled in them, and the trait that supplies the next
//! one. It says nothing about who searches which part; that is `claim`.

use std::fmt;

use crate::kernel::NonceRange;
use crate::primitives::{Header, HeaderBytes, MerkleRoot, Target};

/// A header to search, and what a search may change in it besides the nonce.
///
/// The order of a search is: every nonce, then the next version, then (versions used up) the next
/// second, then (time used up) the next template of the [`WorkSource`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    header: Header,
    extranonce: u64,
    version_mask: u32,
    time_max: u32,
    nonces: NonceRange,
}

impl Template {
    /// Searches all nonces of `header` and changes nothing else. The nonce in it is ignored.
    #[must_use]
    pub fn new(header: &HeaderBytes) -> Self {
        let header = Header::decode(header);
        Self {
            header,
            extranonce: 0,
            version_mask: 0,
            time_max: header.time,
            nonces: NonceRange::ALL,
        }
    }

    /// Says which extranonce led to this merkle root; every solution carries it.
    #[must_use]
    pub fn with_extranonce(self, extranonce: u64) -> Self {
        Self { extranonce, ..self }
    }

    /// Allows every combination of the version bits in `mask`: BIP320's
    /// [`VERSION_ROLLING_MASK`](crate::primitives::limits::VERSION_ROLLING_MASK), what a server
    /// granted (BIP310), or zero for none. The header's own version comes first.
    #[must_use]
    pub fn with_version_mask(self, mask: u32) -> Self {
        Self { version_mask: mask, ..self }
    }

    /// Allows every time from the header's own to `last`, upwards. A `last` below the header's time
    /// allows none but that.
    #[must_use]
    pub fn with_time_max(self, last: u32) -> Self {
        Self { time_max: last.max(self.header.time), ..self }
    }

    /// Puts another merkle root into the header.
    #[must_use]
    pub fn with_merkle_root(mut self, root: MerkleRoot) -> Self {
        self.header.merkle_root = root;
        self
    }

    /// Searches only these nonces.
    #[must_use]
    pub fn with_nonces(self, nonces: NonceRange) -> Self {
        Self { nonces, ..self }
    }

    /// The extranonce behind the merkle root.
    #[must_use]
    pub fn extranonce(&self) -> u64 {
        self.extranonce
    }

    /// The nonces to search of each rolled header.
    #[must_use]
    pub fn nonces(&self) -> NonceRange {
        self.nonces
    }

    fn versions(&self) -> u64 {
        1 << self.version_mask.count_ones()
    }

    /// How many different headers there are, nonces apart; saturates at 2^64 - 1.
    #[must_use]
    pub fn rolls(&self) -> u64 {
        self.versions().saturating_mul(u64::from(self.time_max - self.header.time) + 1)
    }

    /// The header number `roll` in the order of the search, with nonce 0. Number 0 is the header as
    /// it was given.
    ///
    /// # Panics
    ///
    /// If `roll` is not below [`Self::rolls`].
    #[must_use]
    pub fn header_at(&self, roll: u64) -> HeaderBytes {
        let seconds = u32::try_from(roll / self.versions()).ok();
        let time = seconds.and_then(|seconds| self.header.time.checked_add(seconds));
        let time = time.filter(|time| *time <= self.time_max).expect("a roll below the count");
        let flipped = scatter(roll % self.versions(), self.version_mask);
        let version = self.header.version ^ flipped.cast_signed();
        Header { version, time, nonce: 0, ..self.header }.encode()
    }
}

/// Puts the low bits of `value` where `mask` has ones.
fn scatter(mut value: u64, mask: u32) -> u32 {
    let mut left = mask;
    let mut scattered = 0;
    while left != 0 {
        if value & 1 == 1 {
            scattered |= left & left.wrapping_neg();
        }
        value >>= 1;
        left &= left - 1;
    }
    scattered
}

/// Supplies templates one after another: a new merkle root for each extranonce, or a single header.
///
/// The engine asks for the next template while the one before it is being searched, on the thread of
/// one worker; the others go on meanwhile. Every iterator of templates is a source.
pub trait WorkSource: Send {
    /// The next template, or `None` when there is nothing left; not called again after that.
    fn next_template(&mut self) -> Option<Template>;
}

impl<I: Iterator<Item = Template> + Send> WorkSource for I {
    fn next_template(&mut self) -> Option<Template> {
        self.next()
    }
}

/// When a search ends before the source does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Until {
    /// Never: every hash that meets the target is a solution.
    #[default]
    Exhausted,
    /// With the first solution: no worker starts another batch, and what comes before the solution
    /// in the order of the search has been searched too. Each worker delivers one solution at most,
    /// so the lowest among those delivered before [`Event::Exhausted`](super::Event::Exhausted) is
    /// the lowest there is.
    FirstSolution,
}

/// What [`Engine::publish`](super::Engine::publish) hands to the workers.
pub struct Work {
    pub(super) source: Box<dyn WorkSource>,
    pub(super) target: Target,
    pub(super) until: Until,
}

impl Work {
    /// Searches what `source` supplies for hashes that meet `target`, which need not be the one that
    /// the headers claim in their nBits.
    pub fn new(source: impl WorkSource + 'static, target: Target) -> Self {
        Self { source: Box::new(source), target, until: Until::default() }
    }

    /// Searches one template.
    #[must_use]
    pub fn of(template: Template, target: Target) -> Self {
        Self::new(std::iter::once(template), target)
    }

    /// Says when to end.
    #[must_use]
    pub fn until(self, until: Until) -> Self {
        Self { until, ..self }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("target", &self.target)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
