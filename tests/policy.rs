//! Policies as values: trees, cells, leaves that make sense, windows at their edges, presence, and what a
//! builder hides.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "common/ledger.rs"]
mod ledger;

use ledger::Key;
use proofward::fuzzing::forge::SplitMix64;
use proofward::ledger::policy::{
    Cell, Daily, Draft, Entry, Leaf, LeafError, Need, Path, Place, PolicyTree, Presence, Purpose,
    Purposes, Role, RoleRef, Roll, Together, Tree, Window,
};
use proofward::ledger::transaction::PartyId;
use proofward::primitives::BlockHash;

fn role(number: u8) -> RoleRef {
    RoleRef { role: Role::Nurse, issuer: PartyId([number; 32]) }
}

fn terms() -> Leaf {
    Leaf {
        salt: [0; 16],
        set: 0,
        readers: [0; 32],
        places: [0; 32],
        window: Some(Window { from: 1_000, to: 1_120 }),
        daily: None,
        purposes: Purposes::of(&[Purpose::Treat]),
        need: vec![Need { role: role(1), count: 1 }],
        k: 2,
        together: Together::Apart,
        together_within: 3,
        answer_within: 20,
        read_within: 10,
        delay: 0,
        max_reads: 1,
        price: 0,
        scope: [0; 32],
    }
}

#[test]
fn every_path_of_every_small_tree_leads_to_its_root_and_no_other_leaf_does() {
    for count in 1..=33_u8 {
        let leaves: Vec<[u8; 32]> = (0..count).map(|i| [i; 32]).collect();
        let tree = Tree::new(leaves.clone()).unwrap();
        for (i, leaf) in leaves.iter().enumerate() {
            let path = tree.path(i).unwrap();
            assert_eq!(path.root_from(*leaf), Some(tree.root()));
            assert_ne!(path.root_from([200; 32]), Some(tree.root()));
            if count.is_power_of_two() {
                assert_eq!(usize::from(path.index), i, "the index of a padded tree is the leaf's");
            }
            for step in 0..path.siblings.len() {
                let mut other = path.clone();
                other.siblings[step][0] ^= 1;
                assert_ne!(other.root_from(*leaf), Some(tree.root()));
                let mut other = path.clone();
                other.index ^= 1 << step;
                assert_ne!(other.root_from(*leaf), Some(tree.root()));
            }
            // One form only: no bit without a step.
            let beyond = Path { index: path.index | 1 << path.siblings.len(), ..path };
            assert_eq!(beyond.root_from(*leaf), None);
        }
        assert_eq!(tree.path(usize::from(count)), None);
    }
    assert_eq!(Tree::new(vec![]), None);
    let long = Path { index: 0, siblings: vec![[0; 32]; 17] };
    assert_eq!(long.root_from([0; 32]), None);
}

/// Shown one step deeper, an inner node would be a leaf if their tags were the same (A2).
#[test]
fn a2_a_node_is_no_leaf_and_a_leaf_of_one_kind_none_of_another() {
    let reader = role(1).leaf(&[0; 16]);
    assert_ne!(reader, Place::Site(PartyId([1; 32])).leaf(&[0; 16]));
    assert_ne!(reader, role(1).leaf(&[1; 16]), "the salt counts");
    let tree = Tree::new(vec![reader, role(2).leaf(&[0; 16])]).unwrap();
    let tagged = proofward::hash::tagged::Tag::new("reader");
    let pair = [reader, role(2).leaf(&[0; 16])].concat();
    assert_ne!(tagged.hash(&pair), tree.root());
}

#[test]
fn cells_are_judged_by_their_digits_and_contain_their_children() {
    let valid = [
        0x0800_1fff_ffff_ffff, // Resolution 0.
        0x0810_03ff_ffff_ffff,
        0x0892_8308_280f_ffff,
        0x08f2_8308_2804_2219, // Resolution 15.
        0x0800_9fff_ffff_ffff, // A pentagon.
    ];
    for index in valid {
        assert!(Cell(index).is_valid(), "{index:016x}");
        assert!(Cell(index).contains(Cell(index)));
    }
    let invalid = [
        0x8892_8308_280f_ffff, // The highest bit.
        0x1092_8308_280f_ffff, // An edge.
        0x0992_8308_280f_ffff, // A reserved bit.
        0x0892_8308_280f_fffe, // A digit below the resolution.
        0x0892_8308_2fff_ffff, // No digit at the resolution.
        0x0800_1fff_ffff_fffe,
        0x080f_5fff_ffff_ffff, // Base cell 122.
        0x0810_87ff_ffff_ffff, // The sub-cell that a pentagon does not have.
        0,
        u64::MAX,
    ];
    for index in invalid {
        assert!(!Cell(index).is_valid(), "{index:016x}");
    }
    let (parent, child) = (Cell(0x0882_8308_281f_ffff), Cell(0x0892_8308_280f_ffff));
    assert!(parent.is_valid() && parent.contains(child) && !child.contains(parent));
    assert!(!Cell(0x0882_8308_283f_ffff).contains(child));
}

/// Against the `h3o` crate: all base cells, random indexes with one bit flipped, and every ancestor.
#[test]
fn cells_are_what_another_implementation_says() {
    let is_valid = |index: u64| h3o::CellIndex::try_from(index).is_ok();
    for base in 0..128_u64 {
        let index = 0x0800_1fff_ffff_ffff | base << 45;
        assert_eq!(Cell(index).is_valid(), is_valid(index), "base cell {base}");
    }
    let mut dice = SplitMix64::new(4);
    let (mut valid, mut invalid) = (0, 0);
    for _ in 0..100_000 {
        // Small digits and often zeros, so that pentagons and their deleted sub-cells come up.
        let resolution = u64::from(dice.within(0, 15));
        let mut index =
            0x0800_0000_0000_0000 | resolution << 52 | u64::from(dice.within(0, 121)) << 45;
        let mut zeros = dice.within(0, 3) > 0;
        for level in 1..=15 {
            zeros = zeros && dice.within(0, 3) > 0;
            let used = if zeros { 0 } else { u64::from(dice.within(0, 6)) };
            index |= (if level <= resolution { used } else { 7 }) << (3 * (15 - level));
        }
        if dice.within(0, 2) == 0 {
            index ^= 1 << dice.within(0, 63);
        }
        assert_eq!(Cell(index).is_valid(), is_valid(index), "{index:016x}");
        let Ok(cell) = h3o::CellIndex::try_from(index) else {
            invalid += 1;
            continue;
        };
        valid += 1;
        let other = dice.within(0, 15);
        let ancestor = h3o::Resolution::try_from(u8::try_from(other).unwrap()).unwrap();
        match cell.parent(ancestor) {
            Some(parent) => {
                let parent = Cell(u64::from(parent));
                assert!(parent.contains(Cell(index)), "{index:016x} at {other}");
                assert_eq!(Cell(index).contains(parent), parent == Cell(index));
                let beside = Cell(parent.0 ^ 1 << 45);
                assert!(!beside.contains(Cell(index)));
            }
            None => assert!(other > u32::from(u8::from(cell.resolution()))),
        }
    }
    assert!(valid > 50_000 && invalid > 10_000, "{valid} valid, {invalid} not");
}

#[test]
fn leaves_that_make_no_sense_beside_their_nearest_neighbours() {
    let check = |change: &dyn Fn(&mut Leaf)| {
        let mut leaf = terms();
        change(&mut leaf);
        leaf.check(10)
    };
    let btg = Purposes::of(&[Purpose::BreakGlass, Purpose::EmergencyTreat]);
    let emergency = move |leaf: &mut Leaf| (leaf.purposes, leaf.set) = (btg, 1);
    let daily = |from, to| move |leaf: &mut Leaf| leaf.daily = Some(Daily { from, to });
    type Change = Box<dyn Fn(&mut Leaf)>;
    let cases: Vec<(Change, Result<(), LeafError>)> = vec![
        (Box::new(|_| {}), Ok(())),
        (Box::new(|leaf| leaf.window = None), Err(LeafError::NoTime)),
        (
            Box::new(|leaf| leaf.window = Some(Window { from: 1, to: 120 })),
            Err(LeafError::ShortWindow),
        ),
        (Box::new(|leaf| leaf.window = Some(Window { from: 0, to: 120 })), Ok(())),
        (
            Box::new(|leaf| leaf.window = Some(Window { from: 9, to: 8 })),
            Err(LeafError::ShortWindow),
        ),
        (Box::new(daily(5, 6)), Err(LeafError::BadDaily)),
        (Box::new(daily(5, 7)), Ok(())),
        (Box::new(daily(5, 5)), Err(LeafError::BadDaily)),
        (Box::new(daily(1439, 1)), Ok(())),
        (Box::new(daily(5, 1440)), Err(LeafError::BadDaily)),
        (Box::new(|leaf| leaf.purposes = Purposes::of(&[])), Err(LeafError::NoPurpose)),
        (
            Box::new(|leaf| {
                leaf.purposes = Purposes::of(&[Purpose::Treat, Purpose::BreakGlass]);
            }),
            Err(LeafError::MixedPurposes),
        ),
        (Box::new(move |leaf| leaf.purposes = btg), Err(LeafError::WrongSet(0))),
        (Box::new(|leaf| leaf.set = 1), Err(LeafError::WrongSet(1))),
        (Box::new(emergency), Ok(())),
        (Box::new(|leaf| leaf.need[0].count = 0), Err(LeafError::BadNeed)),
        (Box::new(|leaf| leaf.need[0].count = 33), Err(LeafError::BadNeed)),
        (Box::new(|leaf| leaf.need[0].count = 32), Ok(())),
        (
            Box::new(|leaf| {
                leaf.need = (1..=9).map(|i| Need { role: role(i), count: 1 }).collect();
            }),
            Err(LeafError::BadNeed),
        ),
        (
            Box::new(|leaf| {
                leaf.need = (1..=8).map(|i| Need { role: role(i), count: 1 }).collect();
            }),
            Ok(()),
        ),
        (
            Box::new(|leaf| leaf.need.push(Need { role: role(1), count: 1 })),
            Err(LeafError::BadNeed),
        ),
        (Box::new(|leaf| leaf.k = 0), Err(LeafError::BadK(0))),
        (Box::new(|leaf| leaf.k = 33), Err(LeafError::BadK(33))),
        (Box::new(|leaf| leaf.together_within = 0), Err(LeafError::BadTogether(0))),
        (Box::new(|leaf| leaf.together_within = 144), Ok(())),
        (Box::new(|leaf| leaf.together_within = 145), Err(LeafError::BadTogether(145))),
        (Box::new(|leaf| leaf.answer_within = 0), Err(LeafError::NoAnswer)),
        (Box::new(|leaf| leaf.answer_within = 131_072), Ok(())),
        (Box::new(|leaf| leaf.answer_within = 131_073), Err(LeafError::LongAnswer(131_073))),
        (Box::new(|leaf| leaf.read_within = 131_072), Ok(())),
        (Box::new(|leaf| leaf.read_within = 131_073), Err(LeafError::LongRead(131_073))),
        (Box::new(|leaf| leaf.read_within = 1), Err(LeafError::ShortRead(1))),
        (Box::new(|leaf| leaf.read_within = 2), Ok(())),
        (Box::new(|leaf| leaf.delay = 20), Ok(())),
        (Box::new(|leaf| leaf.delay = 21), Err(LeafError::BadDelay(21))),
        (Box::new(|leaf| (leaf.delay, leaf.price) = (1, 1)), Err(LeafError::BadDelay(1))),
        (Box::new(|leaf| leaf.price = 1), Ok(())),
        (Box::new(|leaf| leaf.max_reads = 0), Err(LeafError::BadReads(0))),
        (
            Box::new(move |leaf| {
                emergency(leaf);
                leaf.max_reads = 2;
            }),
            Err(LeafError::BadReads(2)),
        ),
        (
            Box::new(move |leaf| {
                emergency(leaf);
                leaf.delay = 1;
            }),
            Err(LeafError::BadDelay(1)),
        ),
        (
            Box::new(move |leaf| {
                emergency(leaf);
                leaf.price = 1;
            }),
            Err(LeafError::EmergencyPrice),
        ),
    ];
    for (i, (change, expected)) in cases.iter().enumerate() {
        assert_eq!(check(change), *expected, "case {i}");
    }
}

#[test]
fn windows_begin_with_their_first_second_and_end_before_their_last() {
    let leaf = terms();
    for (time, inside) in [(999, false), (1_000, true), (1_119, true), (1_120, false)] {
        assert_eq!(leaf.is_within(time), inside, "{time}");
    }
    // 22:00 to 06:00, over midnight.
    let night = Leaf { window: None, daily: Some(Daily { from: 1320, to: 360 }), ..terms() };
    let day = 1_700_006_400; // A midnight.
    assert_eq!(day % 86_400, 0);
    for (second, inside) in [
        (0, true),
        (21_599, true),
        (21_600, false),
        (79_199, false),
        (79_200, true),
        (86_399, true),
    ] {
        assert_eq!(night.is_within(day + second), inside, "{second}");
    }
}

#[test]
fn unknown_codes_do_not_decode() {
    let decodes = |bytes: &[u8]| {
        (borsh::from_slice::<Role>(bytes).is_ok(), borsh::from_slice::<Purpose>(bytes).is_ok())
    };
    for code in 0..300_u16 {
        let (is_role, is_purpose) = decodes(&code.to_le_bytes());
        assert_eq!(is_role, (1..=9).contains(&code), "role {code}");
        let is_bit = code.is_power_of_two() && code <= 64;
        assert_eq!(is_purpose, is_bit, "purpose {code}");
        let is_set = borsh::from_slice::<Purposes>(&code.to_le_bytes()).is_ok();
        assert_eq!(is_set, code < 128, "purposes {code}");
    }
    for number in 0..=255_u8 {
        assert_eq!(borsh::from_slice::<Together>(&[number]).is_ok(), number <= 3);
        let place = [&[number][..], &[0; 40]].concat();
        let known = (1..=4).any(|kind| kind == number);
        let exact = [33, 41, 1, 1];
        if known {
            let length = exact[usize::from(number) - 1];
            assert!(borsh::from_slice::<Place>(&place[..length]).is_ok(), "{number}");
        } else {
            assert!(borsh::from_slice::<Place>(&place).is_err(), "{number}");
        }
    }
}

#[test]
fn a_beacon_speaks_for_the_keys_it_heard_and_no_other_on_one_chain_and_no_other() {
    let (beacon, nurse) = (Key::new(1), Key::new(2));
    let keys = vec![(nurse.public(), [1; 16]), (Key::new(3).public(), [2; 16])];
    let roll = Roll::new(beacon.public(), 7, BlockHash([5; 32]), keys).unwrap();
    let (here, there) = (BlockHash([1; 32]), BlockHash([2; 32]));
    let sig = beacon.sign(&roll.message(&here));
    let presence = roll.presence(nurse.public(), sig).unwrap();
    assert!(presence.is_of(nurse.public()));
    assert!(!presence.is_of(Key::new(3).public()), "another path");
    assert!(!presence.is_of(Key::new(4).public()));
    assert_eq!(roll.presence(Key::new(4).public(), sig), None);
    assert_eq!(presence.message(&here), roll.message(&here));
    assert_ne!(presence.message(&here), presence.message(&there));
    let other = Presence { round: 8, ..presence.clone() };
    assert_ne!(other.round_id(), presence.round_id());
}

#[test]
fn a_policy_shows_one_branch_and_hides_how_many_there_are() {
    let draft = |k| Draft {
        terms: Leaf { k, ..terms() },
        readers: vec![role(1)],
        places: vec![Place::Anywhere],
    };
    for count in 1..=9_u8 {
        let drafts: Vec<Draft> = (1..=count).map(draft).collect();
        let policy = PolicyTree::build(&[4; 32], 10, &drafts).unwrap();
        for branch in policy.branches() {
            let depth = usize::from(count).next_power_of_two().trailing_zeros();
            assert_eq!(branch.path.siblings.len(), usize::try_from(depth).unwrap());
            assert_eq!(branch.path.root_from(branch.leaf.hash()), Some(policy.root()));
            let reader = &branch.readers[0];
            assert!(reader.value.is_under(&reader.salt, &reader.path, &branch.leaf.readers));
            let place = &branch.places[0];
            assert!(place.value.is_under(&place.salt, &place.path, &branch.leaf.places));
            assert!(!place.value.is_under(&place.salt, &place.path, &branch.leaf.readers));
            assert_eq!(reader.path.siblings.len(), 2, "one reader looks like four");
        }
        let again = PolicyTree::build(&[4; 32], 10, &drafts).unwrap();
        assert_eq!(again, policy);
        let other = PolicyTree::build(&[5; 32], 10, &drafts).unwrap();
        assert_ne!(other.branches()[0].leaf.readers, policy.branches()[0].leaf.readers);
    }
    // Equal lists under equal terms have nothing in common to see.
    let policy = PolicyTree::build(&[4; 32], 10, &[draft(2), draft(2)]).unwrap();
    let [a, b] = policy.branches() else { panic!("two branches") };
    assert_ne!(
        (a.leaf.salt, a.leaf.readers, a.leaf.places),
        (b.leaf.salt, b.leaf.readers, b.leaf.places)
    );
}
