//! Whole Bitcoin blocks and merkle trees: the real ones, every way to break them, and bytes that are no
//! blocks.

mod common;

use std::path::PathBuf;

use bitcoin::hashes::Hash as _;
use proofward::consensus::block::{Block, BlockViolation, TransactionFault};
use proofward::consensus::merkle::{self, Inclusion, InclusionError};
use proofward::consensus::{ChainSpec, Context, Rule};
use proofward::engine::merkle::MerkleHasher;
use proofward::engine::nodes::NodeKernel;
use proofward::engine::verify::{BlockFileError, BlockReport, BlockRun, BlockVerdict, Verifier};
use proofward::hash::Algorithm;
use proofward::hash::sha256::sha256d;
use proofward::kernel::Kernel;
use proofward::primitives::codec::{DecodeError, write_compact_size};
use proofward::primitives::{CompactTarget, Digest, Header, MerkleRoot};

const BITCOIN_MAGIC: [u8; 4] = [0xf9, 0xbe, 0xb4, 0xd9];

fn verifier(threads: usize) -> Verifier {
    let kernel = Kernel::available(Algorithm::Sha256d).next().expect("the portable row");
    Verifier::new(kernel, threads.try_into().expect("not zero")).expect("threads")
}

/// The real whole blocks, the invalid one among them.
fn block_files() -> Option<Vec<(String, Vec<u8>)>> {
    let folder: PathBuf = common::data("blocks")?;
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned();
            (name, std::fs::read(path).expect("a readable file"))
        })
        .collect();
    files.sort();
    Some(files)
}

fn real_block(name: &str) -> Option<Vec<u8>> {
    let path = common::data(&format!("blocks/{name}.bin"))?;
    Some(std::fs::read(path).expect("a readable file"))
}

fn verdict(spec: &ChainSpec, bytes: &[u8]) -> BlockVerdict {
    verifier(1).verify_block(&BlockRun::new(spec), bytes).expect("readable")
}

fn report(verdict: BlockVerdict) -> BlockReport {
    match verdict {
        BlockVerdict::Valid(report) => report,
        BlockVerdict::Invalid(failure) => panic!("invalid: {failure:?}"),
    }
}

fn violation(verdict: BlockVerdict) -> BlockViolation {
    match verdict {
        BlockVerdict::Invalid(failure) => failure.violation,
        BlockVerdict::Valid(report) => panic!("valid: {report:?}"),
    }
}

fn naive_check(bytes: &[u8]) -> Result<(), BlockViolation> {
    let block = Block::read(bytes)?;
    let digest = sha256d(block.header());
    block.check(&ChainSpec::regtest(), &Context::default(), &digest, merkle::root).map(drop)
}

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
fn a04_sums_and_signs_of_amounts_are_checked() {
    let fault = |amounts: &[i64]| {
        let mut made = Made::new(2);
        made.transactions[1].outputs = amounts.iter().map(|amount| (*amount, vec![0x51])).collect();
        naive_check(&made.block()).err().map(|violation| violation.rule())
    };
    let max = proofward::consensus::block::AMOUNT_MAX;
    assert_eq!(fault(&[max]), None);
    assert_eq!(fault(&[max + 1]), Some("bad-txns-vout-toolarge"));
    assert_eq!(fault(&[i64::MAX, i64::MAX]), Some("bad-txns-vout-toolarge"));
    assert_eq!(fault(&[max - 1, 1]), None);
    assert_eq!(fault(&[max - 1, 1, 1]), Some("bad-txns-txouttotal-toolarge"));
    assert_eq!(fault(&[max; 5000]), Some("bad-txns-txouttotal-toolarge"));
    assert_eq!(fault(&[-1]), Some("bad-txns-vout-negative"));
    assert_eq!(fault(&[i64::MIN, i64::MIN]), Some("bad-txns-vout-negative"));
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

// Blocks made by hand, on regtest's limit.

#[derive(Clone)]
struct MadeInput {
    outpoint: [u8; 36],
    script: Vec<u8>,
    witness: Vec<Vec<u8>>,
}

#[derive(Clone)]
struct MadeTransaction {
    inputs: Vec<MadeInput>,
    outputs: Vec<(i64, Vec<u8>)>,
}

impl MadeTransaction {
    fn encode(&self, with_witness: bool) -> Vec<u8> {
        let has_witness = with_witness && self.inputs.iter().any(|input| !input.witness.is_empty());
        let mut bytes = vec![2, 0, 0, 0];
        if has_witness {
            bytes.extend([0, 1]);
        }
        let text = |bytes: &mut Vec<u8>, text: &[u8]| {
            write_compact_size(bytes, text.len() as u64);
            bytes.extend(text);
        };
        write_compact_size(&mut bytes, self.inputs.len() as u64);
        for input in &self.inputs {
            bytes.extend(input.outpoint);
            text(&mut bytes, &input.script);
            bytes.extend([0xff; 4]);
        }
        write_compact_size(&mut bytes, self.outputs.len() as u64);
        for (amount, script) in &self.outputs {
            bytes.extend(amount.to_le_bytes());
            text(&mut bytes, script);
        }
        if has_witness {
            for input in &self.inputs {
                write_compact_size(&mut bytes, input.witness.len() as u64);
                for element in &input.witness {
                    text(&mut bytes, element);
                }
            }
        }
        bytes.extend([0; 4]);
        bytes
    }
}

/// A block to be broken in one place.
struct Made {
    transactions: Vec<MadeTransaction>,
}

const NULL_OUTPOINT: [u8; 36] = {
    let mut outpoint = [0; 36];
    let mut at = 32;
    while at < 36 {
        outpoint[at] = 0xff;
        at += 1;
    }
    outpoint
};

impl Made {
    /// A coinbase and `count - 1` payments.
    fn new(count: usize) -> Self {
        let transactions = (0..count).map(|index| MadeTransaction {
            inputs: vec![MadeInput {
                outpoint: if index == 0 {
                    NULL_OUTPOINT
                } else {
                    [u8::try_from(index % 250).expect("a byte"); 36]
                },
                script: vec![0x51; 3],
                witness: Vec::new(),
            }],
            outputs: vec![(50 + i64::try_from(index).expect("small"), vec![0x51])],
        });
        Self { transactions: transactions.collect() }
    }

    /// The bytes, with merkle root and work.
    fn block(&self) -> Vec<u8> {
        self.block_with(|_| {})
    }

    fn block_with(&self, change: impl FnOnce(&mut Header)) -> Vec<u8> {
        let txids: Vec<Digest> =
            self.transactions.iter().map(|tx| sha256d(&tx.encode(false))).collect();
        let mut header = Header {
            version: 0x2000_0000,
            prev_block: proofward::primitives::BlockHash::ZERO,
            merkle_root: merkle::root(&txids).root,
            time: 1_700_000_000,
            bits: CompactTarget(0x207f_ffff),
            nonce: 0,
        };
        change(&mut header);
        let target = header.bits.to_target().expect("a target");
        while !target.is_met_by(&sha256d(&header.encode())) {
            header.nonce += 1;
        }
        let mut bytes = header.encode().to_vec();
        write_compact_size(&mut bytes, self.transactions.len() as u64);
        for transaction in &self.transactions {
            bytes.extend(transaction.encode(true));
        }
        bytes
    }

    /// Commits to the witnesses as BIP141 asks.
    fn commit(&mut self, nonce: Digest) {
        let mut leaves: Vec<Digest> =
            self.transactions.iter().map(|tx| sha256d(&tx.encode(true))).collect();
        leaves[0] = [0; 32];
        let commitment = sha256d(&[merkle::root(&leaves).root.0, nonce].concat());
        let mut script = vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
        script.extend(commitment);
        self.transactions[0].outputs.push((0, script));
        self.transactions[0].inputs[0].witness = vec![nonce.to_vec()];
    }
}

fn rule_of(made: &Made) -> Option<&'static str> {
    naive_check(&made.block()).err().map(|violation| violation.rule())
}

#[test]
fn each_rule_of_a_block_is_named_in_bitcoin_cores_words() {
    assert_eq!(rule_of(&Made::new(5)), None);
    let broken = |change: fn(&mut Made)| {
        let mut made = Made::new(5);
        change(&mut made);
        rule_of(&made)
    };
    assert_eq!(
        broken(|made| made.transactions[0].inputs[0].outpoint[0] = 1),
        Some("bad-cb-missing")
    );
    assert_eq!(
        broken(|made| made.transactions[3].inputs[0].outpoint = NULL_OUTPOINT),
        Some("bad-cb-multiple")
    );
    assert_eq!(broken(|made| made.transactions[2].outputs.clear()), Some("bad-txns-vout-empty"));
    assert_eq!(
        broken(|made| {
            let input = made.transactions[2].inputs[0].clone();
            made.transactions[2].inputs.push(input);
        }),
        Some("bad-txns-inputs-duplicate"),
        "a03: CVE-2018-17144"
    );
    assert_eq!(
        broken(|made| {
            let mut input = made.transactions[2].inputs[0].clone();
            input.outpoint = NULL_OUTPOINT;
            made.transactions[2].inputs.push(input);
        }),
        Some("bad-txns-prevout-null")
    );
    for (bytes, expected) in
        [(1, Some("bad-cb-length")), (2, None), (100, None), (101, Some("bad-cb-length"))]
    {
        let mut made = Made::new(2);
        made.transactions[0].inputs[0].script = vec![0x51; bytes];
        assert_eq!(rule_of(&made), expected, "{bytes} bytes");
    }
    assert_eq!(rule_of(&Made { transactions: Vec::new() }), Some("bad-blk-length"));
    let root = naive_check(&Made::new(5).block_with(|header| header.merkle_root.0[3] ^= 1));
    assert_eq!(root.unwrap_err().rule(), "bad-txnmrklroot");
    let mut no_work = Made::new(5).block();
    while naive_check(&no_work).is_ok() {
        no_work[76] = no_work[76].wrapping_add(1);
    }
    assert_eq!(naive_check(&no_work).unwrap_err().rule(), "high-hash");
}

#[test]
fn sizes_are_allowed_up_to_their_limit() {
    // 1,000,000 bytes without witnesses.
    let with_script = |bytes: usize| {
        let mut made = Made::new(2);
        made.transactions[1].outputs[0].1 = vec![0x51; bytes];
        made
    };
    let fixed = with_script(900_000).block().len() - 900_000;
    assert_eq!(rule_of(&with_script(1_000_000 - fixed)), None);
    assert_eq!(rule_of(&with_script(1_000_001 - fixed)), Some("bad-blk-length"));
    assert_eq!(
        rule_of(&with_script(1_000_001)),
        Some("bad-blk-length"),
        "before the transaction's"
    );
    // 20,000 signature operations: a multisignature counts as 20, one inside a push as none.
    let with_sigops = |script: Vec<u8>| {
        let mut made = Made::new(2);
        made.transactions[1].outputs[0].1 = script;
        made
    };
    assert_eq!(rule_of(&with_sigops(vec![0xac; 20_000])), None);
    assert_eq!(rule_of(&with_sigops(vec![0xac; 20_001])), Some("bad-blk-sigops"));
    assert_eq!(rule_of(&with_sigops(vec![0xae; 1000])), None);
    assert_eq!(rule_of(&with_sigops(vec![0xaf; 1001])), Some("bad-blk-sigops"));
    let pushed = [&[0x4d, 0xff, 0xff][..], &vec![0xac; 65_535], &[0xad]].concat();
    assert_eq!(rule_of(&with_sigops(pushed)), None);
    let pushed_past_the_end = [&[0xac; 20_000][..], &[0x4e, 0xff, 0xff, 0xff, 0xff, 0xac]].concat();
    assert_eq!(rule_of(&with_sigops(pushed_past_the_end)), None, "counting stops there");
}

#[test]
fn witnesses_must_be_committed_to() {
    let nonce = [7; 32];
    let with_witness = || {
        let mut made = Made::new(4);
        made.transactions[2].inputs[0].witness = vec![vec![1, 2, 3]];
        made
    };
    assert_eq!(rule_of(&with_witness()), Some("unexpected-witness"));
    let mut good = with_witness();
    good.commit(nonce);
    assert_eq!(rule_of(&good), None);
    let mut changed = with_witness();
    changed.commit(nonce);
    changed.transactions[2].inputs[0].witness[0][0] ^= 1;
    assert_eq!(rule_of(&changed), Some("bad-witness-merkle-match"));
    assert!(naive_check(&changed.block()).unwrap_err().is_mutation(), "the header stays good");
    for witness in [vec![vec![7; 31]], vec![vec![7; 33]], vec![vec![7; 32], vec![]]] {
        let mut short = with_witness();
        short.commit(nonce);
        short.transactions[0].inputs[0].witness = witness;
        assert_eq!(rule_of(&short), Some("bad-witness-nonce-size"));
    }
    // A commitment without witnesses depends on the height: not judged.
    let mut unused = Made::new(4);
    unused.commit(nonce);
    unused.transactions[0].inputs[0].witness.clear();
    assert_eq!(rule_of(&unused), None);
    // The last output that looks like a commitment is the one.
    let mut second = with_witness();
    second.commit(nonce);
    let mut other = vec![0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    other.extend([9; 32]);
    second.transactions[0].outputs.push((0, other));
    assert_eq!(rule_of(&second), Some("bad-witness-merkle-match"));
    // Weight: 4,000,000 with witnesses.
    let with_bytes = |bytes: usize| {
        let mut made = with_witness();
        made.transactions[2].inputs[0].witness = vec![vec![0; bytes]];
        made.commit(nonce);
        made
    };
    let weight = Block::read(&with_bytes(3_000_000).block()).expect("a block").weight();
    let left = usize::try_from(4_000_000 - weight).expect("below");
    assert_eq!(rule_of(&with_bytes(3_000_000 + left)), None);
    assert_eq!(rule_of(&with_bytes(3_000_001 + left)), Some("bad-blk-weight"));
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

#[test]
fn a01_repeated_transactions_are_a_mutation_and_the_block_stays_good() {
    let Some(path) = common::data("vectors/merkle/cve_2012_2459_real_blocks.json") else { return };
    let text = std::fs::read(path).expect("a readable file");
    let vectors: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let cases = vectors["cases"].as_array().expect("a list");
    let mut hashers: Vec<MerkleHasher> = NodeKernel::available().map(MerkleHasher::new).collect();
    for case in cases {
        let digest = |value: &serde_json::Value| -> Digest {
            hex::decode(value.as_str().expect("hex")).expect("hex").try_into().expect("32 bytes")
        };
        let mut txids: Vec<Digest> =
            case["txids"].as_array().expect("a list").iter().map(digest).collect();
        let root = MerkleRoot(digest(&case["merkle_root"]));
        let header = hex::decode(case["header"].as_str().expect("hex")).expect("hex");
        assert_eq!(Header::decode(header.as_slice().try_into().expect("80")).merkle_root, root);
        assert_eq!(case["ntx"].as_u64(), Some(txids.len() as u64));
        let good = merkle::Merkle { root, mutated: false };
        let bad = merkle::Merkle { root, mutated: true };
        let repeated = usize::try_from(case["dup_last"].as_u64().expect("a count")).expect("small");
        let original = txids.clone();
        txids.extend_from_within(original.len() - repeated..);
        for hasher in &mut hashers {
            assert_eq!(hasher.root(&original), good);
            assert_eq!(hasher.root(&txids), bad);
            assert_eq!(hasher.root(&original), good, "untouched, it is good again");
        }
        assert_eq!((merkle::root(&original), merkle::root(&txids)), (good, bad));
    }
    assert_eq!(cases.len(), 40);
}

#[test]
fn a01_a_mutated_block_is_refused_without_blaming_the_block() {
    let made = Made::new(6);
    let good = made.block();
    let mut repeated = Made { transactions: made.transactions.clone() };
    repeated.transactions.extend_from_slice(&made.transactions[4..]);
    let mut bytes = good[..80].to_vec();
    bytes.push(8);
    for transaction in &repeated.transactions {
        bytes.extend(transaction.encode(true));
    }
    let spec = ChainSpec::regtest();
    let found = violation(verdict(&spec, &bytes));
    assert_eq!((found.rule(), found.is_mutation()), ("bad-txns-duplicate", true));
    report(verdict(&spec, &good));
}

#[test]
fn roots_on_every_kernel_equal_the_naive_one() {
    let mut leaves: Vec<Digest> = Vec::new();
    let mut hashers: Vec<(MerkleHasher, &str)> =
        NodeKernel::available().map(|kernel| (MerkleHasher::new(kernel), kernel.isa())).collect();
    for count in 0..140_u32 {
        let expected = merkle::root(&leaves);
        assert!(!expected.mutated);
        for (hasher, isa) in &mut hashers {
            assert_eq!(hasher.root(&leaves), expected, "{isa}, {count} leaves");
        }
        leaves.push(sha256d(&count.to_le_bytes()));
    }
    // Equal leaves in one pair are a mutation wherever they stand, in two pairs they are not.
    let mut doubled = leaves.clone();
    doubled[101] = doubled[100];
    let mut apart = leaves.clone();
    apart[102] = apart[101];
    for (hasher, _) in &mut hashers {
        assert!(hasher.root(&doubled).mutated && !hasher.root(&apart).mutated);
    }
}

#[test]
fn a02_a_proof_holds_for_its_leaf_and_depth_only() {
    for leaves in 1..40_u32 {
        let digests: Vec<Digest> = (0..leaves).map(|leaf| sha256d(&leaf.to_le_bytes())).collect();
        let root = merkle::root(&digests).root;
        assert_eq!(Inclusion::new(&digests, leaves), None);
        for index in 0..leaves {
            let proof = Inclusion::new(&digests, index).expect("a leaf");
            let leaf = digests[index as usize];
            assert_eq!(proof.verify(&leaf, leaves, &root), Ok(()));
            let other = sha256d(b"another leaf");
            assert!(proof.verify(&other, leaves, &root).is_err());
            let elsewhere = Inclusion { index: leaves, ..proof.clone() };
            assert_eq!(
                elsewhere.verify(&leaf, leaves, &root),
                Err(InclusionError::NoSuchLeaf { index: leaves, leaves })
            );
            // An inner node posing as a leaf: the path above it proves it against the root, but not
            // against the depth.
            let [sibling, above @ ..] = &proof.siblings[..] else { continue };
            let inner = if index % 2 == 0 {
                merkle::node(&leaf, sibling)
            } else {
                merkle::node(sibling, &leaf)
            };
            let shorter = Inclusion { index: index / 2, siblings: above.to_vec() };
            let expected = proof.siblings.len();
            assert_eq!(
                shorter.verify(&inner, leaves, &root),
                Err(InclusionError::WrongDepth { expected, actual: expected - 1 })
            );
            // Who is allowed to lie about the number of leaves proves anything.
            if leaves.is_power_of_two() {
                assert_eq!(shorter.verify(&inner, leaves / 2, &root), Ok(()));
            }
        }
    }
}

#[test]
fn a01_a_proof_that_pairs_a_node_with_itself_proves_nothing() {
    let digests: Vec<Digest> = (0..6_u32).map(|leaf| sha256d(&leaf.to_le_bytes())).collect();
    let mut repeated = digests.clone();
    repeated.extend_from_slice(&digests[4..]);
    let root = merkle::root(&digests).root;
    // Leaf 6 of the mutated tree is leaf 4 of the real one.
    let proof = Inclusion::new(&repeated, 6).expect("a leaf");
    assert_eq!(proof.verify(&digests[4], 8, &root), Err(InclusionError::Mutated { level: 1 }));
    assert_eq!(
        proof.verify(&digests[4], 6, &root),
        Err(InclusionError::NoSuchLeaf { index: 6, leaves: 6 })
    );
}
