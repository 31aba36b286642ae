//! The rest of life: a loan that both sides announce, a walk that buys hashes, research that pays the
//! patient.

use anyhow::{Context as _, ensure};

use proofward::engine::meter::per_second;
use proofward::ledger::policy::{Draft, Leaf, Place, Purpose, Purposes, Role, Together, Window};
use proofward::ledger::spec::UNITS_PER_TOKEN;
use proofward::ledger::state::{Account, DebtStanding, EntryKey, HeldDebt};
use proofward::ledger::transaction::attest::Claim;
use proofward::ledger::transaction::pay::LoanTerms;
use proofward::ledger::transaction::reading::Assurance;
use proofward::ledger::transaction::{Body, Party, Pay, PayKind, Reading};
use proofward::wallet::SecretKey;
use proofward::wallet::record::KeptPolicy;
use proofward::words::Told;

use super::Voice;
use super::attempts::{Voter, approve, ask};
use super::people::People;
use super::record::{Kept, keep, sealed};
use super::stage::{FEE, SPACING_S, Stage};
use crate::cli::output::{rate, seconds};
use crate::cli::settings::tokens;

/// What is lent, what is given back, and what a researcher pays.
const LENT: u64 = 20 * UNITS_PER_TOKEN;
const OWED: u64 = 21 * UNITS_PER_TOKEN;
const PRICE: u64 = 3 * UNITS_PER_TOKEN;
/// A walk of ten minutes.
const WALK_S: u32 = 600;
const STEPS: u32 = 1000;

/// The patient borrows from the doctor, who must sign too, and gives back more than was lent.
pub(super) fn loan(stage: &mut Stage, people: &People, voice: Voice) -> anyhow::Result<()> {
    let (lender, debtor) = (&people.doctor, &people.patient);
    give(stage, lender, LENT)?;
    let due_h = stage.height()? + 100;
    let terms = LoanTerms { due_h, total_owed: OWED, document: [0; 32] };
    let (from, to) = (lender.public_key(), debtor.public_key());
    let body = Body::Pay(Pay { from, to, amount: LENT, kind: PayKind::Loan(terms) });
    let (mut alone, _) = stage.sign(body.clone(), &[lender, debtor], FEE)?;
    alone.sigs.pop();
    ensure!(stage.refused(&alone)? == "WrongSigners", "nobody owes what he has not signed");
    let debt = stage.act(body, &[lender, debtor])?;
    voice.say(Told::Lent, &[&tokens(LENT), &tokens(OWED), &due_h.to_string()])?;

    let kind = PayKind::Repay { debt: debt.0 };
    let repay = |amount| Pay { from: to, to: from, amount, kind: kind.clone() };
    let (more, _) = stage.sign(Body::Pay(repay(OWED + 1)), &[debtor], FEE)?;
    ensure!(stage.refused(&more)? == "Insufficient", "more than the debtor owns");
    give(stage, debtor, 2 * UNITS_PER_TOKEN)?;
    let (more, _) = stage.sign(Body::Pay(repay(OWED + 1)), &[debtor], FEE)?;
    ensure!(stage.refused(&more)? == "OverRepay", "more than is owed");
    stage.act(Body::Pay(repay(OWED)), &[debtor])?;
    let held: HeldDebt = stage.entry(&EntryKey::Debt(debt))?.context("the debt")?;
    ensure!(held.standing_at(stage.height()?) == DebtStanding::Repaid, "the debt is closed");
    voice.then(Told::Repaid, &[])
}

fn give(stage: &mut Stage, to: &SecretKey, amount: u64) -> anyhow::Result<()> {
    let (from, to) = (stage.miner(), to.public_key());
    stage.act(Body::Pay(Pay { from, to, amount, kind: PayKind::Plain }), &[]).map(|_| ())
}

/// The patient's watch tells of a walk; what it earns is spent to the last hash.
pub(super) fn walk(stage: &mut Stage, people: &People, voice: Voice) -> anyhow::Result<()> {
    let watch = SecretKey::generate()?;
    let claim = Claim::Device { model: [1; 32], firmware: [2; 32] };
    People::claim(stage, &people.hospital, &watch, claim, 0)?;
    let t1 = stage.next()?.median_time;
    let wearer = people.patient.public_key();
    let mut reading = Reading {
        device: watch.public_key(),
        wearer,
        seq: 0,
        prev: [0; 32],
        t0: t1 - WALK_S,
        t1,
        wear_s: WALK_S,
        active_s: WALK_S,
        steps: 5 * WALK_S,
        samples: [3; 32],
        assurance: Assurance::App,
        co_witness: None,
    };
    let body = Body::Reading(reading.clone());
    let (shaken, _) = stage.sign(body, &[&watch], FEE)?;
    ensure!(stage.refused(&shaken)? == "Implausible", "five steps a second");
    reading.steps = STEPS;
    stage.act(Body::Reading(reading.clone()), &[&watch])?;
    let (again, _) = stage.sign(Body::Reading(reading), &[&watch], FEE)?;
    ensure!(stage.refused(&again)? == "SeqGap", "told once");
    let earned = stage.ledger.view().hashes_earned(wearer)?;
    ensure!(earned > 0, "a walk is worth something");

    let (done, took) = stage.spend(earned)?;
    ensure!(done == earned, "{done} hashes were done, {earned} were earned");
    let speed = rate(per_second(done, took), "H/s");
    let minutes = (WALK_S / 60).to_string();
    voice.say(
        Told::Walked,
        &[&minutes, &STEPS.to_string(), &earned.to_string(), &seconds(took), &speed],
    )
}

/// A researcher reads a record that the patient has put a price on, and the patient is paid.
pub(super) fn research(stage: &mut Stage, people: &People, voice: Voice) -> anyhow::Result<()> {
    let researcher = SecretKey::generate()?;
    let role = Claim::Role { role: Role::Researcher, site: None };
    People::claim(stage, &people.region, &researcher, role, 30)?;
    give(stage, &researcher, PRICE)?;

    let window = Window { from: 0, to: u32::MAX };
    let terms = Leaf {
        salt: [0; 16],
        set: 0,
        readers: [0; 32],
        places: [0; 32],
        window: Some(window),
        daily: None,
        purposes: Purposes::of(&[Purpose::Research]),
        need: vec![],
        k: 2,
        together: Together::Apart,
        together_within: 3,
        answer_within: 6,
        read_within: 20,
        delay: 0,
        max_reads: 1,
        price: PRICE,
        scope: [0; 32],
    };
    let draft = Draft {
        terms,
        readers: vec![People::role(Role::Researcher, &people.region)],
        places: vec![Place::Anywhere],
    };
    let mut epoch = sealed(stage, people, 0)?;
    epoch.policies.push(KeptPolicy::new(vec![("study".into(), draft)])?);
    let policy = epoch.policies[0].tree(SPACING_S)?;
    let (of, owners) = (epoch.of(), Party::Key(people.patient.public_key()));
    let record = epoch.announcement(owners, policy.root(), None);
    stage.act(Body::Record(record), &[&epoch.rid, &people.patient])?;
    keep(stage, "study", epoch)?;
    let kept = Kept { rid: of.rid, of, policy, treatment: window };

    let mut asked = ask(stage, &kept, &kept.policy.branches()[0], &researcher, None)?;
    (asked.body.seq, asked.body.purpose, asked.body.max_price) = (0, Purpose::Research, PRICE);
    let request = stage.act(Body::Request(Box::new(asked.body)), &[&researcher])?;
    let owns = |stage: &Stage, key: &SecretKey| -> anyhow::Result<u64> {
        let account: Option<Account> = stage.entry(&EntryKey::Account(key.public_key()))?;
        Ok(account.unwrap_or_default().balance)
    };
    let before = owns(stage, &people.patient)?;
    let voters = [
        (&people.nurse, People::role(Role::Nurse, &people.ward)),
        (&people.patient, People::role(Role::Patient, &people.hospital)),
    ];
    let voters = voters.map(|(key, role)| Voter { key, role, presence: None, is_guardian: true });
    approve(stage, &kept, request, 0, voters.into())?;
    let (_, answer) = stage.answer(request)?;
    ensure!(answer.is_open, "it is open");
    ensure!(owns(stage, &people.patient)? == before + PRICE, "the patient is paid");
    ensure!(owns(stage, &researcher)? == 0, "by the researcher");
    voice.say(Told::ResearchPaid, &[&tokens(PRICE)])
}
