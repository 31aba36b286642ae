//! Who searches which part: disjoint pieces of a work source handed out by one atomic addition each.
//! It knows nothing of threads or hashes.
//!
//! All headers of a template, version by version and second by second, and their nonces form one
//! line of positions; a claim is the next stretch of it. Rolling version or time is therefore no event
//! at all: a worker derives the header from the position. Only a new template takes a lock, and the next
//! one is fetched as soon as the one before it is begun.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwapOption;
use crossbeam::utils::CachePadded;

use super::work::{Template, WorkSource};
use crate::kernel::NonceRange;

/// Positions of a template that are handed out at most: no addition of a claim can wrap, and no
/// machine gets there.
const POSITIONS_MAX: u64 = 1 << 63;

/// A template being searched.
pub(super) struct Sheet {
    template: Template,
    positions: u64,
    /// The first position that nobody has claimed.
    cursor: CachePadded<AtomicU64>,
}

impl Sheet {
    fn new(template: Template) -> Self {
        let positions = template.rolls().saturating_mul(template.nonces().count());
        Self {
            template,
            positions: positions.min(POSITIONS_MAX),
            cursor: CachePadded::new(AtomicU64::new(0)),
        }
    }

    /// The next `count` positions or what is left of them.
    fn take(&self, count: u64) -> Option<Range<u64>> {
        // Looking before adding bounds the cursor: late claims do not move it.
        if self.cursor.load(Ordering::Relaxed) >= self.positions {
            return None;
        }
        // Disjointness needs no more than the atomicity of the addition; the template came with the
        // pointer to this sheet.
        let start = self.cursor.fetch_add(count, Ordering::Relaxed);
        let end = start.saturating_add(count).min(self.positions);
        (start < end).then_some(start..end)
    }
}

/// A stretch of positions that belongs to one worker.
pub(super) struct Claim {
    sheet: Arc<Sheet>,
    positions: Range<u64>,
}

/// The part of a claim that one header serves.
pub(super) struct Piece {
    /// Number of the header, for [`Template::header_at`].
    pub(super) roll: u64,
    pub(super) nonces: NonceRange,
}

impl Claim {
    pub(super) fn template(&self) -> &Template {
        &self.sheet.template
    }

    /// Whether both are of the same template in the same search.
    pub(super) fn is_of(&self, sheet: &Arc<Sheet>) -> bool {
        Arc::ptr_eq(&self.sheet, sheet)
    }

    pub(super) fn sheet(&self) -> &Arc<Sheet> {
        &self.sheet
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece> + use<> {
        let nonces = self.sheet.template.nonces();
        let Range { start: mut at, end } = self.positions;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let offset = at % nonces.count();
            let count = (nonces.count() - offset).min(end - at);
            let piece = Piece { roll: at / nonces.count(), nonces: nonces.part(offset, count) };
            at += count;
            Some(piece)
        })
    }
}

/// A work source divided among workers.
pub(super) struct Claims {
    sheet: ArcSwapOption<Sheet>,
    supply: Mutex<Supply>,
    closed: AtomicBool,
}

struct Supply {
    source: Box<dyn WorkSource>,
    /// Fetched ahead.
    ready: Option<Template>,
    ended: bool,
}

impl Supply {
    fn fetch(&mut self) -> Option<Template> {
        if self.ended {
            return None;
        }
        let template = self.source.next_template();
        self.ended = template.is_none();
        template
    }
}

impl Claims {
    pub(super) fn new(source: Box<dyn WorkSource>) -> Self {
        let mut supply = Supply { source, ready: None, ended: false };
        let first = supply.fetch().map(|template| Arc::new(Sheet::new(template)));
        Self {
            sheet: ArcSwapOption::new(first),
            supply: Mutex::new(supply),
            closed: AtomicBool::new(false),
        }
    }

    /// The next `count` positions, fewer at the end of a template, or `None` when nothing is left.
    pub(super) fn claim(&self, count: u64) -> Option<Claim> {
        loop {
            if self.closed.load(Ordering::Relaxed) {
                return None;
            }
            let sheet = self.sheet.load_full()?;
            let Some(positions) = sheet.take(count) else {
                self.replace(&sheet)?;
                continue;
            };
            if positions.start == 0 {
                self.fetch_ahead();
            }
            return Some(Claim { sheet, positions });
        }
    }

    /// Hands out nothing more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Puts the next template in the place of `used_up`, unless another worker has done so. `None` if
    /// the source has ended. A lock poisoned by a source that panicked is an end too.
    fn replace(&self, used_up: &Arc<Sheet>) -> Option<()> {
        let mut supply = self.supply.lock().ok()?;
        let current = self.sheet.load();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, used_up)) {
            let next = supply.ready.take().or_else(|| supply.fetch());
            self.sheet.store(next.map(|template| Arc::new(Sheet::new(template))));
        }
        Some(())
    }

    fn fetch_ahead(&self) {
        if let Ok(mut supply) = self.supply.lock()
            && supply.ready.is_none()
        {
            supply.ready = supply.fetch();
        }
    }
}
