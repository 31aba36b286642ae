//! The published vector: a job as a server sends it, and the share that a search finds in it, byte for byte.

use proofward::engine::{Engine, Event as EngineEvent, Options, Until, Work};
use proofward::hash::Algorithm;
use proofward::kernel::Kernel;
use proofward::node::client::{Event, Offer};
use serde_json::json;

use crate::talk::{Talk, login};

const HEADER: &str = "000000203b86630c78db663e96b29b39ac630eaedf1408af8a5e9b29662cb659830e0d65f405742688844f59e50d6cbddfb789c867c727902d7f158aabbd21e85bb3c28100000066ffff001f57e80100";
const HASH: &str = "000022c719174ddf27860e46c9c8f721675b074f0b7f041c14262bf9ad3c85c6";

fn offered() -> (Talk, Offer) {
    let mut talk = Talk::subscribed(login(), 4);
    talk.server(
        "mining.notify",
        json!([
            "1a2b3c01",
            "0c63863b3e66db78399bb296ae0e63acaf0814df299b5e8a59b62c66650d0e83",
            "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff1002e80308",
            "2f6d632fffffffff0200f2052a01000000160014000102030405060708090a0b0c0d0e0f101112130000000000000000266a244d4544439505cacb7c710ed17125fcc6cb3669e8ddca6c8cd8af6a31f6b3cd64604c309800000000",
            [
                "ba7b78fe1b215636d326b297f0a60df4f20b9e3cbaa0bc0e76a093b4d88d087c",
                "89c76c3eb6cab8c3a04c759a445fc64a8e09cf8b3035be4183244a4e714ee75b"
            ],
            "20000000",
            "1f00ffff",
            "66000000",
            true
        ]),
    );
    talk.answer("mining.authorize", json!(true));
    let offer = talk.offers.last().expect("an offer").clone();
    (talk, offer)
}

#[test]
fn the_known_share_is_found_and_submitted_byte_for_byte() {
    let (mut talk, mut offer) = offered();
    assert_eq!((offer.height, &*offer.name), (Some(1000), "1a2b3c01"));
    // Extranonces count up from their first byte; the vector's has its one in the last.
    offer.extranonce_first = 0x0100_0000;
    let kernel = Kernel::by_name(Algorithm::Sha256d, "portable").expect("always there");
    let engine = Engine::new(kernel, Options::default()).expect("threads");
    // The network's target is easier than difficulty 1, so a block is looked for.
    let generation = engine.publish(offer.work().until(Until::FirstSolution));
    let mut lowest = None;
    loop {
        match engine.events().recv().expect("workers") {
            EngineEvent::Solution(found) => {
                let is_lower = lowest
                    .is_none_or(|other: proofward::engine::Solution| found.nonce() < other.nonce());
                lowest = if is_lower { Some(found) } else { lowest };
            }
            EngineEvent::Exhausted(done) if done == generation => break,
            _ => {}
        }
    }
    let solution = lowest.expect("a solution");
    assert_eq!(hex::encode(solution.header), HEADER);
    let mut display = solution.digest;
    display.reverse();
    assert_eq!(hex::encode(display), HASH);

    talk.step(Event::Found { offer: offer.number, solution });
    let expected = json!(["user", "1a2b3c01", "00000001", "66000000", "0001e857"]);
    assert_eq!(talk.last("mining.submit")["params"], expected);
    talk.answer("mining.submit", json!(true));
    let share = talk.shares.last().expect("a fate");
    assert_eq!(share.block.map(|hash| hash.to_string()).as_deref(), Some(HASH));
}

#[test]
fn every_extranonce_is_searched_once_whatever_the_first() {
    let (_, offer) = offered();
    let coinbase = offer.coinbase.clone().expect("a coinbase to roll");
    let offer = Offer {
        coinbase: Some(proofward::engine::Coinbase { extranonce_bytes: 1, ..coinbase }),
        extranonce_first: 200,
        ..offer
    };
    let kernel = Kernel::by_name(Algorithm::Sha256d, "portable").expect("always there");
    let engine = Engine::new(kernel, Options::default()).expect("threads");
    // One nonce of each header, and every hash a solution.
    let templates = offer.templates().map(|template| {
        template.with_nonces(proofward::kernel::NonceRange::new(7, 7).expect("one nonce"))
    });
    let generation = engine.publish(Work::new(templates, proofward::primitives::Target::MAX));
    let mut seen = Vec::new();
    loop {
        match engine.events().recv().expect("workers") {
            EngineEvent::Solution(found) => seen.push(found.extranonce),
            EngineEvent::Exhausted(done) if done == generation => break,
            _ => {}
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..=255).collect::<Vec<u64>>());
}
