//! A command at work on the chain of a directory: one look at it, and everybody by the names that people
//! type.

use anyhow::{Context as _, bail};
use proofward::engine::nodes::NodeKernel;
use proofward::ledger::chain::{Chain, View};
use proofward::ledger::policy::Moment;
use proofward::ledger::signature::PubKey;
use proofward::ledger::spec::{KEY_SET_MAX, Spec};
use proofward::ledger::state::{EntryKey, EntryValue, HeldRecord, StateRead as _};
use proofward::ledger::store::{Blobs, Snapshot};
use proofward::ledger::transaction::{Group, Party, PartyId};
use proofward::node::dir::ChainDir;
use proofward::primitives::BlockHash;
use proofward::wallet::handout::{self, HANDOUT_BYTES_MAX, Handout};
use proofward::wallet::record::{KeptRecord, RecordFolder, RecordName};
use proofward::wallet::{KeyName, Keyring};

use super::settings::{Place, key_or_address, read_input};

/// The directory and one snapshot of its chain.
pub(crate) struct Desk {
    pub(crate) dir: ChainDir,
    pub(crate) chain: Chain,
    snapshot: Snapshot,
}

impl Desk {
    /// Opens the chain for reading, also beside its writer.
    pub(crate) fn open(place: &Place) -> anyhow::Result<Self> {
        let dir = ChainDir::new(place.clone().resolve()?);
        let (spec, reader) = dir.read()?;
        let snapshot = reader.snapshot()?;
        Ok(Self { dir, chain: Chain::new(spec, NodeKernel::best()), snapshot })
    }

    pub(crate) fn view(&self) -> View<'_> {
        View(&*self.snapshot)
    }

    pub(crate) fn spec(&self) -> &Spec {
        &self.chain.spec
    }

    /// Height and median time past of the next block.
    pub(crate) fn next(&self) -> anyhow::Result<Moment> {
        Ok(self.chain.next_context(&self.view())?.now())
    }

    /// The tip.
    pub(crate) fn tip(&self) -> anyhow::Result<BlockHash> {
        Ok(self.view().tip()?)
    }

    /// An entry of the state after the tip.
    pub(crate) fn entry<T: EntryValue>(&self, key: &EntryKey) -> anyhow::Result<Option<T>> {
        let bytes = self.view().entry(key)?;
        Ok(bytes.map(|bytes| borsh::from_slice(&bytes)).transpose()?)
    }

    /// Ciphertexts beside the chain.
    pub(crate) fn blobs(&self) -> anyhow::Result<Blobs> {
        Ok(Blobs::open(self.dir.path())?)
    }

    /// What is kept of the records of this directory's people.
    pub(crate) fn records(&self) -> RecordFolder {
        RecordFolder::in_dir(self.dir.path())
    }

    /// What is kept under a name, of this chain.
    pub(crate) fn kept(&self, name: &RecordName) -> anyhow::Result<KeptRecord> {
        let kept = self.records().read(name)?;
        if kept.genesis != self.chain.genesis {
            bail!(
                "record {name} is of the chain with genesis {}, {} holds one with genesis {}",
                kept.genesis,
                self.dir.path().display(),
                self.chain.genesis
            );
        }
        Ok(kept)
    }

    /// The latest epoch of a record that the chain has accepted, by index, with what it holds of it.
    pub(crate) fn accepted(
        &self,
        kept: &KeptRecord,
    ) -> anyhow::Result<Option<(usize, HeldRecord)>> {
        for (at, epoch) in kept.epochs.iter().enumerate().rev() {
            if let Some(held) = self.entry(&EntryKey::Record(epoch.rid.public_key()))? {
                return Ok(Some((at, held)));
            }
        }
        Ok(None)
    }

    /// A key: an address of the chain, 64 hex digits, or the name of a key of the directory.
    pub(crate) fn key(&self, text: &str) -> anyhow::Result<PubKey> {
        key_or_address(text, self.dir.path(), self.spec())
    }

    /// One key, or a group as `K:KEY,KEY,...`, of which the first K sign.
    pub(crate) fn party(&self, text: &str) -> anyhow::Result<Party> {
        let Some((k, members)) = group_parts(text) else { return Ok(self.key(text)?.into()) };
        let keys = members.map(|member| self.key(member)).collect::<anyhow::Result<Vec<_>>>()?;
        if keys.len() > KEY_SET_MAX {
            bail!("{text:?}: a group has at most {KEY_SET_MAX} members");
        }
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        let signs = |key: &PubKey| keys.iter().take(usize::from(k)).any(|member| member == key);
        let bits = sorted.iter().zip(0_u32..).filter(|(key, _)| signs(key));
        let signed_by = bits.fold(0, |all, (_, at)| all | 1_u32 << at);
        let party = Party::Group(Group { k, keys: sorted, signed_by });
        match party.fault() {
            None => Ok(party),
            Some(fault) => bail!("{text:?}: {fault}"),
        }
    }

    /// A party by its name alone: as [`Desk::party`], or the 64 hex digits of a group's id.
    pub(crate) fn party_id(&self, text: &str) -> anyhow::Result<PartyId> {
        let mut bytes = [0; 32];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Ok(PartyId(bytes)),
            Err(_) => Ok(self.party(text)?.id()),
        }
    }

    /// The name of the directory's key, if it holds one.
    pub(crate) fn name_of(&self, key: &PubKey) -> Option<KeyName> {
        let listed = Keyring::in_dir(self.dir.path()).list().ok()?.into_iter();
        let mut names = listed.filter_map(|(name, file)| Some((name, file.ok()?)));
        names.find(|(_, file)| file.public_key() == *key).map(|(name, _)| name)
    }

    /// Reads what somebody has handed over; `-` is standard input. It must be for this chain.
    pub(crate) fn handout<T: Handout>(&self, path: &std::path::Path) -> anyhow::Result<T> {
        let name = || path.display().to_string();
        let (genesis, value) =
            handout::parse::<T>(&read_input(path, HANDOUT_BYTES_MAX)?).with_context(name)?;
        if genesis != self.chain.genesis {
            bail!(
                "{}: the {} is for the chain with genesis {genesis}, {} holds one with genesis {}: \
                 name another --dir",
                name(),
                T::NAME,
                self.dir.path().display(),
                self.chain.genesis
            );
        }
        Ok(value)
    }
}

/// The names in the text of a party: those who sign first.
pub(crate) fn party_names(text: &str) -> Vec<&str> {
    match group_parts(text) {
        None => vec![text],
        Some((k, members)) => members.take(k.into()).collect(),
    }
}

fn group_parts(text: &str) -> Option<(u8, std::str::Split<'_, char>)> {
    let (k, members) = text.split_once(':')?;
    Some((k.parse().ok()?, members.split(',')))
}
