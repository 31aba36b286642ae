//! A drug from its maker to a patient, and the recall that reaches it.

use anyhow::{Context as _, ensure};

use proofward::interop::travel;
use proofward::ledger::goods::{Grade, Trace};
use proofward::ledger::policy::{Role, RoleRef};
use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::lot::{Step, Witness};
use proofward::ledger::transaction::{Attest, Body, CoreId, LotId, Move};
use proofward::wallet::SecretKey;
use proofward::wallet::lot::{LotCode, Unit};
use proofward::words::{Told, grade};

use super::Voice;
use super::people::People;
use super::stage::Stage;

/// What the factory fills at once, and what a patient is given of it.
const BATCH: u64 = 1000;
const PACKAGE: u64 = 20;
/// The product of the example in GS1's standard.
const GTIN: &str = "09506000134352";

/// Who has to do with the drug besides the people of the hospital.
struct Trade {
    factory: SecretKey,
    pharmacy: SecretKey,
}

/// A batch is made, handed over, divided, dispensed and recalled.
pub(super) fn drug(stage: &mut Stage, people: &People, voice: Voice) -> anyhow::Result<()> {
    let trade = Trade { factory: SecretKey::generate()?, pharmacy: SecretKey::generate()? };
    claims(stage, people, &trade)?;
    let code = LotCode::new(GTIN, Unit::Batch("A-17".parse()?), None)?;
    let made = LotId::made(People::id(&trade.factory), &code.id());
    let make = Step::Make {
        id: code.id(),
        class: code.class(),
        quantity: BATCH,
        inputs: Vec::new(),
        min_witness: 0,
    };
    act(stage, &trade.factory, make)?;
    voice.say(Told::LotMade, &[&BATCH.to_string()])?;

    hand_over(stage, people, &trade, made)?;
    let split = Step::Split { inputs: vec![made], outputs: vec![PACKAGE, BATCH - PACKAGE] };
    let split = act(stage, &trade.pharmacy, split)?;
    let (package, rest) = (LotId::output(&split, 0), LotId::output(&split, 1));
    voice.then(Told::LotHandedOver, &[])?;

    // More than there was does not come out of it.
    let more = Step::Unpack { lot: rest, outputs: vec![BATCH] };
    refuses(stage, &trade.pharmacy, more, "QuantityCreated")?;
    voice.then(Told::LotCreated, &[])?;

    act(stage, &trade.pharmacy, Step::Dispense { lot: package })?;
    let label = code.of_lot(package).to_string();
    let trace = traced(stage, &label)?;
    ensure!(trace.origins.len() == 1 && trace.origins[0].made == made, "one origin");
    let steps: Vec<Grade> = trace.steps.iter().map(|step| step.grade).collect();
    ensure!(steps[1] == Grade::Witnessed, "the nurse has seen the hand-over");
    ensure!(steps[2] == Grade::BeaconAndWitnessed, "and the beacon the receiver");
    let weakest = trace.grade().context("it went through moves")?;
    ensure!(weakest == Grade::SelfClaimed, "nobody but the factory saw it made");
    let (count, signers) = (trace.steps.len().to_string(), trace.signers.to_string());
    voice.say(Told::LotTraced, &[&count, &signers, grade(voice.0, weakest)])?;

    act(stage, &trade.factory, Step::Recall { made })?;
    let trace = traced(stage, &label)?;
    ensure!(trace.origins[0].recalled.is_some(), "the patient's package is recalled");
    refuses(stage, &trade.pharmacy, Step::Dispense { lot: rest }, "Recalled")?;
    let to = People::id(&trade.factory);
    act(stage, &trade.pharmacy, Step::Ship { lot: rest, to })?;
    voice.say(Told::LotRecalled, &[])?;
    voice.then(Told::LotLimits, &[])
}

fn claims(stage: &mut Stage, people: &People, trade: &Trade) -> anyhow::Result<()> {
    let attest = Attest {
        issuer: people.hospital.public_key().into(),
        subject: trade.factory.public_key().into(),
        claim: Claim::Maker,
        from_h: 0,
        to_h: stage.height()? + 10_000,
        subject_tag: [0; 16],
        evidence: [0; 32],
        prev: None,
    };
    stage.act(Body::Attest(attest), &[&people.hospital, &trade.factory]).map(|_| ())
}

/// The factory ships with a nurse as witness, and the pharmacy receives where the beacon hears it.
fn hand_over(stage: &mut Stage, people: &People, trade: &Trade, lot: LotId) -> anyhow::Result<()> {
    let nurse = People::role(Role::Nurse, &people.ward);
    let to = People::id(&trade.pharmacy);
    let ship = body(&trade.factory, Step::Ship { lot, to }, witness(people, nurse));
    stage.act(Body::Move(ship), &[&trade.factory, &people.nurse])?;
    let heard = stage.heard(&people.ward_beacon, &[trade.pharmacy.public_key()])?;
    let receive = body(&trade.pharmacy, Step::Receive { lot }, witness(people, nurse));
    let receive = Move {
        site: Some(People::id(&people.ward)),
        presence: heard.into_iter().next(),
        ..receive
    };
    stage.act(Body::Move(receive), &[&trade.pharmacy, &people.nurse]).map(|_| ())
}

fn witness(people: &People, role: RoleRef) -> Vec<Witness> {
    vec![Witness { key: people.nurse.public_key(), role }]
}

fn body(by: &SecretKey, step: Step, witnesses: Vec<Witness>) -> Move {
    let by = by.public_key().into();
    Move { by, step, event: [0; 32], site: None, presence: None, witnesses }
}

fn act(stage: &mut Stage, by: &SecretKey, step: Step) -> anyhow::Result<CoreId> {
    stage.act(Body::Move(body(by, step, Vec::new())), &[by])
}

/// No block takes the step, by this rule.
fn refuses(stage: &mut Stage, by: &SecretKey, step: Step, rule: &str) -> anyhow::Result<()> {
    let name = stage.refusal(Body::Move(body(by, step, Vec::new())), &[by])?;
    ensure!(name == rule, "refused as {name}, expected {rule}");
    Ok(())
}

/// What whoever scans a package reads.
fn traced(stage: &Stage, label: &str) -> anyhow::Result<Trace> {
    let code: LotCode = label.parse()?;
    let trace = stage.ledger.view().trace(&code.lot, &[], &travel::kilometres)?;
    let opens = trace.steps.iter().any(|step| code.opens(step.moved.body()));
    ensure!(opens, "the code opens where it came from");
    ensure!(trace.steps.iter().all(|step| step.labels.is_empty()), "nothing speaks against it");
    Ok(trace)
}
