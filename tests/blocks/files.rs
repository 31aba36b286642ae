//! Files of many blocks, sound, damaged and of other things.

use proofward::consensus::{ChainSpec, Rule};
use proofward::engine::verify::{BlockFileError, BlockRun, BlockVerdict};

use crate::{BITCOIN_MAGIC, common, report, verifier};

#[test]
fn the_first_blocks_are_a_valid_chain_with_every_header_rule() {
    let Some(path) = common::data("blocks/mainnet_first_4313.blk") else { return };
    let bytes = std::fs::read(path).expect("a readable file");
    let spec = ChainSpec::bitcoin();
    let run = BlockRun::new(&spec).with_now(i64::from(u32::MAX));
    let mut verdicts = Vec::new();
    for threads in [1, 2, 3] {
        let verdict = verifier(threads).verify_block_file(&run, BITCOIN_MAGIC, &bytes[..]);
        verdicts.push(report(verdict.expect("readable")));
    }
    assert_eq!(verdicts[0].count, 4313);
    assert_eq!(verdicts[0].last_height, Some(4312));
    assert_eq!(verdicts[0].chain_work.to_string(), (4313_u64 * 4_295_032_833).to_string());
    assert_eq!(verdicts[0].not_judged, []);
    assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]));
    // Room at the end, as nodes reserve it.
    let padded = [&bytes[..], &[0; 10_000]].concat();
    let verdict = verifier(2).verify_block_file(&run, BITCOIN_MAGIC, &padded[..]);
    assert_eq!(report(verdict.expect("readable")), verdicts[0]);
}

/// Offsets of the frames of a file of blocks.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        starts.push(at);
        let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes"));
        at += 8 + length as usize;
    }
    starts
}

#[test]
fn a_bad_block_in_a_file_is_named_on_any_number_of_threads() {
    let Some(path) = common::data("blocks/mainnet_first_4313.blk") else { return };
    let original = std::fs::read(path).expect("a readable file");
    let starts = frames(&original);
    let spec = ChainSpec::bitcoin();
    let run = BlockRun::new(&spec);
    for position in [0_usize, 1, 170, 2016, 4000, 4312] {
        let mut bytes = original.clone();
        // The last byte of a block is in a lock time: the header stays, the merkle root does not.
        let end = starts.get(position + 1).copied().unwrap_or(original.len());
        bytes[end - 1] ^= 1;
        if let Some(later) = starts.get(position + 5) {
            bytes[later + 8 + 40] ^= 1;
        }
        for threads in [1, 3] {
            let verdict = verifier(threads).verify_block_file(&run, BITCOIN_MAGIC, &bytes[..]);
            let BlockVerdict::Invalid(failure) = verdict.expect("readable") else {
                panic!("block {position} was changed")
            };
            assert_eq!(failure.position, position as u64);
            assert_eq!(failure.height, Some(position as u64));
            assert_eq!(failure.violation.rule(), "bad-txnmrklroot");
            assert!(failure.violation.is_mutation());
        }
    }
    // A block left out breaks the link.
    let mut bytes = original.clone();
    bytes.drain(starts[10]..starts[11]);
    let verdict = verifier(2).verify_block_file(&run, BITCOIN_MAGIC, &bytes[..]);
    let BlockVerdict::Invalid(failure) = verdict.expect("readable") else { panic!("unlinked") };
    assert_eq!((failure.position, failure.violation.rule()), (10, "bad-prevblk"));
    let unlinked = BlockRun::new(&spec).unlinked();
    let verdict = verifier(2).verify_block_file(&unlinked, BITCOIN_MAGIC, &bytes[..]);
    let report = report(verdict.expect("readable"));
    assert_eq!((report.count, report.last_height), (4312, None));
    // Without genesis heights are unknown, links and later times are not.
    let verdict = verifier(2).verify_block_file(&run, BITCOIN_MAGIC, &original[starts[1]..]);
    let BlockVerdict::Valid(report) = verdict.expect("readable") else { panic!("valid") };
    let last_unjudged = |rule| report.not_judged.iter().rfind(|r| r.rule == rule).map(|r| r.last);
    assert_eq!(last_unjudged(Rule::BadPrevblk), Some(0));
    assert_eq!(last_unjudged(Rule::TimeTooOld), Some(10));
    assert_eq!(last_unjudged(Rule::BadDiffbits), Some(4311));
}

#[test]
fn files_that_are_no_files_of_blocks_are_errors() {
    let Some(path) = common::data("blocks/mainnet_first_4313.blk") else { return };
    let bytes = std::fs::read(path).expect("a readable file")[..5000].to_vec();
    let starts = frames(&bytes[..4 * 223]);
    let spec = ChainSpec::bitcoin();
    let verify =
        |bytes: &[u8]| verifier(2).verify_block_file(&BlockRun::new(&spec), BITCOIN_MAGIC, bytes);
    assert!(matches!(verify(&[]), Err(BlockFileError::Empty)));
    assert!(matches!(verify(&[0; 100]), Err(BlockFileError::Empty)));
    assert!(matches!(verify(&bytes), Err(BlockFileError::Partial { .. })));
    for cut in [1, 3, 4, 7, 8, 50, 200] {
        let result = verify(&bytes[..starts[2] + cut]);
        assert!(
            matches!(result, Err(BlockFileError::Partial { .. } | BlockFileError::NoMagic { .. })),
            "{cut}: {result:?}"
        );
    }
    let mut other = bytes[..starts[3]].to_vec();
    other[starts[2]] ^= 1;
    let expected_at = starts[2] as u64;
    assert!(matches!(verify(&other), Err(BlockFileError::NoMagic { at, .. }) if at == expected_at));
    let mut long = bytes[..starts[3]].to_vec();
    long[starts[2] + 4..starts[2] + 8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(verify(&long), Err(BlockFileError::TooLong { bytes: 0xffff_ffff, .. })));
    let zeros_then_more = [&bytes[..starts[2]], &[0; 64], &[1]].concat();
    assert!(matches!(verify(&zeros_then_more), Err(BlockFileError::NoMagic { .. })));
    let oversize = vec![1; 4_000_001];
    let result = verifier(1).verify_block(&BlockRun::new(&spec), &oversize[..]);
    assert!(matches!(result, Err(BlockFileError::TooLong { .. })), "{result:?}");
}
