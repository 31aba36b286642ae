//! The vector that was checked against the arithmetic of pooler's minerd: notification, header and hash,
//! byte for byte; and our own coinbase in the same envelope.

use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash as _;
use proofward::ledger::coinbase::{Coinbase, CoinbaseForm, OWN_COINBASE_BYTES_MAX};
use proofward::ledger::signature::PubKey;
use proofward::node::stratum::job::{Choice, Work, id_of, number_of};
use proofward::primitives::codec::Reader;
use proofward::primitives::{BlockHash, CompactTarget};

use crate::common::Key;
use crate::world::World;

const COINBASE_1: &str = "01000000010000000000000000000000000000000000000000000000000000000000000000\
    ffffffff1002e80308";
const COINBASE_2: &str = "2f6d632fffffffff0200f2052a01000000160014000102030405060708090a0b0c0d0e0f1011\
    12130000000000000000266a244d4544439505cacb7c710ed17125fcc6cb3669e8ddca6c8cd8af6a31f6b3cd64604c3098\
    00000000";
const BRANCH: [&str; 2] = [
    "ba7b78fe1b215636d326b297f0a60df4f20b9e3cbaa0bc0e76a093b4d88d087c",
    "89c76c3eb6cab8c3a04c759a445fc64a8e09cf8b3035be4183244a4e714ee75b",
];
const NOTIFY: &str = r#"{"id":null,"method":"mining.notify","params":["1a2b3c01","0c63863b3e66db78399bb296ae0e63acaf0814df299b5e8a59b62c66650d0e83","01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff1002e80308","2f6d632fffffffff0200f2052a01000000160014000102030405060708090a0b0c0d0e0f101112130000000000000000266a244d4544439505cacb7c710ed17125fcc6cb3669e8ddca6c8cd8af6a31f6b3cd64604c309800000000",["ba7b78fe1b215636d326b297f0a60df4f20b9e3cbaa0bc0e76a093b4d88d087c","89c76c3eb6cab8c3a04c759a445fc64a8e09cf8b3035be4183244a4e714ee75b"],"20000000","1f00ffff","66000000",true]}"#;
const HEADER: &str = "000000203b86630c78db663e96b29b39ac630eaedf1408af8a5e9b29662cb659830e0d65f4057426\
    88844f59e50d6cbddfb789c867c727902d7f158aabbd21e85bb3c28100000066ffff001f57e80100";
const HASH: &str = "000022c719174ddf27860e46c9c8f721675b074f0b7f041c14262bf9ad3c85c6";

/// The vector's coinbase pays no key of ours: any 32 bytes of its second part stand for the key.
fn work() -> (Work, PubKey) {
    let second = hex::decode(COINBASE_2).unwrap();
    let form = CoinbaseForm {
        before: hex::decode(COINBASE_1).unwrap(),
        between: second[..20].to_vec(),
        after: second[52..].to_vec(),
    };
    let mut key = PubKey([0; 32]);
    key.0.copy_from_slice(&second[20..52]);
    let prev_block = BlockHash(bitcoin::hashes::sha256d::Hash::hash(b"prev").to_byte_array());
    let branch = BRANCH.map(|hash| hex::decode(hash).unwrap().try_into().unwrap()).to_vec();
    let bits = CompactTarget(0x1f00_ffff);
    (Work::new(prev_block, form, branch, 0x2000_0000, bits, 0x6600_0000), key)
}

#[test]
fn the_notification_is_the_vectors() {
    let (work, key) = work();
    let mut line = Vec::new();
    work.notify(0x1a2b_3c01, &key, true, &mut line);
    assert_eq!(String::from_utf8(line).unwrap(), format!("{NOTIFY}\n"));
    // And the test's own client reads it back into the same header.
    let read = crate::client::Work::of(&serde_json::from_str(NOTIFY).unwrap());
    let mut header =
        read.header(&hex::decode("a1b2c3d400000001").unwrap(), read.version, read.time);
    header[76..].copy_from_slice(&0x0001_e857_u32.to_le_bytes());
    assert_eq!(hex::encode(header), HEADER);
}

#[test]
fn the_share_makes_the_vectors_header() {
    let (work, key) = work();
    let choice = Choice {
        extranonce: [0xa1, 0xb2, 0xc3, 0xd4, 0, 0, 0, 1],
        time: 0x6600_0000,
        nonce: 0x0001_e857,
        version_bits: 0,
        version_mask: 0x1fff_e000,
    };
    let (coinbase, header) = work.solved(&key, &choice);
    assert_eq!(hex::encode(&coinbase), format!("{COINBASE_1}a1b2c3d400000001{COINBASE_2}"));
    assert_eq!(coinbase.len(), 145);
    assert_eq!(hex::encode(header), HEADER);
    let hash = bitcoin::hashes::sha256d::Hash::hash(&header).to_byte_array();
    assert_eq!(BlockHash(hash).to_string(), HASH);
    let target = CompactTarget(0x1f00_ffff).to_target().unwrap();
    assert!(target.is_met_by(&hash));
}

/// rust-bitcoin reads our coinbase as BFGMiner's `check_coinbase` does, and ESP-Miner's limits hold.
#[test]
fn our_coinbase_is_in_bitcoins_envelope_and_short() {
    let world = World::hard();
    let user = world.address(1);
    let mut line = world.connect();
    line.subscribe();
    assert_eq!(line.authorise(&user, "x").0, None);
    let work = line.work.clone().unwrap();
    assert!(work.coinbase[0].len() >= 43, "ESP-Miner reads the height behind byte 42");
    let bytes = work.coinbase(&[&line.extranonce1[..], &[0; 4]].concat());
    assert!((62..=OWN_COINBASE_BYTES_MAX).contains(&bytes.len()), "{} bytes", bytes.len());
    let parsed: bitcoin::Transaction = deserialize(&bytes).unwrap();
    assert!(parsed.is_coinbase());
    assert_eq!(parsed.output[0].value.to_sat(), 50 * 100_000_000);
    assert_eq!(parsed.output[0].script_pubkey.as_bytes()[2..], Key::new(1).public().0);
    let ours = Coinbase::decode(&mut Reader::new(&bytes)).unwrap();
    assert_eq!((ours.height, ours.payouts[0].key), (1, Key::new(1).public()));
    // The tallest height, the richest reward.
    let form = CoinbaseForm::new(u32::MAX >> 1, [7; 32], u64::MAX, 8, b"/proofward stratum/");
    assert!(form.fill(&[0; 8], &Key::new(1).public()).len() <= OWN_COINBASE_BYTES_MAX);
}

#[test]
fn no_id_of_a_job_comes_twice() {
    for extranonce1 in [0, 1, 0xa1b2_c3d4, u32::MAX] {
        for number in [0, 7, u32::MAX] {
            assert_eq!(number_of(id_of(number, extranonce1), extranonce1), number);
        }
    }
    // Two ids are the same if the distance of two jobs is that of two extranonces, times the multiplier.
    for apart in 1..1_u32 << 22 {
        let distance = id_of(0, apart).cast_signed().unsigned_abs();
        assert!(distance >= 1000, "extranonces {apart} apart, jobs {distance} apart");
    }
}
