//! The ledger's bytes and its state: what decodes encodes to the same, and what is applied can be undone.

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use borsh::BorshDeserialize;

use super::bodies::{goods, lending, moved, reading};
use crate::engine::nodes::NodeKernel;
use crate::engine::pool::Pool;
use crate::hash::meets_target;
use crate::ledger::archive::ArchiveReader;
use crate::ledger::block::{Block, Included};
use crate::ledger::chain::{BlockPart, Chain, Ledger, Prepared, View};
use crate::ledger::mempool::{Limits, Mempool, Source};
use crate::ledger::rules::context::Signatures;
use crate::ledger::rules::isolation::Ids;
use crate::ledger::signature::{PubKey, Sig};
use crate::ledger::spec::Spec;
use crate::ledger::store::{MemoryStore, Overlay, Read, Store, Table};
use crate::ledger::template::Template;
use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::lot::Step;
use crate::ledger::transaction::pay::LoanTerms;
use crate::ledger::transaction::{
    Attest, Body, CORE_VERSION, Core, CoreId, LotId, Pay, PayKind, Transaction, VALIDITY_BLOCKS_MAX,
};
use crate::primitives::codec::Reader;
use crate::primitives::limits::HEADER_BYTES;
use crate::primitives::{BlockHash, CompactTarget};
use crate::wallet::{Purpose, SecretKey, Signer, TransactionFile};

pub(super) const GENESIS_TIME: u32 = 1_700_000_000;
const KEYS: u8 = 4;
/// Blocks that pay the keys in turn.
const BLOCKS: u32 = 12;
/// Transactions tried on the state.
const TRANSACTIONS_MAX: usize = 64;

/// Any bytes are a transaction or not; if they are, they are its one encoding, and its ids, keys and
/// signers can be asked for.
///
/// # Panics
///
/// If it encodes to something else.
pub fn transaction(data: &[u8]) {
    let Ok(transaction) = Transaction::decode(data) else { return };
    assert_eq!(transaction.encode(), data, "one encoding");
    assert_eq!(Transaction::decode_prefix(data), Ok((transaction.clone(), data.len())));
    let ids = Ids::of(&Included::new(transaction.clone()), &BlockHash::ZERO);
    assert_eq!(ids.core, transaction.core.id(&BlockHash::ZERO));
    let signers = transaction.signers();
    assert_eq!(signers.first(), Some(&transaction.payer));
    assert_eq!(ids.signed(&transaction).is_some(), signers.len() == transaction.sigs.len());
    assert!(!transaction.core.body.name().is_empty());
    // A body may name nobody, such as approvals without approvers: the rules refuse it.
    let _ = transaction.core.body.keys();
}

/// Any bytes are a block or not; if they are, they are its one encoding, and its leaves find no part of
/// it changed.
///
/// # Panics
///
/// If that does not hold.
pub fn ledger_block(data: &[u8]) {
    let Ok(block) = Block::decode(data) else { return };
    assert_eq!(block.encode(), data, "one encoding");
    assert!(block.encoded_bytes() >= data.len());
    let leaves = block.leaves();
    assert_eq!(leaves.len(), block.transactions.len() + 1);
    let body = &data[HEADER_BYTES..];
    assert_eq!(BlockPart::first_changed(body, &leaves), None);
    for (index, _) in (0u32..).zip(&leaves) {
        let mut other = leaves.clone();
        other[index as usize][0] ^= 1;
        let found = BlockPart::first_changed(body, &other);
        assert_eq!(found, Some(BlockPart::Transaction(index)));
    }
}

/// Any bytes as an archive of blocks: it is refused, or read to its end.
///
/// # Panics
///
/// If a block is not the one that its hash names.
pub fn archive(data: &[u8]) {
    let Ok(mut archive) = ArchiveReader::open(data) else { return };
    let tip_height = archive.tip_height();
    let mut height = 0;
    while let Ok(Some(block)) = archive.next_block() {
        height += 1;
        assert_eq!(block.height, height);
        assert!(block.height <= tip_height && block.bytes.len() <= data.len());
    }
}

/// Any bytes as a transaction file: if they are one, its text is another of the same transaction.
///
/// # Panics
///
/// If it is not.
pub fn transaction_file(data: &[u8]) {
    let Ok(file) = TransactionFile::parse(data) else { return };
    let again = TransactionFile::parse(file.to_text().as_bytes());
    assert_eq!(again.as_ref(), Ok(&file));
    assert_eq!(file.complete().is_some(), file.missing().is_empty());
    assert_eq!(file.clone().combine(&file), Ok(0));
}

/// A chain with a few blocks that pay a few keys, two of which make goods; the second owes the first, the
/// third is a device.
struct Base {
    chain: Chain,
    store: MemoryStore,
    keys: Vec<SecretKey>,
    lots: Vec<LotId>,
    debt: CoreId,
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let keys: Vec<SecretKey> =
            (0..KEYS).map(|number| SecretKey::from_seed(&[number + 1; 32])).collect();
        let easy = CompactTarget(0x207f_ffff);
        let spec = Spec::local(GENESIS_TIME, keys[0].public_key()).expect("a good key");
        let spec =
            Spec { limit: easy, start: easy, ..spec }.check().expect("an easy target is one");
        let pool = Pool::new(NonZeroUsize::MIN).expect("a thread");
        let ledger = Ledger::create(MemoryStore::new(), spec, NodeKernel::best(), pool);
        let ledger = ledger.expect("memory does not fail");
        let (chain, store) = (ledger.chain().clone(), ledger.into_store());
        let mut overlay = Overlay::new(&store);
        for key in keys.iter().cycle().take(BLOCKS as usize) {
            let template = Template::empty(&chain, &View(&overlay)).expect("memory does not fail");
            apply(&chain, &mut overlay, &template, key.public_key());
        }
        let (lots, debt) = begin_life(&chain, &mut overlay, &keys);
        let batch = overlay.into_batch();
        store.commit(&batch).expect("memory does not fail");
        Base { chain, store, keys, lots, debt }
    })
}

/// Makers, and lots of theirs to begin with: whole, divided and on their way; a device; and a debt. A key
/// that is none of those of the inputs pays, so that their nonces begin at 1.
fn begin_life(
    chain: &Chain,
    overlay: &mut Overlay<'_>,
    keys: &[SecretKey],
) -> (Vec<LotId>, CoreId) {
    let founder = SecretKey::from_seed(&[99; 32]);
    let mut nonce = 0;
    let mut lots = Vec::new();
    for _ in 0..=chain.spec.maturity_blocks {
        let template = Template::empty(chain, &View(&*overlay)).expect("memory does not fail");
        apply(chain, overlay, &template, founder.public_key());
    }
    let mut act = |overlay: &mut Overlay<'_>, body: Body| {
        nonce += 1;
        let core = core(chain, body);
        let id = core.id(&chain.genesis);
        let payer = founder.public_key();
        let fee = 1_000_000;
        let mut transaction = Transaction { core, payer, nonce, fee, sigs: Vec::new() };
        sign(chain, &mut transaction, keys.iter().chain([&founder]));
        let included = vec![Included::new(transaction)];
        let template = Template::on_tip(chain, &View(&*overlay), included, fee);
        apply(chain, overlay, &template.expect("memory does not fail"), payer);
        id
    };
    let attest = |subject: &SecretKey, claim| {
        Body::Attest(Attest {
            issuer: keys[0].public_key().into(),
            subject: subject.public_key().into(),
            claim,
            from_h: 0,
            to_h: VALIDITY_BLOCKS_MAX,
            subject_tag: [0; 16],
            evidence: [0; 32],
            prev: None,
        })
    };
    act(overlay, attest(&keys[2], Claim::Device { model: [1; 32], firmware: [2; 32] }));
    let (from, to) = (keys[0].public_key(), keys[1].public_key());
    let terms = LoanTerms { due_h: VALIDITY_BLOCKS_MAX, total_owed: 1_000, document: [0; 32] };
    let loan = Pay { from, to, amount: 900, kind: PayKind::Loan(terms) };
    let debt = act(overlay, Body::Pay(loan));
    for (number, maker) in keys.iter().take(2).enumerate() {
        act(overlay, attest(maker, Claim::Maker));
        for id in 0..3 {
            let step = Step::Make {
                id: [id; 32],
                class: [id / 2; 32],
                quantity: 10,
                inputs: Vec::new(),
                min_witness: 0,
            };
            act(overlay, Body::Move(moved(maker.public_key(), step)));
            lots.push(LotId::made(maker.public_key().into(), &[id; 32]));
        }
        let to = keys[number + 1].public_key().into();
        let ship = Step::Ship { lot: lots[lots.len() - 1], to };
        act(overlay, Body::Move(moved(maker.public_key(), ship)));
        let divide = Step::Unpack { lot: lots[lots.len() - 2], outputs: vec![4, 6] };
        let divided = act(overlay, Body::Move(moved(maker.public_key(), divide)));
        lots.extend((0..2).map(|at| LotId::output(&divided, at)));
    }
    (lots, debt)
}

fn one_thread() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| Pool::new(NonZeroUsize::MIN).expect("a thread"))
}

/// Mines a template on the tip of the overlay and applies it.
fn apply(chain: &Chain, overlay: &mut Overlay<'_>, template: &Template, payout: PubKey) {
    let mut block = template.block(template.coinbase(payout, &[]), template.time_least);
    let target = block.header.bits.to_target().expect("a template has a target");
    while meets_target(chain.spec.algorithm, &block.header.encode(), &target).is_none() {
        block.header.nonce = block.header.nonce.wrapping_add(1);
    }
    let parent = View(&*overlay).expect_record(&template.parent_hash);
    let record = chain.record(&parent.expect("the tip has a record"), &block.header, 1);
    let body = block.encode().split_off(HEADER_BYTES);
    let prepared = Prepared::new(chain, block);
    overlay.put(Table::Bodies, prepared.hash.0, body);
    let applied = chain.connect(one_thread(), overlay, &record, &prepared, Signatures::Verify);
    assert!(applied.is_ok(), "a template is valid: {applied:?}");
}

/// The bytes make transactions: payments and loans between a few keys, readings of a device, moves of lots,
/// bodies of any kind as they decode, and whole transactions as they decode, signed where a key is ours.
/// What the state takes of them goes into a block, and taking that off again leaves every table as it was.
///
/// # Panics
///
/// If it does not, or a block of what was taken is refused.
pub fn state_apply(data: &[u8]) {
    let base = base();
    let Base { chain, store, keys, .. } = base;
    let mut reader = Reader::new(data);
    let view = View(store);
    let mut mempool = Mempool::new(chain, &view, Limits::default()).expect("memory does not fail");
    for _ in 0..TRANSACTIONS_MAX {
        let Some(transaction) = make(base, &mut reader, data) else { break };
        // Refused or not: the state decides, and must not fall over.
        let _ = mempool.admit(&view, &transaction.encode(), Source::Own);
    }
    let template = mempool.template(&view).expect("memory does not fail");
    let mut overlay = Overlay::new(store);
    apply(chain, &mut overlay, &template, keys[0].public_key());
    chain.disconnect(&mut overlay).expect("what was applied can be undone");
    for (table, key, now) in overlay.batch().iter() {
        // The block itself stays known, beside the best chain.
        if !matches!(table, Table::Headers | Table::Bodies | Table::Sides) {
            let before = store.get(table, key).expect("memory does not fail");
            assert_eq!(now, before.as_deref(), "{table} {}", hex::encode(key));
        }
    }
}

fn make(base: &Base, reader: &mut Reader<'_>, data: &[u8]) -> Option<Transaction> {
    let Base { chain, keys, .. } = base;
    let choice = reader.u8().ok()?;
    let key = |bits: u8| &keys[usize::from(bits % KEYS)];
    let mut rest = &data[reader.position()..];
    let skip = |rest: &[u8], reader: &mut Reader<'_>| {
        reader.take((reader.left() - rest.len()) as u64).map(|_| ()).ok()
    };
    let mut transaction = match choice >> 6 {
        0 => {
            let (from, to) = (key(choice).public_key(), key(choice >> 2).public_key());
            let pay = Pay { from, to, amount: reader.u64().ok()?, kind: PayKind::Plain };
            envelope(chain, key(choice >> 4), Body::Pay(pay), reader)?
        }
        1 => {
            let (this, other) = (key(choice).public_key(), key(choice >> 2).public_key());
            let device = keys[2].public_key();
            let body = match reader.u8().ok()? {
                kind if kind & 1 == 0 => Body::Pay(lending(base.debt, this, other, reader)?),
                _ => Body::Reading(reading(device, this, other, reader)?),
            };
            envelope(chain, key(choice >> 4), body, reader)?
        }
        2 if choice & 0b10_0000 != 0 => {
            let by = key(choice);
            let to = keys[usize::from(choice >> 4 & 1)].public_key();
            let body = goods(&base.lots, by.public_key(), to, reader)?;
            envelope(chain, key(choice >> 2), Body::Move(body), reader)?
        }
        2 => {
            let body = Body::deserialize(&mut rest).ok()?;
            skip(rest, reader)?;
            envelope(chain, key(choice), body, reader)?
        }
        _ => {
            let (mut whole, used) = Transaction::decode_prefix(rest).ok()?;
            skip(&rest[used..], reader)?;
            whole.core.chain = chain.chain_id;
            whole
        }
    };
    // A wrong number of signatures is for others to find.
    sign(chain, &mut transaction, keys.iter());
    Some(transaction)
}

/// Signs for those whose keys are here; others sign with zeros.
fn sign<'a>(
    chain: &Chain,
    transaction: &mut Transaction,
    keys: impl Iterator<Item = &'a SecretKey> + Clone,
) {
    let ids = Ids::of(&Included::new(transaction.clone()), &chain.genesis);
    let signers = transaction.signers();
    let sign = |(at, signer): (usize, &PubKey)| {
        let secret = keys.clone().find(|key| key.public_key() == *signer)?;
        secret.sign(ids.signed_message(at), Purpose::Core).ok()
    };
    let sigs = signers.iter().enumerate().map(|signer| sign(signer).unwrap_or(Sig([0; 64])));
    transaction.sigs = sigs.collect();
}

fn envelope(
    chain: &Chain,
    payer: &SecretKey,
    body: Body,
    reader: &mut Reader<'_>,
) -> Option<Transaction> {
    let (nonce, fee) = (reader.u8().ok()?, reader.u32().ok()?);
    let payer = payer.public_key();
    let core = core(chain, body);
    Some(Transaction { core, payer, nonce: nonce.into(), fee: fee.into(), sigs: Vec::new() })
}

fn core(chain: &Chain, body: Body) -> Core {
    Core {
        version: CORE_VERSION,
        chain: chain.chain_id,
        valid_from: 0,
        valid_to: VALIDITY_BLOCKS_MAX,
        anchor: BlockHash::ZERO.0,
        body,
    }
}
