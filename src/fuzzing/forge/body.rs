//! A block under construction: transactions as bytes, a coinbase that the chain's first block may have,
//! and a header that commits to them.

use super::chain::{Chain, lowest};
use super::{Case, SplitMix64};
use crate::consensus::{ChainSpec, merkle};
use crate::hash::sha256::sha256d;
use crate::primitives::codec::write_compact_size;
use crate::primitives::limits::HEADER_BYTES;
use crate::primitives::{Digest, Header, HeaderBytes};

/// What the first block of a chain may create, in units of 10^-8.
const SUBSIDY: i64 = 50_0000_0000;
/// The only thing that a script needs to say for anybody to be able to spend.
const OP_TRUE: u8 = 0x51;
/// The coinbase of the block at height 1 starts with that number (BIP34).
const HEIGHT_ONE: u8 = 0x51;

/// A transaction under construction.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    /// Outpoint and script of each input.
    pub(super) inputs: Vec<([u8; 36], Vec<u8>)>,
    /// Amount and script of each output.
    pub(super) outputs: Vec<(i64, Vec<u8>)>,
    /// Elements of the first input's witness; the other inputs have none.
    pub(super) witness: Vec<Vec<u8>>,
}

impl Transaction {
    fn coinbase() -> Self {
        let mut null = [0xff; 36];
        null[..32].fill(0);
        Self {
            inputs: vec![(null, vec![HEIGHT_ONE, 0])],
            outputs: vec![(SUBSIDY, vec![OP_TRUE])],
            witness: Vec::new(),
        }
    }

    /// Spends a coin that does not exist.
    pub(super) fn spending(random: &mut SplitMix64) -> Self {
        let mut outpoint = [0; 36];
        outpoint[..32].copy_from_slice(&random.bytes());
        Self {
            inputs: vec![(outpoint, Vec::new())],
            outputs: vec![(i64::from(random.within(1, 1_000_000)), vec![OP_TRUE])],
            witness: Vec::new(),
        }
    }

    fn encode(&self, with_witness: bool) -> Vec<u8> {
        let with_witness = with_witness && !self.witness.is_empty();
        let mut bytes = 2_i32.to_le_bytes().to_vec();
        if with_witness {
            bytes.extend([0, 1]);
        }
        write_count(&mut bytes, self.inputs.len());
        for (outpoint, script) in &self.inputs {
            bytes.extend(outpoint);
            write_bytes(&mut bytes, script);
            bytes.extend([0xff; 4]);
        }
        write_count(&mut bytes, self.outputs.len());
        for (amount, script) in &self.outputs {
            bytes.extend(amount.to_le_bytes());
            write_bytes(&mut bytes, script);
        }
        if with_witness {
            for input in 0..self.inputs.len() {
                let elements = if input == 0 { self.witness.as_slice() } else { &[] };
                write_count(&mut bytes, elements.len());
                elements.iter().for_each(|element| write_bytes(&mut bytes, element));
            }
        }
        bytes.extend([0; 4]);
        bytes
    }
}

fn write_count(bytes: &mut Vec<u8>, count: usize) {
    write_compact_size(bytes, count as u64);
}

fn write_bytes(bytes: &mut Vec<u8>, content: &[u8]) {
    write_count(bytes, content.len());
    bytes.extend(content);
}

/// A block under construction.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) random: SplitMix64,
    /// In order, the coinbase first.
    pub(super) transactions: Vec<Transaction>,
    /// Transactions at the end that are repeated after the header is made.
    pub(super) repeated: usize,
    /// What is done to the merkle root before the header is solved.
    pub(super) root_flip: Option<u32>,
    /// What is done to the whole block at last.
    pub(super) finish: fn(&mut Vec<u8>),
}

impl Draft {
    /// Appends transactions that spend coins that do not exist.
    pub(super) fn spend(&mut self, count: usize) {
        for _ in 0..count {
            self.transactions.push(Transaction::spending(&mut self.random));
        }
    }

    /// The coinbase.
    pub(super) fn coinbase(&mut self) -> &mut Transaction {
        &mut self.transactions[0]
    }

    /// The last transaction.
    pub(super) fn last(&mut self) -> &mut Transaction {
        self.transactions.last_mut().expect("never empty while it is drafted")
    }

    /// Commits to the witnesses in the coinbase (BIP141), with this nonce.
    pub(super) fn commit(&mut self, nonce: Digest) {
        let ids = self.transactions.iter().skip(1).map(|with| sha256d(&with.encode(true)));
        let leaves: Vec<Digest> = std::iter::once([0; 32]).chain(ids).collect();
        let commitment = sha256d(&[merkle::root(&leaves).root.0, nonce].concat());
        let script = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed], commitment.as_slice()].concat();
        self.coinbase().outputs.push((0, script));
        self.coinbase().witness = vec![nonce.to_vec()];
    }

    /// Bytes of the block, with its witnesses or without.
    pub(super) fn size(&self, with_witness: bool) -> usize {
        let mut count = Vec::new();
        write_count(&mut count, self.transactions.len());
        let bodies = self.transactions.iter().map(|body| body.encode(with_witness).len());
        HEADER_BYTES + count.len() + bodies.sum::<usize>()
    }
}

/// A solved block at height 1 with a coinbase, and what `forge` makes of it.
pub(super) fn forge(spec: &ChainSpec, mut random: SplitMix64, forge: fn(&mut Draft)) -> Case {
    let mut chain = Chain::new(spec, SplitMix64::new(random.next_u64()));
    let mut coinbase = Transaction::coinbase();
    // Another seed, another block.
    coinbase.inputs[0].1.extend([4].iter().chain(&random.bytes()[..4]));
    let mut draft = Draft {
        random,
        transactions: vec![coinbase],
        repeated: 0,
        root_flip: None,
        finish: |_| {},
    };
    forge(&mut draft);

    let leaves: Vec<Digest> =
        draft.transactions.iter().map(|body| sha256d(&body.encode(false))).collect();
    let mut root = merkle::root(&leaves).root;
    if let Some(at) = draft.root_flip {
        root.0[usize::try_from(at / 8 % 32).expect("below 32")] ^= 1 << (at % 8);
    }
    let header = chain.next();
    let header = Header { merkle_root: root, ..header };
    let mut bytes = solved(spec, header).to_vec();
    let mut bodies: Vec<&Transaction> = draft.transactions.iter().collect();
    bodies.extend_from_within(bodies.len() - draft.repeated..);
    write_count(&mut bytes, bodies.len());
    bodies.iter().for_each(|body| bytes.extend(body.encode(true)));
    (draft.finish)(&mut bytes);
    Case {
        bytes,
        height: Some(1),
        now: header.time.into(),
        spends_unknown_coins: draft.transactions.len() > 1,
    }
}

/// The header with the lowest nonce of the first second that has one: the merkle root has to stay.
fn solved(spec: &ChainSpec, mut header: Header) -> HeaderBytes {
    let target = header.bits.to_target().expect("ordinary nBits");
    loop {
        if let Some(solved) = lowest(spec, &header.encode(), target) {
            return solved;
        }
        header.time += 1;
    }
}
