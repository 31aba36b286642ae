//! The state tree: what decodes, and batches of changes against the naive root.

use std::collections::BTreeMap;

use crate::engine::nodes::NodeKernel;
use crate::fuzzing::naive::{Entries, state_root};
use crate::ledger::tree::{
    Change, MemoryPages, Page, PagePath, Proof, Scrub, StateKey, StateRoot, ValueHash, prove,
    update,
};
use crate::primitives::Digest;

/// Any bytes as a proof, a page and a path: what decodes encodes to the same bytes, and no proof shows
/// two things.
///
/// # Panics
///
/// If that does not hold.
pub fn tree_decode(data: &[u8]) {
    if let Ok(proof) = Proof::decode(data) {
        assert_eq!(proof.encode(), data);
        let (root, key) = (StateRoot([7; 32]), StateKey([9; 32]));
        let shows_value = proof.check(&root, &key, Some(data));
        let shows_nothing = proof.check(&root, &key, None);
        assert!(shows_value.is_err() && shows_nothing.is_err(), "nobody can find such a proof");
    }
    if let Ok(path) = PagePath::decode(data) {
        assert_eq!(path.as_bytes(), data);
    }
    let Some((&path_bytes, rest)) = data.split_first() else { return };
    let Some((path, page)) = rest.split_at_checked(usize::from(path_bytes % 34)) else { return };
    let Ok(path) = PagePath::decode(path) else { return };
    if let Ok(decoded) = Page::decode(&path, page) {
        assert_eq!(decoded.as_bytes(), page);
        assert!(decoded.slots().count() == 16);
    }
}

/// Commands of two bytes change the entries under a few keys, many of which share long beginnings:
/// after every batch root, pages and proofs must be those of the entries.
///
/// # Panics
///
/// If they are not.
pub fn tree_update(data: &[u8]) {
    const COMMANDS_MAX: usize = 256;
    let kernel = NodeKernel::best();
    let (mut pages, mut entries, mut root) =
        (MemoryPages::default(), Entries::new(), StateRoot::EMPTY);
    let commands = &data.as_chunks::<2>().0[..(data.len() / 2).min(COMMANDS_MAX)];
    for batch in commands.split(|command| command[1] == 0) {
        let before = (entries.clone(), pages.clone(), root);
        let mut touched = BTreeMap::new();
        for [key, value] in batch {
            let key = clustered_key(*key);
            touched.insert(key, ());
            // The upper half of values are deletions.
            if *value < 128 {
                entries.insert(key, vec![*value; usize::from(*value)]);
            } else {
                entries.remove(&key);
            }
        }
        let changes_to = |entries: &Entries| -> Vec<Change> {
            let leaf =
                |key: &Digest| (StateKey(*key), entries.get(key).map(|value| ValueHash::of(value)));
            touched.keys().map(leaf).collect()
        };
        let made = update(kernel, &pages, &changes_to(&entries)).expect("memory does not fail");
        assert_eq!(made.root.0, state_root(&entries));
        root = made.root;
        pages.apply(made.pages);
        for key in touched.keys() {
            check_proof(kernel, &pages, &entries, root, key);
        }
        let mut scrub = Scrub::new(kernel, &pages, root).expect("memory does not fail");
        let leaves = scrub.by_ref().map(|leaves| leaves.expect("every page is right").len());
        assert_eq!(leaves.sum::<usize>(), entries.len());
        assert_eq!(scrub.pages_checked(), pages.len() as u64, "no page is left over");

        let undone = update(kernel, &pages, &changes_to(&before.0)).expect("memory does not fail");
        assert_eq!(undone.root, before.2);
        let mut pages_before = pages.clone();
        pages_before.apply(undone.pages);
        assert_eq!(pages_before, before.1, "undone to the same pages");
    }
}

fn check_proof(
    kernel: NodeKernel,
    pages: &MemoryPages,
    entries: &Entries,
    root: StateRoot,
    key: &Digest,
) {
    let proof = prove(kernel, pages, root, &StateKey(*key)).expect("pages are right");
    let value = entries.get(key).map(Vec::as_slice);
    proof.check(&root, &StateKey(*key), value).expect("a proof that was made");
    assert_eq!(Proof::decode(&proof.encode()).as_ref(), Ok(&proof));
}

/// One of 256 keys: zeros and a single one at a place, so that beginnings of every length are shared.
fn clustered_key(place: u8) -> Digest {
    let mut key = [0; 32];
    key[usize::from(place / 8)] = 0x80 >> (place % 8);
    key
}
