//! Context: is it valid after this parent? Transactions are judged and applied one after another in a
//! [`Session`]; a refused one leaves the session as it was.

use super::error::{BlockRule, TransactionError};
use super::{access, goods, pay, reading};
use crate::ledger::coinbase::{Coinbase, Payout};
use crate::ledger::policy::{Judge, Moment};
use crate::ledger::rules::isolation::{Ids, check_signatures};
use crate::ledger::rules::structure::{check_canonical, check_form};
use crate::ledger::signature::PubKey;
use crate::ledger::spec::{
    FEE_PER_BYTE, FEE_PER_SIGNATURE, FEE_PER_STATE_ENTRY, IDLE_BLOCKS, Spec,
};
use crate::ledger::state::{Account, EntryKey, Session};
use crate::ledger::store::StoreError;
use crate::ledger::transaction::{
    ANCHOR_DEPTH_BLOCKS_MAX, Body, Core, CoreId, NONCE_STEP_MAX, Transaction, VALIDITY_BLOCKS_MAX,
};
use crate::primitives::BlockHash;

/// The ancestors of the block that is judged, on its own branch.
pub trait Ancestors {
    /// The hash at a height; `None` above the parent.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn hash_at(&self, height: u32) -> Result<Option<BlockHash>, StoreError>;

    /// The height of an ancestor; `None` for any other hash.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn height_of(&self, hash: &BlockHash) -> Result<Option<u32>, StoreError>;
}

/// Where a block or a transaction is judged.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "the ancestors have none")]
pub struct Context<'a> {
    /// The chain.
    pub spec: &'a Spec,
    /// First bytes of its commitment.
    pub chain_id: [u8; 4],
    /// Hash of its genesis block.
    pub genesis: BlockHash,
    /// Height of the block that includes what is judged.
    pub height: u32,
    /// Its median time past: of the eleven blocks before it.
    pub median_time: u32,
    /// The blocks below it.
    pub ancestors: &'a dyn Ancestors,
}

impl Context<'_> {
    /// Height and median time past of the block.
    #[must_use]
    pub const fn now(&self) -> Moment {
        Moment { height: self.height, median_time: self.median_time }
    }

    /// Judges claims at the block's height.
    #[must_use]
    pub fn judge(&self) -> Judge {
        Judge {
            anchor: self.spec.anchor_id(),
            claim_delay: self.spec.claim_delay_blocks,
            spacing_s: self.spec.spacing_s,
            now: self.now(),
            without: None,
        }
    }
}

/// Whether signatures are verified one by one here, or were verified in a batch before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// Verify them here.
    Verify,
    /// A batch with exactly these signatures has passed.
    Verified,
}

/// A broken rule, or a store that cannot be read: only the first is a verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal<R> {
    /// The rule.
    #[error("{0}")]
    Rule(R),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TransactionError> for Refusal<TransactionError> {
    fn from(error: TransactionError) -> Self {
        Self::Rule(error)
    }
}

/// What happens at the start of a block, before its transactions: rewards become spendable and old core
/// ids are forgotten.
///
/// # Errors
///
/// If the store cannot be read.
pub fn begin_block(context: &Context<'_>, session: &mut Session<'_>) -> Result<(), StoreError> {
    if let Some(mined) = context.height.checked_sub(context.spec.maturity_blocks) {
        let maturing = EntryKey::Maturing(mined);
        for Payout { key, value } in session.get::<Vec<Payout>>(&maturing)?.unwrap_or_default() {
            credit(session, key, value)?;
        }
        session.put::<Vec<Payout>>(&maturing, None)?;
    }
    // A core lives at most VALIDITY_BLOCKS_MAX blocks, so one accepted before that cannot come back.
    if let Some(accepted) = context.height.checked_sub(VALIDITY_BLOCKS_MAX + 1) {
        session.put::<Vec<CoreId>>(&EntryKey::Accepted(accepted), None)?;
    }
    reading::samples::forget(context, session)?;
    access::expiry::run(context, session)
}

/// What happens after the last transaction: the coinbase is judged and locked up, idle empty accounts
/// are pruned, the accepted core ids are written down.
///
/// # Errors
///
/// `BadCoinbaseAmount`, or a store that cannot be read.
pub fn end_block(
    context: &Context<'_>,
    session: &mut Session<'_>,
    coinbase: &Coinbase,
    fees: u64,
) -> Result<(), Refusal<BlockRule>> {
    let height = context.height;
    let allowed = context.spec.subsidy(height).saturating_add(fees);
    let paid = coinbase.paid();
    if paid > u128::from(allowed) {
        return Err(Refusal::Rule(BlockRule::BadCoinbaseAmount { paid, allowed }));
    }
    let payouts: Vec<Payout> =
        coinbase.payouts.iter().copied().filter(|payout| payout.value > 0).collect();
    if !payouts.is_empty() {
        session.put(&EntryKey::Maturing(height), Some(&payouts))?;
    }
    if !session.accepted().is_empty() {
        let accepted = session.accepted().to_vec();
        session.put(&EntryKey::Accepted(height), Some(&accepted))?;
    }
    access::expiry::write(session)?;
    reading::samples::write(context, session)?;
    let emptied = session.emptied_accounts();
    if !emptied.is_empty() {
        session.put(&EntryKey::Idle(height), Some(&emptied))?;
    }
    if let Some(idle_since) = height.checked_sub(IDLE_BLOCKS) {
        let idle = EntryKey::Idle(idle_since);
        for key in session.get::<Vec<PubKey>>(&idle)?.unwrap_or_default() {
            let account = session.account(key)?;
            if account.balance == 0 && account.touched == idle_since {
                session.put::<Account>(&EntryKey::Account(key), None)?;
            }
        }
        session.put::<Vec<PubKey>>(&idle, None)?;
    }
    Ok(())
}

/// Judges a transaction at its place in a block, in the order of [`TransactionError`], and applies it.
/// Returns the fee.
///
/// Two names depart from their place because nothing before them can be judged without them: bytes that
/// do not decode are `NonCanonical` or `TooLarge` first, and where the number of signatures is wrong no
/// signature is judged, so `WrongSigners` stands for `BadSig`.
///
/// # Errors
///
/// The first rule broken, or a store that cannot be read; the session is as it was.
pub fn apply_transaction(
    context: &Context<'_>,
    session: &mut Session<'_>,
    transaction: &Transaction,
    ids: &Ids,
    signatures: Signatures,
) -> Result<u64, Refusal<TransactionError>> {
    let core = &transaction.core;
    check_form(core, &context.chain_id)?;
    check_window(core, context.height)?;
    check_anchor(context, &BlockHash(core.anchor))?;

    let payer = session.account(transaction.payer)?;
    let step = transaction.nonce.saturating_sub(payer.nonce);
    if step == 0 || step > NONCE_STEP_MAX {
        let error = TransactionError::NonceGap { last: payer.nonce, got: transaction.nonce };
        return Err(error.into());
    }
    let least = fee_least(ids.bytes, transaction, new_entries(session, &core.body)?);
    let mut free = None;
    if transaction.fee < least {
        free = access::free(context, session, core, ids)?;
        if free.is_none() {
            return Err(TransactionError::FeeTooLow { least, got: transaction.fee }.into());
        }
    }
    if payer.balance < transaction.fee {
        let error =
            TransactionError::PayerCannotPay { balance: payer.balance, fee: transaction.fee };
        return Err(error.into());
    }
    check_signatures(transaction, ids, signatures)?;
    check_canonical(core)?;
    if let Some(accepted) = session.accepted_at(&ids.core)? {
        return Err(TransactionError::Duplicate(accepted).into());
    }
    let judged = match &core.body {
        Body::Pay(body) => {
            pay::check(context, session, transaction, body)?;
            access::Judged::Sound
        }
        Body::Move(body) => {
            goods::check(context, session, body)?;
            access::Judged::Sound
        }
        Body::Reading(body) => {
            reading::check(context, session, body)?;
            access::Judged::Sound
        }
        _ => access::check(context, session, ids, transaction)?,
    };

    // Everything holds: from here on only the store can fail.
    let balance = payer.balance - transaction.fee;
    let paid = Account { balance, nonce: transaction.nonce, ..payer };
    session.put_account(transaction.payer, paid)?;
    session.accept(ids.core);
    match &core.body {
        Body::Pay(body) => pay::apply(context, session, ids.core, body)?,
        Body::Move(body) => goods::apply(context, session, ids.core, body)?,
        Body::Reading(body) => reading::apply(context, session, ids.core, body)?,
        body => access::apply(context, session, ids.core, body, judged)?,
    }
    if let Some(free) = free {
        access::take_free(context, session, ids.core, &free)?;
    }
    Ok(transaction.fee)
}

/// The least fee: bytes, signatures, and entries that stay.
#[must_use]
pub fn fee_least(bytes: usize, transaction: &Transaction, new_entries: u64) -> u64 {
    // Sizes are bounded by the block, so nothing here comes near 64 bits.
    bytes as u64 * FEE_PER_BYTE
        + transaction.signature_count() as u64 * FEE_PER_SIGNATURE
        + new_entries * FEE_PER_STATE_ENTRY
}

/// Entries that a body adds to the state for longer than its core id is remembered.
///
/// # Errors
///
/// If the store cannot be read.
pub fn new_entries(session: &mut Session<'_>, body: &Body) -> Result<u64, StoreError> {
    match body {
        Body::Pay(pay) => pay::new_entries(session, pay),
        Body::Move(body) => Ok(goods::new_entries(body)),
        Body::Reading(reading) => reading::new_entries(session, reading),
        body => access::new_entries(session, body),
    }
}

/// Whether a block at `height` may hold the core.
///
/// # Errors
///
/// `NotYetValid` or `Expired`.
pub fn check_window(core: &Core, height: u32) -> Result<(), TransactionError> {
    if height < core.valid_from {
        return Err(TransactionError::NotYetValid { from: core.valid_from, height });
    }
    if height > core.valid_to {
        return Err(TransactionError::Expired { to: core.valid_to, height });
    }
    Ok(())
}

fn check_anchor(
    context: &Context<'_>,
    anchor: &BlockHash,
) -> Result<(), Refusal<TransactionError>> {
    if *anchor == BlockHash::ZERO || anchor_height(context, anchor)?.is_some() {
        Ok(())
    } else {
        Err(TransactionError::UnknownAnchor(*anchor).into())
    }
}

/// The height of a block that an anchor may name: one of the last 144 ancestors.
pub(super) fn anchor_height(
    context: &Context<'_>,
    anchor: &BlockHash,
) -> Result<Option<u32>, StoreError> {
    if *anchor == BlockHash::ZERO {
        return Ok(None);
    }
    let lowest = context.height.saturating_sub(ANCHOR_DEPTH_BLOCKS_MAX);
    let height = context.ancestors.height_of(anchor)?;
    Ok(height.filter(|height| (lowest..context.height).contains(height)))
}

pub(super) fn credit(session: &mut Session<'_>, key: PubKey, value: u64) -> Result<(), StoreError> {
    let account = session.account(key)?;
    let balance = account.balance.checked_add(value).ok_or_else(impossible)?;
    session.put_account(key, Account { balance, ..account })
}

/// All units together fit 64 bits (the specification is checked for it) and debits are checked before
/// they are applied, so only a store that holds something else than this chain's state gets here.
pub(super) fn impossible() -> StoreError {
    StoreError::Corrupt { what: "balances do not add up".into() }
}
