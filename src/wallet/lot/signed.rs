//! A signed move in a transaction file: evidence as soon as who acts has signed, whoever else has not.

use crate::ledger::goods::SignedMove;
use crate::ledger::transaction::Body;
use crate::wallet::TransactionFile;

/// The move of a file, if everybody who acts in it has signed.
#[must_use]
pub fn signed_move(file: &TransactionFile) -> Option<SignedMove> {
    let core = &file.unsigned().core;
    let Body::Move(body) = &core.body else { return None };
    let missing = file.missing();
    let has_signed = body.by.signers().iter().all(|key| !missing.contains(key));
    has_signed.then(|| SignedMove {
        core: file.ids().core,
        valid_to: core.valid_to,
        body: body.clone(),
    })
}
