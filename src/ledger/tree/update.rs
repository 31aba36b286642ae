//! From changed entries to the new root and the changed pages: down the tree, level by level, to find
//! the pages, then up again to hash them in batches.

use std::ops::Range;

use super::StateRoot;
use super::fold::{Fold, Folding, Held};
use super::key::{PAGE_SLOTS, PagePath, StateKey};
use super::leaf::LeafHash;
use super::page::{Leaf, Page, PageBuilder, Slot};
use super::pages::{Pages, PagesError, expect_page, read};
use crate::engine::nodes::NodeKernel;

/// A key with the hash of its new entry, or `None` for no entry.
pub type Change = (StateKey, Option<LeafHash>);

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
    let mut levels = vec![Level::root(pages, changes.len())?];
    while let Some(below) = levels.last_mut().expect("never empty").descend(pages, changes)? {
        levels.push(below);
    }

    let mut folding = Folding::new(kernel);
    let mut pages_by_level = Vec::with_capacity(levels.len());
    let mut root = [Edit { slot: 0, to: Slot::Empty }];
    while let Some(level) = levels.pop() {
        let above = levels.last_mut().map_or(&mut root[..], |above| &mut above.edits);
        pages_by_level.push(level.ascend(&mut folding, above));
    }
    let root = match root[0].to {
        Slot::Empty => StateRoot::EMPTY,
        Slot::Leaf(leaf) => StateRoot(leaf.hash.0),
        Slot::Branch(hash) => StateRoot(hash),
    };
    Ok(Update { root, pages: pages_by_level.into_iter().rev().flatten().collect() })
}

/// The pages of one level that changes lead to, in order.
#[derive(Debug)]
struct Level {
    visits: Vec<Visit>,
    /// What becomes of slots, page after page, in order.
    edits: Vec<Edit>,
}

#[derive(Debug)]
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
#[derive(Debug)]
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
    fn slot(&self, step: u8, slot: u8) -> Slot {
        match self {
            Self::Stored(page) => page.slot(slot),
            Self::Absent(Some(leaf)) if leaf.key.slot(step) == slot => Slot::Leaf(*leaf),
            Self::Absent(_) => Slot::Empty,
        }
    }

    fn page(self) -> Option<Page> {
        match self {
            Self::Stored(page) => Some(page),
            Self::Absent(_) => None,
        }
    }
}

/// What a slot with at most one entry before holds after changes below it, or `None` if that is more
/// than one entry.
fn entries_after(before: Option<Leaf>, group: &[Change]) -> Option<Slot> {
    let kept = before.filter(|leaf| group.binary_search_by_key(&leaf.key, |c| c.0).is_err());
    let set = group.iter().filter_map(|(key, hash)| hash.map(|hash| Leaf { key: *key, hash }));
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
            let same_slot = |a: &Change, b: &Change| a.0.slot(step) == b.0.slot(step);
            for group in changes[visit.changes.clone()].chunk_by(same_slot) {
                let slot = group[0].0.slot(step);
                let before = visit.before.slot(step, slot);
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
    fn ascend(self, folding: &mut Folding, above: &mut [Edit]) -> Vec<PageChange> {
        let Self { visits, edits } = self;
        let mut visits = visits.into_iter();
        let mut builder = PageBuilder::new();
        let (mut batch, mut folds) = (Vec::new(), Vec::new());
        let mut changed = Vec::new();
        while visits.len() > 0 {
            batch.clear();
            folds.clear();
            for visit in visits.by_ref().take(Folding::BATCH) {
                let mut fold = Fold::new();
                builder.clear();
                let mut edits = edits[visit.edits.clone()].iter().peekable();
                for slot in 0..PAGE_SLOTS {
                    let held = match edits.next_if(|edit| edit.slot == slot) {
                        Some(edit) => edit.to,
                        None => visit.before.slot(visit.path.steps(), slot),
                    };
                    fold.set(slot, &held);
                    builder.push(slot, &held);
                }
                folds.push(fold);
                batch.push((visit, builder.build()));
            }
            folding.run(&mut folds);
            for ((visit, page), fold) in batch.drain(..).zip(&folds) {
                let (becomes, page) = match fold.held(0) {
                    Held::Nothing => (Slot::Empty, None),
                    Held::OneLeaf => {
                        let is_root = visit.path == PagePath::ROOT;
                        (page.only_slot(), is_root.then_some(page))
                    }
                    Held::Branch => (Slot::Branch(*fold.hash(0)), Some(page)),
                };
                above[visit.above].to = becomes;
                if visit.before.page() != page {
                    changed.push((visit.path, page));
                }
            }
        }
        changed
    }
}
