//! What a miner makes of a template, by rust-bitcoin and by hand: nothing here is the library's.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::{Hash as _, sha256d};
use bitcoin::script::{Builder, PushBytesBuf, ScriptBuf};
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Sequence, Transaction, TxIn, TxOut, Witness};
use serde_json::Value;

/// A block on its way.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) version: u32,
    pub(crate) previous: [u8; 32],
    pub(crate) time: u32,
    pub(crate) bits: u32,
    pub(crate) coinbase: Vec<u8>,
    pub(crate) transactions: Vec<Vec<u8>>,
    /// Of which the merkle tree is made; the coinbase's stands first.
    pub(crate) leaves: Vec<[u8; 32]>,
    pub(crate) target: [u8; 32],
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// 32 bytes as they are shown, turned into the order in which they are hashed.
fn reversed(value: &Value) -> [u8; 32] {
    let mut bytes: [u8; 32] = bytes(value).try_into().unwrap();
    bytes.reverse();
    bytes
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    sha256d::Hash::hash(bytes).to_byte_array()
}

impl Work {
    /// As minerd and cpuminer-opt take `coinbasetxn`: the bytes as they are, the leaves from `txid`.
    pub(crate) fn of(template: &Value) -> Self {
        Self::with(template, bytes(&template["coinbasetxn"]["data"]))
    }

    /// As pools build a coinbase of their own: from value, commitment and script, the commitment first.
    pub(crate) fn of_a_pool(template: &Value, script: &Value, sequence: u32) -> Self {
        let height = i64::from(number(&template["height"]));
        let extra = PushBytesBuf::try_from(b"a pool's own words".to_vec()).unwrap();
        let output = |value: u64, script: &Value| TxOut {
            value: Amount::from_sat(value),
            script_pubkey: ScriptBuf::from_bytes(bytes(script)),
        };
        let value = template["coinbasevalue"].as_u64().unwrap();
        let coinbase = Transaction {
            version: Version::ONE,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::null(),
                script_sig: Builder::new().push_int(height).push_slice(extra).into_script(),
                sequence: Sequence(sequence),
                witness: Witness::new(),
            }],
            output: vec![output(0, &template["default_witness_commitment"]), output(value, script)],
        };
        Self::with(template, bitcoin::consensus::serialize(&coinbase))
    }

    fn with(template: &Value, coinbase: Vec<u8>) -> Self {
        let transactions = template["transactions"].as_array().unwrap();
        let mut leaves = vec![hash(&coinbase)];
        leaves.extend(transactions.iter().map(|transaction| reversed(&transaction["txid"])));
        Self {
            version: number(&template["version"]),
            previous: reversed(&template["previousblockhash"]),
            time: number(&template["curtime"]),
            bits: u32::from_str_radix(template["bits"].as_str().unwrap(), 16).unwrap(),
            coinbase,
            transactions: transactions.iter().map(|one| bytes(&one["data"])).collect(),
            leaves,
            target: bytes(&template["target"]).try_into().unwrap(),
        }
    }

    fn root(&self) -> [u8; 32] {
        let mut level = self.leaves.clone();
        while level.len() > 1 {
            let pair = |pair: &[[u8; 32]]| hash(&[pair[0], pair[pair.len() - 1]].concat());
            level = level.chunks(2).map(pair).collect();
        }
        level[0]
    }

    fn header(&self, nonce: u32) -> Vec<u8> {
        let mut header = self.version.to_le_bytes().to_vec();
        header.extend_from_slice(&self.previous);
        header.extend_from_slice(&self.root());
        header.extend_from_slice(&self.time.to_le_bytes());
        header.extend_from_slice(&self.bits.to_le_bytes());
        header.extend_from_slice(&nonce.to_le_bytes());
        header
    }

    /// A header whose hash is at most the target, or with `is_good` unset, above it.
    pub(crate) fn solve_as(&self, is_good: bool) -> Vec<u8> {
        self.solve(0, |hash| (*hash <= self.target) == is_good)
    }

    /// The first header from this nonce on whose hash, highest byte first, is wanted.
    pub(crate) fn solve(&self, first: u32, is_wanted: impl Fn(&[u8; 32]) -> bool) -> Vec<u8> {
        let mut header = self.header(0);
        (first..=u32::MAX)
            .find_map(|nonce| {
                header[76..].copy_from_slice(&nonce.to_le_bytes());
                let mut hash = hash(&header);
                hash.reverse();
                is_wanted(&hash).then(|| header.clone())
            })
            .expect("the target is easy")
    }

    /// The target of its nBits, highest byte first.
    pub(crate) fn block_target(&self) -> [u8; 32] {
        bitcoin::Target::from_compact(bitcoin::CompactTarget::from_consensus(self.bits))
            .to_be_bytes()
    }

    /// Header, count and coinbase: what `submit/coinbase` allows to be sent.
    pub(crate) fn short(&self) -> Vec<u8> {
        self.short_with(&self.solve_as(true))
    }

    /// The same with this header.
    pub(crate) fn short_with(&self, header: &[u8]) -> Vec<u8> {
        let count = u8::try_from(self.transactions.len() + 1).expect("few");
        assert!(count < 0xfd, "a compact size of one byte");
        [header, &[count], &self.coinbase].concat()
    }

    /// With another coinbase, and its leaf.
    pub(crate) fn with_coinbase(&self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut work = self.clone();
        change(&mut work.coinbase);
        work.leaves[0] = hash(&work.coinbase);
        work
    }

    /// The whole block under a header that nobody has worked for.
    pub(crate) fn unsolved(&self) -> Vec<u8> {
        [self.short_with(&self.solve_as(false)), self.transactions.concat()].concat()
    }

    /// The whole block.
    pub(crate) fn block(&self) -> Vec<u8> {
        [self.short(), self.transactions.concat()].concat()
    }
}
