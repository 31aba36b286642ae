//! Real blocks, alone and as a chain.

use bitcoin::hashes::Hash as _;
use proofward::consensus::block::{Block, BlockViolation, TransactionFault};
use proofward::consensus::{ChainSpec, Rule, merkle};
use proofward::engine::verify::BlockRun;
use proofward::primitives::Header;

use crate::{block_files, real_block, report, verdict, verifier, violation};

#[test]
fn real_blocks_are_valid() {
    let Some(files) = block_files() else { return };
    assert_eq!(files.len(), 12);
    for (name, bytes) in &files {
        if name == "stale_74638" {
            continue;
        }
        let report = report(verdict(&ChainSpec::bitcoin(), bytes));
        assert_eq!((report.count, report.bytes), (1, bytes.len() as u64), "{name}");
        // The same by rust-bitcoin.
        let block: bitcoin::Block = bitcoin::consensus::deserialize(bytes).expect("a block");
        let ours = Block::read(bytes).expect("a block");
        assert_eq!(report.transactions, block.txdata.len() as u64);
        assert_eq!(ours.weight(), block.weight().to_wu());
        let txids = block.txdata.iter().map(|tx| tx.compute_txid().to_byte_array());
        assert!(txids.eq(ours.txids().iter().copied()), "{name}");
        assert!(block.check_merkle_root() && block.check_witness_commitment(), "{name}");
    }
}

#[test]
fn real_blocks_at_their_heights_keep_to_the_versions_of_their_time() {
    let Some(files) = block_files() else { return };
    for (name, bytes) in files {
        let Some(height) = name.strip_prefix("mainnet_") else { continue };
        let height: u32 = height.parse().expect("a height");
        let spec = ChainSpec::bitcoin();
        let run = BlockRun::new(&spec).from_height(height).with_now(i64::from(u32::MAX));
        let report = report(verifier(1).verify_block(&run, &bytes[..]).expect("readable"));
        assert_eq!(report.last_height, Some(height.into()));
        assert!(report.not_judged.iter().all(|range| range.rule != Rule::BadVersion));
    }
}

#[test]
fn a04_amounts_that_overflow_are_refused_after_work_and_merkle_root_held() {
    let Some(bytes) = real_block("stale_74638") else { return };
    let fault = TransactionFault::OutputTooLarge { output: 0, amount: 9_223_372_036_854_275_808 };
    let expected = BlockViolation::Transaction { transaction: 1, fault };
    let found = violation(verdict(&ChainSpec::bitcoin(), &bytes));
    assert_eq!(found, expected);
    assert_eq!(found.rule(), "bad-txns-vout-toolarge");
    let block = Block::read(&bytes).expect("it reads");
    assert_eq!(merkle::root(block.txids()).root, Header::decode(block.header()).merkle_root);
}

#[test]
fn a05_blocks_that_share_a_transaction_are_each_valid() {
    for [first, second] in [["91722", "91880"], ["91812", "91842"]] {
        let (Some(first), Some(second)) =
            (real_block(&format!("mainnet_{first}")), real_block(&format!("mainnet_{second}")))
        else {
            return;
        };
        let spec = ChainSpec::bitcoin();
        let (a, b) = (report(verdict(&spec, &first)), report(verdict(&spec, &second)));
        assert_ne!(a.tip, b.tip, "two blocks");
        let coinbase = |bytes: &[u8]| Block::read(bytes).expect("a block").txids()[0];
        assert_eq!(coinbase(&first), coinbase(&second), "one transaction id");
    }
}
