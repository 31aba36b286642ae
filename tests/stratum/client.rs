//! A client's half of the protocol, written down again from the specification: it shares no code with the
//! server but the hash functions.

use proofward::hash::{Algorithm, hash_header, sha256::sha256d};
use proofward::primitives::Target;
use serde_json::Value;

/// What `mining.notify` says.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) id: String,
    pub(crate) prev_block: [u8; 32],
    pub(crate) coinbase: [Vec<u8>; 2],
    pub(crate) branch: Vec<Vec<u8>>,
    pub(crate) version: u32,
    pub(crate) bits: u32,
    pub(crate) time: u32,
    pub(crate) is_clean: bool,
}

pub(crate) fn bytes_of(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a text")).expect("hex")
}

pub(crate) fn number_of(value: &Value) -> u32 {
    let text = value.as_str().expect("a text");
    assert_eq!(text.len(), 8, "eight digits");
    u32::from_str_radix(text, 16).expect("hex")
}

impl Work {
    pub(crate) fn of(message: &Value) -> Self {
        assert_eq!(message["method"], "mining.notify", "{message}");
        let params = message["params"].as_array().expect("parameters");
        assert_eq!(params.len(), 9, "{message}");
        let mut prev_block = [0; 32];
        prev_block.copy_from_slice(&bytes_of(&params[1]));
        prev_block.chunks_mut(4).for_each(<[u8]>::reverse);
        Self {
            id: params[0].as_str().expect("a text").into(),
            prev_block,
            coinbase: [bytes_of(&params[2]), bytes_of(&params[3])],
            branch: params[4].as_array().expect("hashes").iter().map(bytes_of).collect(),
            version: number_of(&params[5]),
            bits: number_of(&params[6]),
            time: number_of(&params[7]),
            is_clean: params[8].as_bool().expect("the last is clean_jobs"),
        }
    }

    pub(crate) fn coinbase(&self, extranonces: &[u8]) -> Vec<u8> {
        [&self.coinbase[0][..], extranonces, &self.coinbase[1]].concat()
    }

    /// The header, its nonce 0.
    pub(crate) fn header(&self, extranonces: &[u8], version: u32, time: u32) -> [u8; 80] {
        let leaf = sha256d(&self.coinbase(extranonces));
        let root = self.branch.iter().fold(leaf, |root, hash| sha256d(&[&root[..], hash].concat()));
        let mut header = [0; 80];
        header[..4].copy_from_slice(&version.to_le_bytes());
        header[4..36].copy_from_slice(&self.prev_block);
        header[36..68].copy_from_slice(&root);
        header[68..72].copy_from_slice(&time.to_le_bytes());
        header[72..76].copy_from_slice(&self.bits.to_le_bytes());
        header
    }
}

/// The first nonce from `from` on whose hash meets one target and not the other.
pub(crate) fn search(
    algorithm: Algorithm,
    mut header: [u8; 80],
    from: u32,
    meets: &Target,
    misses: Option<&Target>,
) -> u32 {
    for nonce in from.. {
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        let digest = hash_header(algorithm, &header);
        if meets.is_met_by(&digest) && !misses.is_some_and(|misses| misses.is_met_by(&digest)) {
            return nonce;
        }
    }
    panic!("no nonce")
}

/// The target of a difficulty by the stricter convention, which most clients follow.
pub(crate) fn target_of(difficulty: f64) -> Target {
    proofward::node::difficulty::Difficulty::new(difficulty)
        .map(proofward::node::difficulty::Difficulty::target_to_search)
        .expect("not below 1e-6")
}
