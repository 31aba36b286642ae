//! What a garment may mine: the chain's credit, less what was spent here.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use proofward::ledger::signature::PubKey;
use proofward::node::clock::Moment;
use proofward::node::stratum::desk::Budget as _;
use proofward::node::wearers::Wearers;

use crate::common::Key;
use crate::world::World;

/// What a chain could say, and how often it was asked.
#[derive(Clone, Default)]
struct Chain {
    earned: Arc<Mutex<HashMap<PubKey, u64>>>,
    tip: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
}

impl Chain {
    fn earn(&self, key: &PubKey, hashes: u64) {
        self.earned.lock().unwrap().insert(*key, hashes);
        self.tip.fetch_add(1, Ordering::SeqCst);
    }

    fn wearers(&self, file: &Path) -> std::io::Result<Wearers> {
        let (earned, tip, asked) = (self.earned.clone(), self.tip.clone(), self.asked.clone());
        let earned = move |key: &PubKey| {
            asked.fetch_add(1, Ordering::SeqCst);
            earned.lock().unwrap().get(key).copied()
        };
        Wearers::new(Box::new(earned), Box::new(move || tip.load(Ordering::SeqCst)), file)
    }
}

const NOW: Moment = Moment { unix_s: 0, ms: 0 };

#[test]
fn a_wearer_spends_what_was_earned_and_no_more() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("spent");
    let (chain, wearer, other) = (Chain::default(), Key::new(1).public(), Key::new(2).public());
    chain.earn(&wearer, 10_000);
    let wearers = chain.wearers(&file).unwrap();
    assert!(wearers.spend(&wearer, 4_295.0, NOW) && wearers.spend(&wearer, 4_294.5, NOW));
    assert!(!wearers.spend(&wearer, 4_295.0, NOW), "{} of 10,000", wearers.spent(&wearer));
    assert_eq!(wearers.spent(&wearer), 8_590, "a refused share costs nothing");
    assert!(!wearers.spend(&wearer, f64::INFINITY, NOW));
    assert!(wearers.spend(&wearer, 1_410.0, NOW), "to the last hash");
    assert!(!wearers.spend(&wearer, 0.1, NOW));
    assert_eq!(chain.asked.load(Ordering::SeqCst), 1, "once a tip");
    // Who is no wearer mines as everybody does, and is not written down.
    assert!(wearers.spend(&other, 1e30, NOW));
    assert_eq!(wearers.spent(&other), 0);

    // What was spent stays so over a restart; a block may bring more, or taint what was earned.
    wearers.save().unwrap();
    let wearers = chain.wearers(&file).unwrap();
    assert_eq!(wearers.spent(&wearer), 10_000);
    chain.earn(&wearer, 10_001);
    assert!(wearers.spend(&wearer, 1.0, NOW) && !wearers.spend(&wearer, 1.0, NOW));
    chain.earn(&wearer, 0);
    assert!(!wearers.spend(&wearer, 1.0, NOW));
    wearers.save().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, format!("{} 10001\n", hex::encode(wearer.0)));
    for wrong in ["x", "00 1", &hex::encode([1; 32]), "\n"] {
        std::fs::write(&file, wrong).unwrap();
        assert!(chain.wearers(&file).is_err(), "{wrong:?}");
    }
}

/// On a chain without a reading nobody is a wearer.
#[test]
fn the_chain_says_who_is_a_wearer() {
    let world = World::new();
    let room = tempfile::tempdir().unwrap();
    let wearers = Wearers::of(&world.handle, room.path()).unwrap();
    assert!(wearers.spend(&Key::new(1).public(), 1e12, NOW));
    wearers.save().unwrap();
    assert_eq!(std::fs::read_dir(room.path()).unwrap().count(), 0, "nothing to write down");
}
