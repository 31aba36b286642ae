//! The state tree against its naive twin: roots, pages, undo, proofs, and what a damaged store gives.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::num::NonZeroUsize;

use proofward::engine::nodes::NodeKernel;
use proofward::engine::pool::Pool;
use proofward::fuzzing::naive::{Entries, state_root};
use proofward::hash::sha256::{sha256, sha256d};
use proofward::ledger::tree::{
    Change, Leaf, MemoryPages, PAGE_BYTES_MAX, PROOF_BYTES_MAX, Page, PagePath, Pages, PagesError,
    Proof, ProofError, Scrub, StateKey, StateRoot, Update, ValueHash, prove, update, update_on,
};
use proofward::primitives::Digest;
use proofward::primitives::codec::DecodeError;

/// Numbers from a seed: the hash of the seed and a counter.
struct Random {
    seed: u64,
    count: u64,
}

impl Random {
    fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    fn digest(&mut self) -> Digest {
        self.count += 1;
        sha256(&[self.seed.to_le_bytes(), self.count.to_le_bytes()].concat())
    }

    fn below(&mut self, bound: usize) -> usize {
        let digest = self.digest();
        let number = u64::from_le_bytes(*digest.first_chunk().expect("32 bytes"));
        usize::try_from(number % bound as u64).expect("below a usize")
    }
}

/// Bit `at` of a key, flipped.
fn flipped(mut bytes: Digest, at: usize) -> Digest {
    bytes[at / 8] ^= 0x80 >> (at % 8);
    bytes
}

/// Keys of which half lie evenly and half share up to `shared` bits with another.
fn keys(random: &mut Random, count: usize, shared: usize) -> Vec<Digest> {
    let mut keys = vec![random.digest()];
    while keys.len() < count {
        let key = if random.below(2) == 0 {
            random.digest()
        } else {
            let twin = keys[random.below(keys.len())];
            flipped(twin, random.below(shared + 1))
        };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn change(key: &Digest, value: Option<&Vec<u8>>) -> Change {
    (StateKey(*key), value.map(|value| ValueHash::of(value)))
}

/// The changes that give `keys` the values they have in `entries`.
fn changes_to<'a>(entries: &Entries, keys: impl IntoIterator<Item = &'a Digest>) -> Vec<Change> {
    let sorted: BTreeSet<_> = keys.into_iter().collect();
    sorted.into_iter().map(|key| change(key, entries.get(key))).collect()
}

fn updated(pages: &MemoryPages, changes: &[Change]) -> Update {
    update(NodeKernel::best(), pages, changes).expect("memory does not fail")
}

/// The tree of some entries, made at once.
fn tree_of(entries: &Entries) -> (StateRoot, MemoryPages) {
    let made = updated(&MemoryPages::default(), &changes_to(entries, entries.keys()));
    let mut pages = MemoryPages::default();
    pages.apply(made.pages);
    (made.root, pages)
}

fn prove_in(
    pages: &MemoryPages,
    root: StateRoot,
    key: &Digest,
) -> Result<Proof, PagesError<Infallible>> {
    prove(NodeKernel::best(), pages, root, &StateKey(*key))
}

fn small_tree(seed: u64, count: usize, shared: usize) -> (Entries, StateRoot, MemoryPages) {
    let mut random = Random::new(seed);
    let keys = keys(&mut random, count, shared);
    let entries: Entries =
        keys.into_iter().map(|key| (key, random.digest()[..random.below(33)].to_vec())).collect();
    let (root, pages) = tree_of(&entries);
    (entries, root, pages)
}

#[test]
fn a_pool_makes_the_same_of_a_tree() {
    let mut random = Random::new(29);
    let all = keys(&mut random, 4000, 40);
    let value = |random: &mut Random| random.digest()[..random.below(33)].to_vec();
    let first: Entries = all[..2000].iter().map(|key| (*key, value(&mut random))).collect();
    let (_, pages) = tree_of(&first);
    // All that is there changes, goes or stays, and what is not there comes or does not.
    let mut second = first.clone();
    for key in &all {
        match random.below(3) {
            0 => drop(second.remove(key)),
            _ => drop(second.insert(*key, value(&mut random))),
        }
    }
    for (from, to) in
        [(&pages, &second), (&MemoryPages::default(), &first), (&pages, &Entries::new())]
    {
        let changes = changes_to(to, &all);
        let expected = updated(from, &changes);
        for threads in 1..4 {
            let pool = Pool::new(NonZeroUsize::new(threads).unwrap()).unwrap();
            let shared = update_on(&pool, NodeKernel::best(), from, &changes).unwrap();
            assert_eq!(shared, expected, "{threads} threads");
        }
    }
}

#[test]
fn the_smallest_trees_are_as_defined() {
    let leaf = |key, value: &[u8]| Leaf::new(&StateKey(key), &ValueHash::of(value)).hash();
    let node = |left: Digest, right: Digest| sha256d(&[left, right].concat());
    let root_of = |entries: &[(Digest, &[u8])]| {
        let entries = entries.iter().map(|(key, value)| (*key, value.to_vec())).collect();
        let (root, pages) = tree_of(&entries);
        (root.0, pages.len())
    };
    let zero = [0; 32];
    let last = flipped(zero, 255);
    let high = flipped(zero, 0);
    assert_eq!(root_of(&[]), (zero, 0));
    assert_eq!(root_of(&[(high, b"v")]), (leaf(high, b"v"), 1), "a lone leaf is the root");
    assert_eq!(root_of(&[(high, b"")]), (leaf(high, b""), 1), "an empty value is a value");
    let two = node(leaf(zero, b"a"), leaf(high, b"b"));
    assert_eq!(root_of(&[(zero, b"a"), (high, b"b")]), (two, 1));
    let mut deep = node(leaf(zero, b"a"), leaf(last, b"b"));
    for _ in 0..255 {
        deep = node(deep, zero);
    }
    assert_eq!(root_of(&[(zero, b"a"), (last, b"b")]), (deep, 64), "255 bits shared");
}

/// Root and proofs that a program of fifty lines in another language computed from the definitions.
#[test]
fn another_implementation_agrees() {
    let digest = |n: u32| sha256(format!("key {n}").as_bytes());
    let value = |n: u32| format!("value {n}").into_bytes();
    let entries: Entries = (0..8).map(|n| (digest(n), value(n))).collect();
    let (root, pages) = tree_of(&entries);
    assert_eq!(
        root.to_string(),
        "18af872f5fd4688c0deb09dc0b20b02394ae60a1abd2a7342b3539c768b6e4d2"
    );
    let proofs = [
        (
            0,
            "010600c447d155e7050a6ccafc57757fa064062b47c7d6c412e86f737d490d1560a64829c44d\
             18154fbb9389bc08875bc5a429887a064d60c2cc7d56ec54362faa3eade42c5cd09241e51569\
             15f776f561f76ae0c68b9f4a7696dccbb25f44c94a916de2",
        ),
        (
            8,
            "03040090d235e2142a01c5bb0273a513bdb08af08ed9c75842deca0988101f1b6c16d6412bd7\
             084b0521db11862929a21a11798100078370ceaf256cbab83c2bb3cdc67db7a7f761815e89d6\
             aa9c9b55fd5d8bba787b17c080446d7866a54177d50a0928c8348d6af5d9f4c8a173fdefe785\
             4df883353038a32af6725bf3a99cf1b87720",
        ),
        (
            13,
            "020200c0d235e2142a01c5bb0273a513bdb08af08ed9c75842deca0988101f1b6c16d641d2e1\
             d20eb21bbc5af266234f9158171dc0b7a3090bf8bad0e9653734823e65fc",
        ),
    ];
    for (number, expected) in proofs {
        let proof = prove_in(&pages, root, &digest(number)).unwrap();
        assert_eq!(hex::encode(proof.encode()), expected, "key {number}");
    }
}

/// Batches of inserts, changes, removals and changes that change nothing.
#[test]
fn every_batch_gives_the_naive_root_on_every_kernel_and_is_undone() {
    let kernels: Vec<_> = NodeKernel::available().collect();
    println!("kernels: {:?}", kernels.iter().map(|kernel| kernel.isa()).collect::<Vec<_>>());
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let size = [4, 40, 400][random.below(3)];
        let keys = keys(&mut random, size, 255);
        let (mut entries, mut pages, mut root) =
            (Entries::new(), MemoryPages::default(), StateRoot::EMPTY);
        for batch in 0..12 {
            let (old_entries, old_pages, old_root) = (entries.clone(), pages.clone(), root);
            let touched: Vec<_> =
                (0..=random.below(size)).map(|_| keys[random.below(size)]).collect();
            // Every third batch mostly removes, so that pages fold away.
            let removals = if batch % 3 == 2 { 7 } else { 3 };
            for key in &touched {
                if random.below(8) < removals {
                    entries.remove(key);
                } else if random.below(8) > 0 {
                    entries.insert(*key, random.digest().to_vec());
                }
            }
            let made = updated(&pages, &changes_to(&entries, &touched));
            assert_eq!(made.root.0, state_root(&entries), "seed {seed}, batch {batch}");
            for kernel in &kernels {
                let same = update(*kernel, &pages, &changes_to(&entries, &touched)).unwrap();
                assert_eq!(same, made, "seed {seed}, batch {batch}, {}", kernel.isa());
            }
            assert!(made.pages.is_sorted_by(|a, b| a.0 < b.0), "in the order of paths");
            for (path, page) in &made.pages {
                assert_ne!(pages.page(path).unwrap(), *page, "seed {seed}: {path} is the same");
            }
            pages.apply(made.pages);
            root = made.root;
            let at_once = tree_of(&entries);
            assert_eq!((root, &pages), (at_once.0, &at_once.1), "history leaves no trace");

            let undone = updated(&pages, &changes_to(&old_entries, &touched));
            assert_eq!(undone.root, old_root, "seed {seed}, batch {batch}");
            let mut pages_again = pages.clone();
            pages_again.apply(undone.pages);
            assert_eq!(pages_again, old_pages, "seed {seed}, batch {batch}");
        }
        let emptied = updated(&pages, &changes_to(&Entries::new(), &keys));
        assert_eq!(emptied.root, StateRoot::EMPTY);
        pages.apply(emptied.pages);
        assert!(pages.is_empty());
    }
}

#[test]
fn the_order_of_changes_leaves_no_trace() {
    let (entries, root, pages) = small_tree(1, 60, 255);
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut keys: Vec<_> = entries.keys().collect();
        // Shuffled, then in batches of random size.
        for at in (1..keys.len()).rev() {
            keys.swap(at, random.below(at + 1));
        }
        let mut grown = MemoryPages::default();
        let mut last = StateRoot::EMPTY;
        while !keys.is_empty() {
            let batch = keys.split_off(keys.len() - 1 - random.below(keys.len().min(9)));
            let made = updated(&grown, &changes_to(&entries, batch));
            grown.apply(made.pages);
            last = made.root;
        }
        assert_eq!((last, &grown), (root, &pages), "seed {seed}");
    }
}

#[test]
fn changes_that_change_nothing_give_no_pages() {
    let (entries, root, pages) = small_tree(2, 50, 255);
    let absent: Vec<_> = entries.keys().map(|key| flipped(*key, 77)).collect();
    let made = updated(&pages, &changes_to(&entries, entries.keys().chain(&absent)));
    assert_eq!(made, Update { root, pages: Vec::new() });
    assert_eq!(updated(&pages, &[]), Update { root, pages: Vec::new() });
    let nothing = updated(&MemoryPages::default(), &changes_to(&Entries::new(), &absent));
    assert_eq!(nothing, Update { root: StateRoot::EMPTY, pages: Vec::new() });
}

#[test]
fn deep_keys_cost_their_depth_and_no_more() {
    // One key, and its 256 neighbours that leave it at every bit.
    let key = sha256(b"key");
    let entries: Entries =
        (0..256).map(|bit| flipped(key, bit)).chain([key]).map(|key| (key, key.to_vec())).collect();
    let (root, pages) = tree_of(&entries);
    assert_eq!(root.0, state_root(&entries));
    assert_eq!(pages.len(), 64);
    for key in entries.keys() {
        let proof = prove_in(&pages, root, key).unwrap();
        proof.check(&root, &StateKey(*key), Some(key)).unwrap();
    }
    let deepest = prove_in(&pages, root, &key).unwrap().encode();
    assert_eq!(deepest.len(), PROOF_BYTES_MAX - 64);
    // Without the neighbours of the last four bits the key itself stands in the page above.
    let last: Vec<_> = (252..256).map(|bit| flipped(key, bit)).collect();
    let removed = updated(&pages, &changes_to(&Entries::new(), &last));
    let gone: Vec<_> = removed.pages.iter().filter(|(_, page)| page.is_none()).collect();
    assert_eq!(gone.iter().map(|(path, _)| path.steps()).collect::<Vec<_>>(), [63]);
    assert_eq!(removed.pages.len(), 64);
}

#[test]
fn proofs_of_entries_and_of_none_check() {
    for (seed, count) in [(1, 1), (2, 2), (3, 3), (4, 30), (5, 300)] {
        let (entries, root, pages) = small_tree(seed, count, 255);
        let mut random = Random::new(seed + 100);
        let near = entries.keys().map(|key| flipped(*key, random.below(256)));
        let asked: Vec<_> = entries.keys().copied().chain(near).collect();
        for key in asked.into_iter().chain((0..50).map(|n| sha256(&[n]))) {
            let proof = prove_in(&pages, root, &key).unwrap();
            let value = entries.get(&key).map(Vec::as_slice);
            assert_eq!(proof.shows_entry(), value.is_some());
            proof.check(&root, &StateKey(key), value).unwrap();
            let bytes = proof.encode();
            assert!(bytes.len() <= PROOF_BYTES_MAX);
            assert_eq!(Proof::decode(&bytes).as_ref(), Ok(&proof));
            // And not the contrary.
            let contrary = if value.is_some() { None } else { Some(&b""[..]) };
            let expected =
                if value.is_some() { ProofError::ShowsEntry } else { ProofError::ShowsAbsence };
            assert_eq!(proof.check(&root, &StateKey(key), contrary), Err(expected));
        }
    }
    let nothing = prove_in(&MemoryPages::default(), StateRoot::EMPTY, &[1; 32]);
    nothing.unwrap().check(&StateRoot::EMPTY, &StateKey([1; 32]), None).unwrap();
}

/// Whether a foreign proof shows anything; what does not decode shows nothing.
fn shows(bytes: &[u8], root: StateRoot, key: &Digest, value: Option<&[u8]>) -> bool {
    Proof::decode(bytes).is_ok_and(|proof| proof.check(&root, &StateKey(*key), value).is_ok())
}

#[test]
fn one_changed_bit_spoils_a_proof() {
    let (entries, root, pages) = small_tree(7, 25, 12);
    let mut random = Random::new(8);
    let near: Vec<_> = entries.keys().map(|key| flipped(*key, random.below(20))).collect();
    let mut kinds = BTreeMap::new();
    for key in entries.keys().chain(&near) {
        let bytes = prove_in(&pages, root, key).unwrap().encode();
        *kinds.entry(bytes[0]).or_insert(0) += 1;
        let value = entries.get(key).map(Vec::as_slice);
        assert!(shows(&bytes, root, key, value));
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 0x80 >> (bit % 8);
            assert!(!shows(&bad, root, key, value), "bit {bit} of the proof for {key:?}");
        }
        for cut in 0..bytes.len() {
            assert!(!shows(&bytes[..cut], root, key, value), "cut to {cut}");
        }
        assert!(!shows(&[&bytes[..], &[0]].concat(), root, key, value), "a byte too many");
        for bit in 0..256 {
            assert!(!shows(&bytes, StateRoot(flipped(root.0, bit)), key, value), "root, bit {bit}");
            // A proof of absence is one for every key whose way ends at the same place.
            let other = flipped(*key, bit);
            let shown = shows(&bytes, root, &other, value);
            assert!(!shown || (value.is_none() && !entries.contains_key(&other)), "key, bit {bit}");
        }
        let Some(value) = value else { continue };
        for bit in 0..value.len() * 8 {
            let mut bad = value.to_vec();
            bad[bit / 8] ^= 0x80 >> (bit % 8);
            assert!(!shows(&bytes, root, key, Some(&bad)), "value, bit {bit}");
        }
        assert!(!shows(&bytes, root, key, Some(&[value, &[0]].concat())), "a longer value");
    }
    assert_eq!(
        kinds.keys().copied().collect::<Vec<_>>(),
        [1, 2, 3],
        "every kind was met: {kinds:?}"
    );
}

#[test]
fn a_proof_says_what_is_wrong_with_it() {
    let (a, b) = ([0; 32], flipped([0; 32], 9));
    let entries: Entries = [(a, b"a".to_vec()), (b, b"b".to_vec())].into();
    let (root, pages) = tree_of(&entries);
    // Its way ends at b, at depth 10.
    let absent = flipped(b, 200);
    let proof = prove_in(&pages, root, &absent).unwrap();
    assert_eq!(proof.check(&root, &StateKey(absent), None), Ok(()));
    assert_eq!(proof.check(&root, &StateKey(b), None), Err(ProofError::SameKey));
    let off = ProofError::OffTheWay { other: StateKey(b), depth: 10 };
    assert_eq!(proof.check(&root, &StateKey(flipped(b, 9)), None), Err(off.clone()));
    assert_eq!(proof.check(&root, &StateKey(flipped(b, 0)), None), Err(off));
    let wrong = StateRoot([1; 32]);
    let expected = ProofError::WrongRoot { expected: wrong, found: root };
    assert_eq!(proof.check(&wrong, &StateKey(absent), None), Err(expected));
}

#[test]
fn a_proof_has_one_encoding() {
    let malformed = |at, what| Err(DecodeError::Malformed { at, what });
    let hash = [5; 32];
    let proof = |head: &[u8], tail: &[&[u8]]| Proof::decode(&[head, &tail.concat()].concat());
    assert!(proof(&[2, 0, 0], &[]).is_ok());
    assert!(proof(&[1, 2, 0, 0b1100_0000], &[&hash, &hash]).is_ok());
    assert!(proof(&[1, 2, 0, 0b0100_0000], &[&hash]).is_ok());
    for kind in [0, 4, 255] {
        assert_eq!(proof(&[kind, 0, 0], &[]), malformed(0, "an unknown end of a proof"));
    }
    let higher = malformed(3, "an end that could stand higher");
    assert_eq!(proof(&[1, 2, 0, 0b1000_0000], &[&hash]), higher);
    let below = malformed(3, "a sibling below the end");
    assert_eq!(proof(&[1, 2, 0, 0b1110_0000], &[&hash, &hash, &hash]), below);
    let empty = malformed(4, "an empty sibling written out");
    assert_eq!(proof(&[1, 2, 0, 0b1100_0000], &[&[0; 32], &hash]), empty);
    let deeper = malformed(1, "a proof deeper than the tree");
    assert_eq!(proof(&[1, 1, 1], &[]), deeper);
    assert_eq!(proof(&[2, 0, 1], &[]), deeper);
    assert_eq!(proof(&[3, 255, 255], &[]), deeper);
    let truncated = |at, wanted, left| Err(DecodeError::Truncated { at, wanted, left });
    assert_eq!(proof(&[], &[]), truncated(0, 1, 0));
    assert_eq!(proof(&[1, 0, 1], &[]), truncated(3, 32, 0));
    assert_eq!(proof(&[3, 0, 0], &[&hash]), truncated(3, 64, 32));
    assert_eq!(proof(&[1, 0, 0], &[&[0]]), Err(DecodeError::TrailingBytes { at: 3, left: 1 }));
}

#[test]
fn pages_and_paths_have_one_encoding() {
    let (_, root, pages) = small_tree(11, 500, 255);
    assert_ne!(root, StateRoot::EMPTY);
    for (path, page) in pages.to_sorted() {
        assert!(page.as_bytes().len() <= PAGE_BYTES_MAX);
        assert_eq!(Page::decode(&path, page.as_bytes()), Ok(page.clone()));
        assert_eq!(PagePath::decode(path.as_bytes()), Ok(path));
        // A page is of one place: its leaves are nowhere else, and no cut of it is a page.
        let has_leaf = page.slots().any(|(_, held)| held.leaf().is_some());
        let elsewhere = path.child(0).map(|below| Page::decode(&below, page.as_bytes()));
        assert!(!has_leaf || elsewhere.is_none_or(|decoded| decoded.is_err()));
        for cut in 0..page.as_bytes().len() {
            assert!(Page::decode(&path, &page.as_bytes()[..cut]).is_err());
        }
    }
    let malformed = |at, what| Err(DecodeError::Malformed { at, what });
    let path = |bytes: &[u8]| PagePath::decode(bytes);
    assert_eq!(path(&[0]), Ok(PagePath::ROOT));
    assert_eq!(path(&[3, 0xab, 0xc0]).unwrap().to_string(), "/abc");
    assert_eq!(path(&[3, 0xab, 0xc1]), malformed(2, "a half step after the last"));
    assert_eq!(path(&[64]), malformed(0, "a path of more than 63 steps"));
    assert_eq!(path(&[2, 1, 1]), Err(DecodeError::TrailingBytes { at: 2, left: 1 }));
    assert_eq!(path(&[2]), Err(DecodeError::Truncated { at: 1, wanted: 1, left: 0 }));
}

#[test]
fn pages_that_cannot_stand_somewhere_do_not_decode() {
    let malformed = |at, what| Err(DecodeError::Malformed { at, what });
    let page = |path: &PagePath, heads: [u16; 2], parts: &[Digest]| {
        let heads = heads.map(u16::to_le_bytes);
        Page::decode(path, &[heads.as_flattened(), parts.as_flattened()].concat())
    };
    let root = PagePath::ROOT;
    let below = root.child(3).unwrap();
    let (hash, key) = ([9; 32], |first: u8| [first; 32]);
    assert!(
        page(&root, [1 << 3, 0], &[key(0x34), hash]).is_ok(),
        "the root page may have one leaf"
    );
    let single = malformed(0, "a page with a single leaf that is not the root page");
    assert_eq!(page(&below, [1 << 4, 0], &[key(0x34), hash]), single);
    assert!(page(&below, [1 << 4, 1], &[hash, key(0x34), hash]).is_ok());
    assert_eq!(page(&root, [0, 0], &[]), malformed(0, "an empty page"));
    let both = malformed(0, "a slot with a leaf and a branch");
    assert_eq!(page(&root, [1 << 3, 1 << 3], &[key(0x34), hash]), both);
    assert_eq!(
        page(&root, [1 << 4, 0], &[key(0x34), hash]),
        malformed(4, "a leaf that belongs elsewhere")
    );
    let elsewhere = malformed(36, "a leaf that belongs elsewhere");
    assert_eq!(page(&below, [1 << 4, 1], &[hash, key(0x44), hash]), elsewhere);
    let mut last = root;
    while let Some(child) = last.child(0) {
        last = child;
    }
    assert_eq!(last.steps(), 63);
    assert!(page(&last, [3, 0], &[[0; 32], hash, flipped([0; 32], 255), hash]).is_ok());
    assert_eq!(page(&last, [0, 3], &[hash, hash]), malformed(2, "a branch at the last level"));
}

/// Pages of which one is missing, replaced or unreadable.
struct Damaged<'a> {
    pages: &'a MemoryPages,
    at: PagePath,
    becomes: Result<Option<Page>, &'static str>,
}

impl Pages for Damaged<'_> {
    type Error = &'static str;

    fn page(&self, path: &PagePath) -> Result<Option<Page>, &'static str> {
        if *path == self.at { self.becomes.clone() } else { Ok(self.pages.page(path).unwrap()) }
    }
}

fn scrub<P: Pages>(pages: P, root: StateRoot) -> Result<usize, PagesError<P::Error>> {
    let mut leaves = 0;
    for batch in Scrub::new(NodeKernel::best(), pages, root)? {
        leaves += batch?.len();
    }
    Ok(leaves)
}

#[test]
fn a_scrub_finds_every_changed_bit_of_every_page() {
    let (entries, root, pages) = small_tree(21, 60, 16);
    assert_eq!(scrub(&pages, root), Ok(entries.len()));
    for (at, page) in pages.to_sorted() {
        for bit in 0..page.as_bytes().len() * 8 {
            let mut bytes = page.as_bytes().to_vec();
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            let Ok(bad) = Page::decode(&at, &bytes) else { continue };
            let found = scrub(Damaged { pages: &pages, at, becomes: Ok(Some(bad)) }, root);
            assert_eq!(found, Err(PagesError::WrongHash { path: at }), "bit {bit}");
        }
    }
}

#[test]
fn a_damaged_store_is_an_error_and_no_proof() {
    let (entries, root, pages) = small_tree(22, 100, 40);
    for (at, page) in pages.to_sorted() {
        let missing = Damaged { pages: &pages, at, becomes: Ok(None) };
        assert_eq!(scrub(&missing, root), Err(PagesError::Missing { path: at }));
        let unreadable = Damaged { pages: &pages, at, becomes: Err("torn") };
        let store = PagesError::Store { path: at, source: "torn" };
        assert_eq!(scrub(&unreadable, root), Err(store.clone()));

        // A key whose way leads through the page.
        let Some(key) = entries.keys().find(|key| at.is_prefix_of(&StateKey(**key))) else {
            panic!("a page holds entries");
        };
        let changes = [change(key, None)];
        if at != PagePath::ROOT {
            let found = update(NodeKernel::best(), &missing, &changes);
            assert_eq!(found, Err(PagesError::Missing { path: at }));
        }
        let found = update(NodeKernel::best(), &unreadable, &changes);
        assert_eq!(found, Err(store));

        // A wrong hash gives an error where a proof would need it, never a wrong proof.
        let mut bytes = page.as_bytes().to_vec();
        let end = bytes.len() - 1;
        bytes[end] ^= 1;
        let bad = Page::decode(&at, &bytes).expect("only a hash has changed");
        let bad = Damaged { pages: &pages, at, becomes: Ok(Some(bad)) };
        let found = prove(NodeKernel::best(), &bad, root, &StateKey(*key));
        assert_eq!(found, Err(PagesError::WrongHash { path: at }));
    }
    let (pages_of_one, nothing) = (tree_of(&[([3; 32], vec![1])].into()).1, StateRoot::EMPTY);
    let path = PagePath::ROOT;
    assert_eq!(scrub(&pages_of_one, nothing), Err(PagesError::WrongHash { path }));
}
