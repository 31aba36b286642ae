//! Bytes that are no blocks, or blocks in an odd encoding.

use bitcoin::hashes::Hash as _;
use proofward::consensus::ChainSpec;
use proofward::consensus::block::Block;
use proofward::engine::verify::BlockRun;
use proofward::hash::Algorithm;
use proofward::primitives::codec::DecodeError;

use crate::made::Made;
use crate::{block_files, common, verdict, verifier, violation};

/// A deterministic walk over offsets.
fn offsets(len: usize, count: usize) -> impl Iterator<Item = usize> {
    let mut state = 20_u64;
    (0..count).map(move |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % len as u64).expect("below a length")
    })
}

#[test]
fn a20_truncated_blocks_and_trailing_bytes_are_refused() {
    let Some(files) = block_files() else { return };
    for (name, bytes) in files {
        for cut in offsets(bytes.len(), 1000) {
            let error = Block::read(&bytes[..cut]).unwrap_err();
            assert!(matches!(error, DecodeError::Truncated { .. }), "{name} cut at {cut}: {error}");
        }
        let longer = [&bytes[..], &[0]].concat();
        let error = Block::read(&longer).unwrap_err();
        assert_eq!(error, DecodeError::TrailingBytes { at: bytes.len(), left: 1 }, "{name}");
        let found = violation(verdict(&ChainSpec::bitcoin(), &longer));
        assert_eq!(found.rule(), "block-decode-failed");
    }
}

#[test]
fn a20_fuzzing_inputs_are_read_or_refused_as_by_rust_bitcoin() {
    let Some(folder) = common::data("corpus/bitcoin_block") else { return };
    let mut count = 0;
    let mut blocks = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a readable file");
        let ours = Block::read(&bytes);
        let theirs: Result<bitcoin::Block, _> = bitcoin::consensus::deserialize(&bytes);
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => {
                blocks += 1;
                let txids = theirs.txdata.iter().map(|tx| tx.compute_txid().to_byte_array());
                assert!(txids.eq(ours.txids().iter().copied()), "{}", path.display());
                assert_eq!(ours.weight(), theirs.weight().to_wu(), "{}", path.display());
            }
            (Err(_), Err(_)) => {}
            _ => panic!("{}: {ours:?} {theirs:?}", path.display()),
        }
        for spec in [ChainSpec::regtest(), ChainSpec::none(Algorithm::Sha256d)] {
            // Any verdict will do, and no panic.
            drop(verifier(1).verify_block(&BlockRun::new(&spec), &bytes[..]).expect("short"));
        }
        count += 1;
    }
    assert_eq!(count, 359);
    println!("{blocks} of them are blocks");
}

#[test]
fn a19_claims_of_size_take_no_memory() {
    let header = [0; 80];
    // 2^32 - 1 transactions, and the same claims one level down.
    for claim in [&[0xfe, 0xff, 0xff, 0xff, 0xff][..], &[0xff; 9], &[0xfe, 0, 0, 0, 2]] {
        let bytes = [&header[..], claim].concat();
        assert!(Block::read(&bytes).is_err());
        for prefix in [&[1, 1, 0, 0, 0][..], &[1, 1, 0, 0, 0, 0, 1]] {
            assert!(Block::read(&[&header[..], prefix, claim].concat()).is_err());
        }
    }
}

#[test]
fn odd_encodings_are_refused_as_in_bitcoin_core() {
    let made = Made::new(1);
    let block = made.block();
    let with_transaction = |transaction: &[u8]| [&block[..80], &[1], transaction].concat();
    let plain = made.transactions[0].encode(false);
    assert!(Block::read(&with_transaction(&plain)).is_ok());
    let flagged = |flag: u8, witnesses: &[u8]| {
        let end = plain.len() - 4;
        let mut bytes = plain[..4].to_vec();
        bytes.extend([0, flag]);
        bytes.extend(&plain[4..end]);
        bytes.extend(witnesses);
        bytes.extend(&plain[end..]);
        Block::read(&with_transaction(&bytes)).map(drop)
    };
    assert_eq!(flagged(1, &[1, 1, 9]), Ok(()), "one element of one byte");
    let what = |result: Result<(), DecodeError>| match result {
        Err(DecodeError::Malformed { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(what(flagged(1, &[0])), "superfluous witness");
    assert_eq!(what(flagged(2, &[])), "unknown transaction flag");
    assert_eq!(what(flagged(3, &[1, 1, 9])), "unknown transaction flag");
    // Neither inputs nor outputs, nor marker: the second zero is the number of outputs.
    let empty = with_transaction(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Block::read(&empty).expect("it reads").txids().len(), 1);
    // A longer count than needed (a18).
    let mut long_count = block[..80].to_vec();
    long_count.extend([0xfd, 1, 0]);
    long_count.extend(&plain);
    assert_eq!(Block::read(&long_count), Err(DecodeError::NonCanonicalSize { at: 80 }));
}
