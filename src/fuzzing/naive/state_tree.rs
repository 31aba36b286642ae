//! The root of the state tree, from all entries and its definition alone.

use std::collections::BTreeMap;

use crate::hash::sha256::{sha256, sha256d};
use crate::primitives::Digest;

/// Entries by key.
pub type Entries = BTreeMap<Digest, Vec<u8>>;

/// The root of a set of entries, from the definition: recursive, from scratch, scalar.
#[must_use]
pub fn state_root(entries: &Entries) -> Digest {
    let entries: Vec<_> = entries.iter().map(|(key, value)| (*key, value.as_slice())).collect();
    subtree(&entries, 0)
}

fn subtree(entries: &[(Digest, &[u8])], depth: usize) -> Digest {
    match entries {
        [] => [0; 32],
        [(key, value)] => tagged("state-leaf", &[*key, tagged("state-value", value)].concat()),
        _ => {
            let is_right = |key: &Digest| key[depth / 8] & (0x80 >> (depth % 8)) != 0;
            let (right, left): (Vec<_>, Vec<_>) =
                entries.iter().partition(|(key, _)| is_right(key));
            let children = [left, right].map(|side| subtree(&side, depth + 1));
            sha256d(&children.concat())
        }
    }
}

fn tagged(name: &str, data: &[u8]) -> Digest {
    let tag = sha256(format!("proofward/{name}").as_bytes());
    sha256(&[&tag, &tag, data].concat())
}
