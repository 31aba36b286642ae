//! Blocks made by hand on regtest's limit, to be broken in one place.

use proofward::consensus::block::{Block, BlockViolation};
use proofward::consensus::{ChainSpec, Context, merkle};
use proofward::hash::sha256::sha256d;
use proofward::primitives::codec::write_compact_size;
use proofward::primitives::{BlockHash, CompactTarget, Digest, Header};

#[derive(Clone)]
pub(crate) struct MadeInput {
    pub(crate) outpoint: [u8; 36],
    pub(crate) script: Vec<u8>,
    pub(crate) witness: Vec<Vec<u8>>,
}

#[derive(Clone)]
pub(crate) struct MadeTransaction {
    pub(crate) inputs: Vec<MadeInput>,
    pub(crate) outputs: Vec<(i64, Vec<u8>)>,
}

impl MadeTransaction {
    pub(crate) fn encode(&self, with_witness: bool) -> Vec<u8> {
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
pub(crate) struct Made {
    pub(crate) transactions: Vec<MadeTransaction>,
}

pub(crate) const NULL_OUTPOINT: [u8; 36] = {
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
    pub(crate) fn new(count: usize) -> Self {
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
    pub(crate) fn block(&self) -> Vec<u8> {
        self.block_with(|_| {})
    }

    pub(crate) fn block_with(&self, change: impl FnOnce(&mut Header)) -> Vec<u8> {
        let txids: Vec<Digest> =
            self.transactions.iter().map(|tx| sha256d(&tx.encode(false))).collect();
        let mut header = Header {
            version: 0x2000_0000,
            prev_block: BlockHash::ZERO,
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
    pub(crate) fn commit(&mut self, nonce: Digest) {
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

pub(crate) fn naive_check(bytes: &[u8]) -> Result<(), BlockViolation> {
    let block = Block::read(bytes)?;
    let digest = sha256d(block.header());
    block.check(&ChainSpec::regtest(), &Context::default(), &digest, merkle::root).map(drop)
}

pub(crate) fn rule_of(made: &Made) -> Option<&'static str> {
    naive_check(&made.block()).err().map(|violation| violation.rule())
}
