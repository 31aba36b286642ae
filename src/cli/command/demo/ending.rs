//! The ending: the audit and its proof, what the chain does not hold, a changed copy, the whole chain
//! once more.

use anyhow::{Context as _, bail, ensure};

use proofward::engine::meter::per_second;
use proofward::engine::nodes::NodeKernel;
use proofward::engine::pool::Pool;
use proofward::ledger::archive::{ArchiveReader, import, write_archive};
use proofward::ledger::audit::{Audit, AuditError};
use proofward::ledger::chain::Ledger;
use proofward::ledger::spec::UNITS_PER_TOKEN;
use proofward::ledger::store::MemoryStore;
use proofward::node::unix_now;
use proofward::wallet::audit_file;
use proofward::words::Told;

use super::Voice;
use super::people::People;
use super::record::{CONTENT, Kept, share_of};
use super::stage::Stage;
use crate::cli::output::{rate, seconds};

/// Everything that happened to the record, with its proof.
pub(super) fn audit(stage: &mut Stage, kept: &Kept, voice: Voice) -> anyhow::Result<()> {
    // What the tip did can be shown with the next block.
    stage.wait(1)?;
    let chain = stage.ledger.chain();
    let audit =
        Audit::read(chain, stage.ledger.store(), kept.rid)?.context("the record's audit")?;
    let text = audit_file::to_json(&audit);
    let audit = audit_file::from_json(text.as_bytes())?;
    let shown = audit.check(chain)?;
    ensure!(shown.block == stage.tip()?, "the audit leads to the tip's header");
    let (events, refusals) = (audit.access.len(), audit.refusals.len());
    ensure!(refusals == 4, "four attempts were refused, {refusals} are listed");
    voice.say(Told::Audit, &[&events.to_string(), &refusals.to_string()])?;
    for event in audit.access.iter().chain(&audit.refusals) {
        let kind = format!("{:?}", event.kind).to_lowercase();
        voice.then(Told::AuditLine, &[&event.height.to_string(), &kind])?;
    }
    let mut dropped = audit;
    dropped.access.remove(1);
    let noticed = matches!(dropped.check(chain), Err(AuditError::Count { .. }));
    ensure!(noticed, "a dropped event is noticed");
    voice.then(Told::AuditTampered, &[])
}

/// Nothing that must stay off the chain is on it.
pub(super) fn secrecy(
    stage: &Stage,
    people: &People,
    kept: &Kept,
    voice: Voice,
) -> anyhow::Result<()> {
    let chain = stage.chain_bytes()?;
    let holds = |needle: &[u8]| chain.windows(needle.len()).any(|window| window == needle);
    for word in CONTENT.split(|byte| !byte.is_ascii_alphabetic()).filter(|word| word.len() > 5) {
        ensure!(!holds(word), "a word of the record is on the chain");
    }
    for guardian in [&people.nurse, &people.patient, &people.escrow] {
        let share = share_of(stage, &kept.of, guardian, 0)?;
        ensure!(!holds(&share.value[..16]), "a share is on the chain");
    }
    // The escrow never approved for the everyday set, so nobody learns that it guards it.
    let escrow = share_of(stage, &kept.of, &people.escrow, 0)?;
    ensure!(!holds(&escrow.commitment(&kept.of)), "an unused commitment is on the chain");
    voice.say(Told::Secrecy, &[&chain.len().to_string()])
}

/// A copy of the chain with one bit changed is refused, and the place is named.
pub(super) fn tampered(stage: &Stage, voice: Voice) -> anyhow::Result<()> {
    let chain = stage.ledger.chain();
    let mut copy = Vec::new();
    write_archive(&chain.spec, stage.ledger.view(), &mut copy, |_| {})?;
    let fresh = || -> anyhow::Result<Ledger<MemoryStore>> {
        let threads = std::thread::available_parallelism()?;
        let (kernel, pool) = (NodeKernel::best(), Pool::new(threads)?);
        Ok(Ledger::create(MemoryStore::new(), chain.spec.clone(), kernel, pool)?)
    };
    let whole = fresh()?;
    import(&whole, &mut ArchiveReader::open(copy.as_slice())?, unix_now(), |_| {})?;
    ensure!(whole.tip()?.0 == stage.tip()?, "the unchanged copy is the chain");

    let middle = copy.len() / 2;
    copy[middle] ^= 1;
    let changed = fresh()?;
    let outcome = ArchiveReader::open(copy.as_slice())
        .and_then(|mut archive| import(&changed, &mut archive, unix_now(), |_| {}));
    match outcome {
        Ok(_) => bail!("a changed copy was taken"),
        Err(error) => voice.say(Told::ChainTampered, &[&error.to_string()]),
    }
}

/// The whole chain once more, and what it cost and gave.
pub(super) fn verified(stage: Stage, voice: Voice) -> anyhow::Result<()> {
    let pool = Pool::new(std::thread::available_parallelism()?)?;
    let started = stage.elapsed();
    let run = stage.ledger.chain().replay(&pool, stage.ledger.view(), |_| {})?;
    let took = stage.elapsed().saturating_sub(started);
    let (blocks, transactions) = (u64::from(stage.height()?), stage.transactions);
    ensure!(run.blocks == blocks, "every block was replayed");
    ensure!(run.transactions == transactions, "every transaction was replayed");
    voice.say(
        Told::Verified,
        &[
            &blocks.to_string(),
            &transactions.to_string(),
            &run.signatures.to_string(),
            &seconds(took),
        ],
    )?;
    let subsidy = stage.ledger.chain().spec.subsidy(1) / UNITS_PER_TOKEN;
    let hash_rate = rate(per_second(stage.hashes(), stage.mining), "H/s");
    let kernel = format!("{hash_rate} ({})", stage.kernel());
    voice.say(Told::Miner, &[&(subsidy * blocks).to_string(), &kernel])?;
    let elapsed = stage.elapsed();
    let a_second = |count: u64| format!("{:.1}", per_second(count, elapsed));
    voice.say(
        Told::Speed,
        &[
            &blocks.to_string(),
            &transactions.to_string(),
            &seconds(elapsed),
            &a_second(blocks),
            &a_second(transactions),
        ],
    )?;
    stage.ledger.into_store().close()?;
    Ok(())
}
