//! The record: sealed, announced, granted, and later sealed again under another key.

use anyhow::{Context as _, ensure};

use proofward::ledger::policy::{
    Draft, Leaf, Need, Place, PolicyTree, Purpose, Purposes, Role, Together, Window,
};
use proofward::ledger::signature::PubKey;
use proofward::ledger::state::{EntryKey, HeldRecord};
use proofward::ledger::transaction::record::Previous;
use proofward::ledger::transaction::{Body, Grant, Party};
use proofward::wallet::SecretKey;
use proofward::wallet::custody::content::BlobOpenError;
use proofward::wallet::custody::sharing::{Member, RecordEpoch, combine};
use proofward::wallet::custody::{ContentKey, Guardians, Package, Sealed, Share};
use proofward::wallet::record::{KeptEpoch, KeptPolicy, KeptRecord, Owners};
use proofward::words::Told;

use super::Voice;
use super::people::People;
use super::stage::{SPACING_S, Stage};

/// What the patient wants kept.
pub(super) const CONTENT: &[u8] = include_bytes!("record.json");
/// Blocks that a new policy waits.
const GRANT_DELAY: u32 = 2;
/// Blocks until the treatment begins, and how long it lasts.
const UNTIL_TREATMENT: u32 = 30;
const TREATMENT_BLOCKS: u32 = 2000;

/// What the record is called in the patient's folder.
const NAME: &str = "visit";

/// What the story needs of a record that the patient keeps.
pub(super) struct Kept {
    pub(super) rid: PubKey,
    pub(super) of: RecordEpoch,
    pub(super) policy: PolicyTree,
    pub(super) treatment: Window,
}

/// Adds the record, then grants.
pub(super) fn add(stage: &mut Stage, people: &People, voice: Voice) -> anyhow::Result<Kept> {
    let mut epoch = sealed(stage, people, 0)?;
    let (of, owners) = (epoch.of(), Party::Key(people.patient.public_key()));
    let record = epoch.announcement(owners.clone(), [0; 32], None);
    stage.act(Body::Record(record), &[&epoch.rid, &people.patient])?;
    let blob = hex::encode(&epoch.blob[..4]);
    voice.say(Told::Added, &[&CONTENT.len().to_string(), &blob])?;

    let from = stage.now()? + UNTIL_TREATMENT * SPACING_S;
    let treatment = Window { from, to: from + TREATMENT_BLOCKS * SPACING_S };
    epoch.policies.push(policies(people, treatment)?);
    let policy = epoch.policies[0].tree(SPACING_S)?;
    keep(stage, NAME, epoch)?;
    let not_before_h = stage.height()? + 1 + GRANT_DELAY;
    let grant = Grant { rid: of.rid, owners, seq: 1, policy_root: policy.root(), not_before_h };
    stage.act(Body::Grant(grant), &[&people.patient])?;
    // Half of the delay has to pass by the median of eleven blocks as well.
    stage.wait(GRANT_DELAY + 6)?;
    let held: HeldRecord = stage.entry(&EntryKey::Record(of.rid))?.context("the record")?;
    ensure!(held.last_seq == 1, "the grant is the last one");
    voice.then(Told::Granted, &[])?;
    Ok(Kept { rid: of.rid, of, policy, treatment })
}

/// Puts a record into the patient's folder.
pub(super) fn keep(stage: &Stage, name: &str, epoch: KeptEpoch) -> anyhow::Result<()> {
    let record = KeptRecord { genesis: stage.ledger.chain().genesis, epochs: vec![epoch] };
    stage.records.create(&name.parse()?, &record)?;
    Ok(())
}

/// Encrypts the content for a fresh key, and puts ciphertext and sealed shares where blobs are kept.
pub(super) fn sealed(stage: &Stage, people: &People, epoch: u32) -> anyhow::Result<KeptEpoch> {
    let member = |key: &SecretKey, is_required| Member { key: key.public_key(), is_required };
    let sets = [
        Guardians {
            k: 2,
            members: vec![
                member(&people.nurse, false),
                member(&people.patient, true),
                member(&people.escrow, false),
            ],
        },
        Guardians {
            k: 2,
            members: vec![
                member(&people.escrow, false),
                member(&people.registry, false),
                member(&people.patient, false),
            ],
        },
    ];
    let rid = SecretKey::generate()?;
    let of = RecordEpoch { rid: rid.public_key(), epoch };
    let sealed = Sealed::new(of, CONTENT, &sets)?;
    stage.blobs.put(&sealed.blob)?;
    stage.blobs.put(&sealed.package)?;
    let payout = people.patient.public_key();
    let owners = Owners { k: 1, keys: vec![payout] };
    Ok(KeptEpoch::new(rid, &sealed, owners, payout, GRANT_DELAY))
}

/// One leaf for every day, one that breaks the glass.
fn policies(people: &People, treatment: Window) -> anyhow::Result<KeptPolicy> {
    let everyday = Leaf {
        salt: [0; 16],
        set: 0,
        readers: [0; 32],
        places: [0; 32],
        window: Some(treatment),
        daily: None,
        purposes: Purposes::of(&[Purpose::Treat]),
        need: vec![
            Need { role: People::role(Role::Nurse, &people.ward), count: 1 },
            Need { role: People::role(Role::Patient, &people.hospital), count: 1 },
        ],
        k: 2,
        together: Together::OneRound,
        together_within: 3,
        answer_within: 6,
        read_within: 20,
        delay: 0,
        max_reads: 4,
        price: 0,
        scope: [0; 32],
    };
    let clinician = People::role(Role::EmergencyClinician, &people.hospital);
    let emergency = Leaf {
        set: 1,
        window: Some(Window { from: 0, to: u32::MAX }),
        purposes: Purposes::of(&[Purpose::BreakGlass]),
        need: vec![Need { role: clinician, count: 1 }],
        together: Together::Apart,
        max_reads: 1,
        ..everyday.clone()
    };
    let drafts = [
        Draft {
            terms: everyday,
            readers: vec![People::role(Role::Physician, &people.ward)],
            places: vec![Place::Site(People::id(&people.ward))],
        },
        Draft { terms: emergency, readers: vec![clinician], places: vec![Place::AnyEmergency] },
    ];
    let names = ["treatment", "emergency"].map(String::from);
    Ok(KeptPolicy::new(names.into_iter().zip(drafts).collect())?)
}

/// A new key, new shares, the same people.
pub(super) fn rekey(
    stage: &mut Stage,
    people: &People,
    kept: &Kept,
    voice: Voice,
) -> anyhow::Result<()> {
    let old: HeldRecord = stage.entry(&EntryKey::Record(kept.rid))?.context("the record")?;
    let old_shares =
        [&people.nurse, &people.patient].map(|guardian| share_of(stage, &kept.of, guardian, 0));
    let [nurse, patient] = old_shares;
    let old_key = combine(&kept.of, &old.share_sets[0], &[nurse?, patient?])?;

    let name = NAME.parse()?;
    let mut record = stage.records.read(&name)?;
    let mut epoch = sealed(stage, people, 1)?;
    epoch.policies.clone_from(&record.latest().policies);
    let (of, owners) = (epoch.of(), Party::Key(people.patient.public_key()));
    let prev = Previous { rid: kept.rid, owners: owners.clone() };
    let announced = epoch.announcement(owners, kept.policy.root(), Some(prev));
    let blob = stage.blobs.get(&epoch.blob)?.context("the new ciphertext")?;
    stage.act(Body::Record(announced), &[&epoch.rid, &people.patient])?;
    record.epochs.push(epoch);
    stage.records.replace(&name, &record)?;
    stage.wait(GRANT_DELAY + 6)?;
    voice.say(Told::Rekeyed, &[])?;

    ensure!(old_key.open(&of, &blob) == Err(BlobOpenError::WrongKey), "the old key is dead");
    let held: HeldRecord = stage.entry(&EntryKey::Record(kept.rid))?.context("the record")?;
    let successor = held.successor.context("the old record names the new one")?;
    ensure!(successor.rid == of.rid, "the old record names the new one");
    ensure!(held.is_retired(stage.next()?, SPACING_S), "the old record is retired");
    voice.then(Told::OldSharesDead, &[])
}

/// What a guardian finds for itself in the package of a record, checked against the chain.
pub(super) fn share_of(
    stage: &Stage,
    of: &RecordEpoch,
    guardian: &SecretKey,
    set: u8,
) -> anyhow::Result<Share> {
    Ok(slip_of(stage, of, guardian, set)?.share)
}

pub(super) fn slip_of(
    stage: &Stage,
    of: &RecordEpoch,
    guardian: &SecretKey,
    set: u8,
) -> anyhow::Result<proofward::wallet::custody::Slip> {
    let held: HeldRecord = stage.entry(&EntryKey::Record(of.rid))?.context("the record")?;
    let package = stage.blobs.get(&held.pointer)?.context("the package of sealed shares")?;
    let package = Package::decode(&package).context("a package")?;
    let slips = package.slips_of(guardian).into_iter();
    let slip = slips
        .into_iter()
        .find(|slip| slip.share.set == set && slip.of == *of)
        .context("a share for this guardian")?;
    ensure!(
        slip.is_committed(&guardian.public_key(), &held.share_sets),
        "the share is the one that the chain commits to"
    );
    Ok(slip)
}

/// Opens the ciphertext with a key and compares.
pub(super) fn read(stage: &Stage, of: &RecordEpoch, key: &ContentKey) -> anyhow::Result<usize> {
    let held: HeldRecord = stage.entry(&EntryKey::Record(of.rid))?.context("the record")?;
    let blob = stage.blobs.get(&held.blob)?.context("the ciphertext")?;
    let content = key.open(of, &blob)?;
    ensure!(content.as_slice() == CONTENT, "what is read is what was kept");
    Ok(content.len())
}
