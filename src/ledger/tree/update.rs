//! From changed entries to the new root and the changed pages: down the tree, level by level, to find
//! the pages, then up again to hash them in batches.

use std::num::NonZeroUsize;
use std::ops::Range;

use super::StateRoot;
use super::fold::Folding;
use super::key::{PAGE_LEVELS, PAGE_SLOTS, PagePath, StateKey};
use super::leaf::{Leaf, ValueHash};
use super::page::{Page, PageWriter, Part, Parts, Slot, entry_at_most};
use super::pages::{Pages, PagesError, expect_page, read};
use crate::engine::nodes::NodeKernel;
use crate::engine::pool::Pool;

/// Fewer changes are not worth sharing: their nodes together fill the lanes of one kernel.
const SHARED_CHANGES_MIN: usize = 1024;

/// A key with the hash of its new value, or `None` for no entry.
pub type Change = (StateKey, Option<ValueHash>);

/// A page that changes: its new content, or `None` if it is gone.
pub type PageChange = (PagePath, Option<Page>);

/// What changes make of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The new root.
    pub root: StateRoot,
    /// Exactly the pages that differ, in the order of their paths.
    pub pages: Vec<PageChange>,
}

/// Applies `changes`, in ascending order of their keys, to the tree in `pages`. A change may set what
/// is set already or remove what is not there.
///
/// Memory is bounded by the number of changes times the depth of the tree (64 pages at most, whatever
/// the keys). With n even entries it reads about log16(n) pages a change, shared ones once.
///
/// # Errors
///
/// A page cannot be read, or is missing.
///
/// # Panics
///
/// If a key is not above the one before.
pub fn update<P: Pages>(
    kernel: NodeKernel,
    pages: &P,
    changes: &[Change],
) -> Result<Update, PagesError<P::Error>> {
    assert!(changes.is_sorted_by(|a, b| a.0 < b.0), "the keys of changes ascend");
    let root = Level::root(pages, changes.len())?;
    Ok(Subtree::update(kernel, pages, changes, root)?.into_update())
}

/// [`update`] on the cores of a pool, where there are enough changes: the subtrees below the root page
/// have nothing in common.
///
/// # Errors
///
/// As [`update`].
///
/// # Panics
///
/// As [`update`].
pub fn update_on<P: Pages<Error: Send> + Sync>(
    pool: &Pool,
    kernel: NodeKernel,
    pages: &P,
    changes: &[Change],
) -> Result<Update, PagesError<P::Error>> {
    if changes.len() < SHARED_CHANGES_MIN || pool.threads() == NonZeroUsize::MIN {
        return update(kernel, pages, changes);
    }
    assert!(changes.is_sorted_by(|a, b| a.0 < b.0), "the keys of changes ascend");
    let mut root = Level::root(pages, changes.len())?;
    let below = root.descend(pages, changes)?.map_or_else(Vec::new, |below| below.visits);
    let subtrees = pool.map(below.len(), |i| {
        let top = Visit { above: 0, ..below[i].clone() };
        Subtree::update(kernel, pages, changes, Level { visits: vec![top], edits: Vec::new() })
    });
    let mut pages = vec![Vec::new()];
    for (visit, subtree) in below.iter().zip(subtrees) {
        let subtree = subtree?;
        root.edits[visit.above].to = subtree.becomes;
        for (level, below) in (1..).zip(subtree.pages) {
            match pages.get_mut(level) {
                Some(pages) => pages.extend(below),
                None => pages.push(below),
            }
        }
    }
    let mut becomes = [Edit { slot: 0, to: Slot::Empty }];
    pages[0] = root.ascend(&mut Folding::new(kernel), &mut becomes);
    Ok(Subtree { becomes: becomes[0].to, pages }.into_update())
}

/// What changes make of a subtree.
#[derive(Debug)]
struct Subtree {
    /// What stands in the page above.
    becomes: Slot,
    /// The pages that differ, level by level, each in the order of their paths.
    pages: Vec<Vec<PageChange>>,
}

impl Subtree {
    /// Below the one page of a level.
    fn update<P: Pages>(
        kernel: NodeKernel,
        pages: &P,
        changes: &[Change],
        top: Level,
    ) -> Result<Self, PagesError<P::Error>> {
        let mut levels = vec![top];
        while let Some(below) = levels.last_mut().expect("never empty").descend(pages, changes)? {
            levels.push(below);
        }

        let mut folding = Folding::new(kernel);
        let mut pages = Vec::with_capacity(levels.len());
        let mut becomes = [Edit { slot: 0, to: Slot::Empty }];
        while let Some(level) = levels.pop() {
            let above = levels.last_mut().map_or(&mut becomes[..], |above| &mut above.edits);
            pages.push(level.ascend(&mut folding, above));
        }
        pages.reverse();
        Ok(Self { becomes: becomes[0].to, pages })
    }

    /// Of the whole tree.
    fn into_update(self) -> Update {
        let root = match self.becomes {
            Slot::Empty => StateRoot::EMPTY,
            Slot::Leaf(leaf) => StateRoot(leaf.hash()),
            Slot::Branch(hash) => StateRoot(hash),
        };
        Update { root, pages: self.pages.into_iter().flatten().collect() }
    }
}

/// The pages of one level that changes lead to, in order.
#[derive(Debug)]
struct Level {
    visits: Vec<Visit>,
    /// What becomes of slots, page after page, in order.
    edits: Vec<Edit>,
}

#[derive(Debug, Clone)]
struct Visit {
    path: PagePath,
    before: Before,
    /// Which changes lead here.
    changes: Range<usize>,
    /// Which edits of the level are of this page.
    edits: Range<usize>,
    /// Which edit of the level above awaits what becomes of this page.
    above: usize,
}

/// What a page was before the changes.
#[derive(Debug, Clone)]
enum Before {
    /// In the store.
    Stored(Page),
    /// Not there; the entry, if any, stood in the page above and has to make room.
    Absent(Option<Leaf>),
}

#[derive(Debug)]
struct Edit {
    slot: u8,
    /// Until the page below is computed, what was there before.
    to: Slot,
}

impl Before {
    fn parts(&self, step: u8) -> Parts<'_> {
        match self {
            Self::Stored(page) => page.parts(),
            Self::Absent(leaf) => {
                let mut parts = [Part::Empty; PAGE_SLOTS as usize];
                if let Some(leaf) = leaf {
                    parts[usize::from(leaf.key().slot(step))] = Part::Leaf(leaf.as_bytes());
                }
                parts
            }
        }
    }
}

/// What a slot with at most one entry before holds after changes below it, or `None` if that is more
/// than one entry.
fn entries_after(before: Option<Leaf>, group: &[Change]) -> Option<Slot> {
    let kept = before.filter(|leaf| group.binary_search_by_key(&leaf.key(), |c| c.0).is_err());
    let set = group.iter().filter_map(|(key, value)| Some(Leaf::new(key, value.as_ref()?)));
    let mut after = set.chain(kept);
    match (after.next(), after.next()) {
        (None, _) => Some(Slot::Empty),
        (Some(leaf), None) => Some(Slot::Leaf(leaf)),
        _ => None,
    }
}

impl Level {
    /// The root page, to which all changes lead.
    fn root<P: Pages>(pages: &P, changes: usize) -> Result<Self, PagesError<P::Error>> {
        let path = PagePath::ROOT;
        let before = read(pages, path)?.map_or(Before::Absent(None), Before::Stored);
        let visit = Visit { path, before, changes: 0..changes, edits: 0..0, above: 0 };
        Ok(Self { visits: vec![visit], edits: Vec::new() })
    }

    /// Decides what becomes of each slot that changes lead to, and gives the pages below for those
    /// that need one.
    fn descend<P: Pages>(
        &mut self,
        pages: &P,
        changes: &[Change],
    ) -> Result<Option<Self>, PagesError<P::Error>> {
        let mut below = Vec::new();
        for visit in &mut self.visits {
            let step = visit.path.steps();
            let first_edit = self.edits.len();
            let mut start = visit.changes.start;
            let parts = visit.before.parts(step);
            let same_slot = |a: &Change, b: &Change| a.0.slot(step) == b.0.slot(step);
            for group in changes[visit.changes.clone()].chunk_by(same_slot) {
                let slot = group[0].0.slot(step);
                let before = parts[usize::from(slot)].to_slot();
                let after = match before {
                    Slot::Branch(_) => None,
                    Slot::Empty => entries_after(None, group),
                    Slot::Leaf(leaf) => entries_after(Some(leaf), group),
                };
                if after.is_none() {
                    let misplaced = PagesError::Misplaced { path: visit.path };
                    let path = visit.path.child(slot).ok_or(misplaced)?;
                    let before = match before {
                        Slot::Branch(_) => Before::Stored(expect_page(pages, path)?),
                        Slot::Leaf(leaf) => Before::Absent(Some(leaf)),
                        Slot::Empty => Before::Absent(None),
                    };
                    let changes = start..start + group.len();
                    let above = self.edits.len();
                    below.push(Visit { path, before, changes, edits: 0..0, above });
                }
                self.edits.push(Edit { slot, to: after.unwrap_or(before) });
                start += group.len();
            }
            visit.edits = first_edit..self.edits.len();
        }
        Ok((!below.is_empty()).then_some(Self { visits: below, edits: Vec::new() }))
    }

    /// Computes the pages from their slots, hands what they have become to the level above, and gives
    /// those that differ.
    fn ascend(&self, folding: &mut Folding, above: &mut [Edit]) -> Vec<PageChange> {
        let mut writer = PageWriter::new();
        let mut changed = Vec::new();
        let mut awaited = Vec::with_capacity(Folding::BATCH);
        for visits in self.visits.chunks(Folding::BATCH) {
            awaited.clear();
            for visit in visits {
                let mut parts = visit.before.parts(visit.path.steps());
                let mut is_changed = false;
                for edit in &self.edits[visit.edits.clone()] {
                    let part = &mut parts[usize::from(edit.slot)];
                    is_changed |= *part != edit.to.as_part();
                    *part = edit.to.as_part();
                }
                let is_page = match entry_at_most(&parts) {
                    Some(becomes) => {
                        above[visit.above].to = becomes;
                        visit.path == PagePath::ROOT && becomes != Slot::Empty
                    }
                    None => {
                        folding.push(&parts);
                        awaited.push(visit.above);
                        true
                    }
                };
                if is_page && is_changed {
                    changed.push((visit.path, Some(writer.write(&parts))));
                } else if !is_page && matches!(visit.before, Before::Stored(_)) {
                    changed.push((visit.path, None));
                }
            }
            for (hash, above_edit) in folding.run(PAGE_LEVELS).into_iter().zip(&awaited) {
                above[*above_edit].to = Slot::Branch(hash);
            }
        }
        changed
    }
}
