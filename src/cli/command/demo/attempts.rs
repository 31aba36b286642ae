//! The attempts: one for each broken clause, one that lapses, one that opens, one that breaks the glass.

use anyhow::{Context as _, bail, ensure};

use proofward::ledger::chain::Release as Decision;
use proofward::ledger::policy::{Branch, EMERGENCY_SET, Presence, Purpose, Role, RoleRef};
use proofward::ledger::state::{EntryKey, HeldRecord, RequestStatus};
use proofward::ledger::transaction::approve::{Approver, GuardianProof};
use proofward::ledger::transaction::attest::Withdrawn;
use proofward::ledger::transaction::receipt::Outcome;
use proofward::ledger::transaction::request::{PlaceProof, RoleProof};
use proofward::ledger::transaction::{Approve, Attest, Body, CoreId, Party, Receipt, Request};
use proofward::wallet::SecretKey;
use proofward::wallet::custody::sharing::combine;
use proofward::wallet::custody::{Release, ReplyKey, SealSecret, Share};
use proofward::words::{Told, explain};

use super::Voice;
use super::people::People;
use super::record::{Kept, read, slip_of};
use super::stage::{FEE, SPACING_S, Stage};

/// A request with the secret to which its answers are sealed.
pub(super) struct Ask {
    pub(super) body: Request,
    reply: SealSecret,
}

/// A request under one leaf, by its first role and place.
pub(super) fn ask(
    stage: &Stage,
    kept: &Kept,
    branch: &Branch,
    reader: &SecretKey,
    presence: impl Into<Option<Presence>>,
) -> anyhow::Result<Ask> {
    let reply = SealSecret::generate()?;
    let key = ReplyKey(reply.public());
    stage.blobs.put(&key.0.0)?;
    let (role, place) = (&branch.readers[0], &branch.places[0]);
    let body = Request {
        rid: kept.rid,
        seq: 1,
        leaf: branch.leaf.clone(),
        leaf_path: branch.path.clone(),
        purpose: Purpose::Treat,
        reader: reader.public_key(),
        reply_commit: key.commitment(),
        role: Some(RoleProof { role: role.value, salt: role.salt, path: role.path.clone() }),
        place: Some(PlaceProof { place: place.value, salt: place.salt, path: place.path.clone() }),
        presence: presence.into(),
        max_price: 0,
        reason: [0; 32],
    };
    Ok(Ask { body, reply })
}

fn everyday(
    stage: &mut Stage,
    kept: &Kept,
    reader: &SecretKey,
    beacon: &SecretKey,
) -> anyhow::Result<Ask> {
    let heard = stage.heard(beacon, &[reader.public_key()])?;
    let presence = heard.into_iter().next().context("the reader was heard")?;
    ask(stage, kept, &kept.policy.branches()[0], reader, presence)
}

/// Sends a request that has to be refused by a clause, and says why.
fn expect_refusal(
    stage: &mut Stage,
    ask: Ask,
    reader: &SecretKey,
    clause: u8,
    voice: Voice,
) -> anyhow::Result<()> {
    let (transaction, core) = stage.sign(Body::Request(Box::new(ask.body)), &[reader], FEE)?;
    let Body::Request(request) = &transaction.core.body else { bail!("a request") };
    // The words come before the attempt: they are the ledger's for a request not yet sent.
    let (_, answer) =
        stage.ledger.chain().answer_unsent(stage.ledger.view(), &transaction.core, request)?;
    let lines = explain(&answer.findings).lines(voice.0);
    stage.mine(vec![transaction])?;
    let (held, _) = stage.answer(core)?;
    ensure!(
        held.status == RequestStatus::Refused(clause),
        "refused by clause {clause}, not {:?}",
        held.status
    );
    let height = stage.height()?.to_string();
    voice.then(Told::Refused, &[&clause.to_string(), &height])?;
    voice.explain(&lines[..1])
}

/// Wrong time, place, purpose; a licence that was withdrawn.
pub(super) fn refused(
    stage: &mut Stage,
    people: &People,
    kept: &Kept,
    locum_licence: CoreId,
    voice: Voice,
) -> anyhow::Result<()> {
    let doctor = &people.doctor;
    voice.say(Told::WrongTime, &[])?;
    let early = everyday(stage, kept, doctor, &people.ward_beacon)?;
    expect_refusal(stage, early, doctor, 3, voice)?;
    // The median of eleven blocks has to reach the treatment.
    while stage.now()? < kept.treatment.from + 8 * SPACING_S {
        stage.wait(1)?;
    }
    voice.say(Told::WrongPlace, &[])?;
    let elsewhere = everyday(stage, kept, doctor, &people.service_beacon)?;
    expect_refusal(stage, elsewhere, doctor, 6, voice)?;
    voice.say(Told::WrongPurpose, &[])?;
    let mut research = everyday(stage, kept, doctor, &people.ward_beacon)?;
    research.body.purpose = Purpose::Research;
    expect_refusal(stage, research, doctor, 4, voice)?;
    voice.say(Told::Revoked, &[])?;
    let by = Party::Key(people.hospital.public_key());
    let withdrawal = Attest::withdrawal(by, Withdrawn::Claim(locum_licence.0), [0; 32]);
    stage.act(Body::Attest(withdrawal), &[&people.hospital])?;
    let revoked = everyday(stage, kept, &people.locum, &people.ward_beacon)?;
    expect_refusal(stage, revoked, &people.locum, 5, voice)
}

/// Who approves: as what, where heard, and with which share.
pub(super) struct Voter<'a> {
    pub(super) key: &'a SecretKey,
    pub(super) role: RoleRef,
    pub(super) presence: Option<Presence>,
    pub(super) is_guardian: bool,
}

/// Seals the guardians' shares, and mines their approval in one transaction.
pub(super) fn approve(
    stage: &mut Stage,
    kept: &Kept,
    request: CoreId,
    set: u8,
    voters: Vec<Voter<'_>>,
) -> anyhow::Result<Vec<Release>> {
    let reply = reply_key(stage, request)?;
    let mut releases = Vec::new();
    let mut approvers = Vec::new();
    let signers: Vec<&SecretKey> = voters.iter().map(|voter| voter.key).collect();
    for voter in voters {
        let (mut guardian, mut hash) = (None, [0; 32]);
        if voter.is_guardian {
            let slip = slip_of(stage, &kept.of, voter.key, set)?;
            let release = slip.release(request, &reply)?;
            hash = release.hash();
            releases.push(release);
            guardian =
                Some(GuardianProof { salt: slip.guardian_salt, path: slip.guardian_path.clone() });
        }
        approvers.push(Approver {
            key: voter.key.public_key(),
            guardian,
            role: voter.role,
            presence: voter.presence,
            release: hash,
        });
    }
    // In an emergency nobody has to own anything.
    let fee = if set == EMERGENCY_SET { 0 } else { FEE };
    let body = Body::Approve(Approve { request: request.0, approvers });
    let (transaction, _) = stage.sign(body, &signers, fee)?;
    stage.mine(vec![transaction])?;
    Ok(releases)
}

/// The reader's one-time key, found by the hash that the request carries.
fn reply_key(stage: &Stage, request: CoreId) -> anyhow::Result<ReplyKey> {
    let (_, body) = request_body(stage, request)?;
    let key = stage.blobs.get(&body.reply_commit)?.context("the reader's one-time key")?;
    let key: [u8; 32] = key.try_into().ok().context("32 bytes")?;
    Ok(ReplyKey(proofward::wallet::custody::SealKey(key)))
}

/// The request itself, out of its block.
fn request_body(stage: &Stage, request: CoreId) -> anyhow::Result<(u32, Request)> {
    use proofward::ledger::block::Block;
    use proofward::ledger::rules::context::Ancestors as _;
    use proofward::ledger::state::StateRead as _;
    let view = stage.ledger.view();
    let height = view.accepted_at(&request)?.context("the request is in a block")?;
    let hash = view.hash_at(height)?.context("the block")?;
    let bytes = view.block_bytes(&hash)?.context("the block")?;
    let genesis = stage.ledger.chain().genesis;
    let cores = Block::decode(&bytes)?.transactions.into_iter();
    for core in cores.map(|included| included.transaction.core) {
        if core.id(&genesis) == request
            && let Body::Request(body) = core.body
        {
            return Ok((height, *body));
        }
    }
    bail!("the request is not in its block")
}

/// With one person missing it never opens.
pub(super) fn lapses(
    stage: &mut Stage,
    people: &People,
    kept: &Kept,
    voice: Voice,
) -> anyhow::Result<()> {
    voice.say(Told::OneMissing, &[])?;
    let keys = [&people.doctor, &people.nurse].map(SecretKey::public_key);
    let mut heard = stage.heard(&people.ward_beacon, &keys)?.into_iter();
    let presence = heard.next().context("the doctor was heard")?;
    let asked = ask(stage, kept, &kept.policy.branches()[0], &people.doctor, presence)?;
    let request = stage.act(Body::Request(Box::new(asked.body)), &[&people.doctor])?;
    let nurse = Voter {
        key: &people.nurse,
        role: People::role(Role::Nurse, &people.ward),
        presence: heard.next(),
        is_guardian: true,
    };
    approve(stage, kept, request, 0, vec![nurse])?;
    let (held, answer) = stage.answer(request)?;
    ensure!(held.status == RequestStatus::Pending && !answer.is_open, "it waits");
    let lines = explain(&answer.findings).lines(voice.0);
    voice.explain(&lines)?;
    stage.wait(held.leaf.answer_within + 1)?;
    let (_, answer) = stage.answer(request)?;
    ensure!(!answer.is_open, "it never opens");
    voice.then(Told::Lapsed, &[])
}

/// Collects the shares of a request, rebuilds the key, reads.
fn open(
    stage: &Stage,
    kept: &Kept,
    request: CoreId,
    set: u8,
    releases: &[Release],
    reply: &SealSecret,
) -> anyhow::Result<usize> {
    let decision = stage.ledger.chain().may_release(stage.ledger.view(), request)?;
    ensure!(decision == Decision::Now, "the guardians may send their shares, not {decision:?}");
    let shares: Vec<Share> = releases
        .iter()
        .map(|release| {
            // The ciphertext travels as a blob, by the hash that the approval carries.
            let hash = stage.blobs.put(&release.sealed)?;
            ensure!(hash == release.hash(), "the blob that the approval names");
            release.open(reply).context("a share sealed to the reader")
        })
        .collect::<anyhow::Result<_>>()?;
    let held: HeldRecord = stage.entry(&EntryKey::Record(kept.rid))?.context("the record")?;
    let set = held.share_sets.get(usize::from(set)).context("the share set")?;
    // One share fewer gives nothing.
    ensure!(combine(&kept.of, set, &shares[1..]).is_err(), "one share fewer gives nothing");
    let key = combine(&kept.of, set, &shares)?;
    read(stage, &kept.of, &key)
}

/// Doctor, nurse and patient in one room.
pub(super) fn opens(
    stage: &mut Stage,
    people: &People,
    kept: &Kept,
    voice: Voice,
) -> anyhow::Result<()> {
    voice.say(Told::Together, &[])?;
    let keys = [&people.doctor, &people.nurse, &people.patient].map(SecretKey::public_key);
    let mut heard = stage.heard(&people.ward_beacon, &keys)?.into_iter();
    let presence = heard.next().context("the doctor was heard")?;
    let asked = ask(stage, kept, &kept.policy.branches()[0], &people.doctor, presence)?;
    let request = stage.act(Body::Request(Box::new(asked.body)), &[&people.doctor])?;
    let voters = vec![
        Voter {
            key: &people.nurse,
            role: People::role(Role::Nurse, &people.ward),
            presence: heard.next(),
            is_guardian: true,
        },
        Voter {
            key: &people.patient,
            role: People::role(Role::Patient, &people.hospital),
            presence: heard.next(),
            is_guardian: true,
        },
    ];
    let releases = approve(stage, kept, request, 0, voters)?;
    let (held, answer) = stage.answer(request)?;
    ensure!(held.status == RequestStatus::Answered && answer.is_open, "it is open");
    let decision = stage.ledger.chain().may_release(stage.ledger.view(), request)?;
    let Decision::TooFresh { until } = decision else { bail!("too fresh, not {decision:?}") };
    voice.then(Told::GuardiansWait, &[&until.to_string()])?;
    stage.wait(until - stage.height()?)?;
    let bytes = open(stage, kept, request, 0, &releases, &asked.reply)?;
    voice.then(Told::Opened, &[&bytes.to_string()])?;
    receipt(stage, kept, request, Outcome::Read, &people.doctor)
}

fn receipt(
    stage: &mut Stage,
    kept: &Kept,
    request: CoreId,
    outcome: Outcome,
    by: &SecretKey,
) -> anyhow::Result<()> {
    let held: HeldRecord = stage.entry(&EntryKey::Record(kept.rid))?.context("the record")?;
    let blob = if outcome == Outcome::Read { held.blob } else { [0; 32] };
    let body = Receipt {
        request: request.0,
        outcome,
        by: Party::Key(by.public_key()),
        blob,
        detail: [0; 32],
    };
    stage.act(Body::Receipt(body), &[by]).map(|_| ())
}

/// The patient cannot answer: two clinicians, the escrow and the region.
pub(super) fn break_glass(
    stage: &mut Stage,
    people: &People,
    kept: &Kept,
    voice: Voice,
) -> anyhow::Result<()> {
    voice.say(Told::BreakGlass, &[])?;
    let [reader, second] = &people.clinicians;
    // A claim has to be 144 blocks old before it breaks any glass.
    while stage.height()? < 200 {
        stage.wait(1)?;
    }
    let mut heard = stage.heard(&people.service_beacon, &[reader.public_key()])?.into_iter();
    let presence = heard.next().context("the clinician was heard")?;
    let mut asked = ask(stage, kept, &kept.policy.branches()[1], reader, presence)?;
    asked.body.purpose = Purpose::BreakGlass;
    let (transaction, request) = stage.sign(Body::Request(Box::new(asked.body)), &[reader], 0)?;
    stage.mine(vec![transaction])?;
    let escrow = People::role(Role::Escrow, &people.region);
    let voters = vec![
        Voter {
            key: second,
            role: People::role(Role::EmergencyClinician, &people.hospital),
            presence: None,
            is_guardian: false,
        },
        Voter { key: &people.escrow, role: escrow, presence: None, is_guardian: true },
        Voter { key: &people.registry, role: escrow, presence: None, is_guardian: true },
    ];
    let releases = approve(stage, kept, request, 1, voters)?;
    let bytes = open(stage, kept, request, 1, &releases, &asked.reply)?;
    voice.then(Told::BrokenGlass, &[&bytes.to_string()])?;
    receipt(stage, kept, request, Outcome::Reviewed, &people.auditor)?;
    voice.then(Told::Reviewed, &[])
}
