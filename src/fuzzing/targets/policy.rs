//! What people hand over: branches of policies, presences, policies as text. Whatever decodes must encode
//! to the same bytes, and what is sound must be so by a second count.

use borsh::BorshDeserialize;

use crate::hash::tagged::Tag;
use crate::ledger::policy::{Branch, Entry, Leaf, Path, Shown};
use crate::ledger::transaction::PartyId;
use crate::wallet::KeptRequest;
use crate::wallet::guardian::Acted;
use crate::wallet::handout::{self, ApprovalPart, Handout, HeardKeys, PolicyBranch};
use crate::wallet::policy_file::{self, Names, Spell};

/// Any bytes are a leaf, a path or a branch, or none. Those that are have one encoding, and a path leads
/// where a plain fold of its siblings does.
///
/// # Panics
///
/// If an encoding differs, or a path leads elsewhere.
pub fn policy_leaf(data: &[u8]) {
    if let Some(leaf) = decode::<Leaf>(data) {
        for spacing_s in [0, 1, 15, u32::MAX] {
            let _ = leaf.check(spacing_s);
        }
        let _ = (leaf.is_within(0), leaf.is_within(u32::MAX), leaf.is_emergency());
    }
    if let Some(path) = decode::<Path>(data) {
        assert_eq!(path.root_from([7; 32]), fold(&path, [7; 32]));
    }
    if let Some(branch) = decode::<Branch>(data) {
        let readers = leads(&branch.readers, &branch.leaf.readers);
        let places = leads(&branch.places, &branch.leaf.places);
        let root = fold(&branch.path, branch.leaf.hash());
        assert_eq!(branch.root(), root);
        assert_eq!(branch.is_sound(), readers && places && root.is_some());
    }
}

/// Any text is a handout or not; one that is reads the same when it is written again.
///
/// # Panics
///
/// If it reads otherwise the second time.
pub fn handout(data: &[u8]) {
    fn again<T: Handout + PartialEq + std::fmt::Debug>(data: &[u8]) {
        if let Ok((genesis, value)) = handout::parse::<T>(data) {
            let text = handout::to_text(&genesis, &value);
            assert_eq!(handout::parse::<T>(text.as_bytes()), Ok((genesis, value)));
        }
    }
    again::<PolicyBranch>(data);
    again::<HeardKeys>(data);
    again::<ApprovalPart>(data);
    // What readers and guardians keep has the same form.
    again::<KeptRequest>(data);
    again::<Acted>(data);
}

/// Any text is a policy or not; one that is says the same when it is shown and read again.
///
/// # Panics
///
/// If it says something else the second time.
pub fn policy_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(leaves) = policy_file::parse(text, &Plain) else { return };
    let shown = policy_file::to_text(leaves.iter().map(|(name, draft)| (&**name, draft)), &Plain);
    assert_eq!(policy_file::parse(&shown, &Plain), Ok(leaves));
}

/// What decodes has this encoding and no other.
fn decode<T: BorshDeserialize + borsh::BorshSerialize>(data: &[u8]) -> Option<T> {
    let value = borsh::from_slice::<T>(data).ok()?;
    let bytes = borsh::to_vec(&value).expect("writing to memory cannot fail");
    assert_eq!(bytes, data, "one encoding");
    Some(value)
}

fn leads<T: Entry>(shown: &[Shown<T>], root: &[u8; 32]) -> bool {
    shown
        .iter()
        .all(|entry| fold(&entry.path, entry.value.leaf(&entry.salt)).as_ref() == Some(root))
}

/// Step by step, the index halved each time.
fn fold(path: &Path, leaf: [u8; 32]) -> Option<[u8; 32]> {
    const NODE: Tag = Tag::new("branch");
    if path.siblings.len() > 16 {
        return None;
    }
    let (mut node, mut index) = (leaf, path.index);
    for sibling in &path.siblings {
        let (left, right) = if index % 2 == 1 { (sibling, &node) } else { (&node, sibling) };
        node = NODE.hash(&[&left[..], &right[..]].concat());
        index /= 2;
    }
    (index == 0).then_some(node)
}

/// Parties in hex, times and amounts in decimal digits.
struct Plain;

impl Names for Plain {
    fn party(&self, text: &str) -> Result<PartyId, String> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|error| error.to_string())?;
        Ok(PartyId(bytes))
    }

    fn time(&self, text: &str) -> Result<u32, String> {
        text.parse().map_err(|error: std::num::ParseIntError| error.to_string())
    }

    fn amount(&self, text: &str) -> Result<u64, String> {
        text.parse().map_err(|error: std::num::ParseIntError| error.to_string())
    }
}

impl Spell for Plain {
    fn party(&self, party: &PartyId) -> String {
        party.to_string()
    }

    fn time(&self, seconds: u32) -> String {
        seconds.to_string()
    }

    fn amount(&self, units: u64) -> String {
        units.to_string()
    }
}
