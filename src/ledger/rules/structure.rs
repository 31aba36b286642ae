//! Structure: is it well formed, whatever the chain holds?

use super::error::TransactionError;
use crate::ledger::transaction::{Body, CORE_VERSION, Core, VALIDITY_BLOCKS_MAX};

/// Version and chain: the first two names.
///
/// # Errors
///
/// `BadVersion` or `WrongChain`.
pub fn check_form(core: &Core, chain_id: &[u8; 4]) -> Result<(), TransactionError> {
    if core.version != CORE_VERSION {
        return Err(TransactionError::BadVersion(core.version));
    }
    if core.chain != *chain_id {
        return Err(TransactionError::WrongChain { expected: *chain_id, got: core.chain });
    }
    Ok(())
}

/// Fields that have more than one encoding of the same meaning must hold the canonical one.
///
/// # Errors
///
/// `NonCanonical`.
pub fn check_canonical(core: &Core) -> Result<(), TransactionError> {
    let window = core.valid_to.checked_sub(core.valid_from);
    if window.is_none_or(|blocks| blocks > VALIDITY_BLOCKS_MAX) {
        let what = format!(
            "valid from {} to {}, expected at most {VALIDITY_BLOCKS_MAX} blocks",
            core.valid_from, core.valid_to
        );
        return Err(TransactionError::NonCanonical(what));
    }
    let fault = match &core.body {
        Body::Pay(pay) => super::pay::fault(pay),
        Body::Move(body) => super::goods::form::fault(body),
        Body::Reading(reading) => super::reading::fault(reading),
        body => super::access::form::fault(body),
    };
    match fault {
        None => Ok(()),
        Some(what) => Err(TransactionError::NonCanonical(what.into())),
    }
}
