//! What a body does, on a line: what somebody reads before they sign.

use crate::cli::settings::tokens;
use proofward::ledger::policy::RoleRef;
use proofward::ledger::transaction::attest::{Claim, Withdrawn};
use proofward::ledger::transaction::lot::Step;
use proofward::ledger::transaction::pay::LoanTerms;
use proofward::ledger::transaction::{
    Approve, Attest, Body, CoreId, Grant, LotId, Move, Pay, PayKind, Record, Request,
};

/// What a body does. A kind without words of its own is shown field by field.
pub(super) fn deed(body: &Body) -> String {
    match body {
        Body::Pay(pay) => paid(pay),
        Body::Move(body) => moved(body),
        Body::Attest(attest) => attested(attest),
        Body::Record(record) => announced(record),
        Body::Grant(grant) => granted(grant),
        Body::Request(request) => asked(request),
        Body::Approve(approve) => agreed(approve),
        Body::Receipt(receipt) => {
            format!("says of request {}: {:?}", hex::encode(receipt.request), receipt.outcome)
        }
        other => format!("{other:?}"),
    }
}

fn paid(Pay { from, to, amount, kind }: &Pay) -> String {
    let units = tokens(*amount);
    let agreed = |terms: &LoanTerms| {
        format!("against {} until block {}", tokens(terms.total_owed), terms.due_h)
    };
    match kind {
        PayKind::LoanOffer(terms) => {
            format!("announces that {from} would lend {to} {units} tokens {}", agreed(terms))
        }
        PayKind::Loan(terms) => {
            format!("lends {units} tokens from {from} to {to} {}", agreed(terms))
        }
        PayKind::Repay { debt } => {
            format!("repays {units} tokens of the debt {} by {from}", CoreId(*debt))
        }
        PayKind::Assign { debt } => {
            format!("hands the claim on the debt {} from {from} to {to}", CoreId(*debt))
        }
        _ => format!("pays {units} tokens from {from} to {to}"),
    }
}

fn moved(body: &Move) -> String {
    let list = |lots: &[LotId]| lots.iter().map(LotId::to_string).collect::<Vec<_>>().join(", ");
    let lots = match &body.step {
        Step::Make { quantity, inputs, .. } if inputs.is_empty() => {
            format!("{quantity} of a class")
        }
        Step::Make { quantity, inputs, .. } => format!("{quantity} out of {}", list(inputs)),
        Step::Ship { lot, to } => format!("{lot} to {to}"),
        Step::Recall { made } => made.to_string(),
        step if step.outputs().is_empty() => list(step.lots()),
        step => format!("{} into {:?}", list(step.lots()), step.outputs()),
    };
    let (step, by, witnesses) = (body.step.name(), body.by.id(), body.witnesses.len());
    format!("goods: {step} {lots}, by {by}, {witnesses} witnesses")
}

fn granted(Grant { rid, seq, policy_root, not_before_h, .. }: &Grant) -> String {
    if *policy_root == [0; 32] {
        return format!("revokes every policy of record {rid}, as number {seq}");
    }
    let root = hex::encode(policy_root);
    format!("puts policy {seq} of record {rid} in force from height {not_before_h}: {root}")
}

fn attested(attest: &Attest) -> String {
    let (issuer, subject) = (attest.issuer.id(), attest.subject.id());
    let claim = match &attest.claim {
        Claim::Withdrawal(Withdrawn::Claim(core)) => {
            return format!("{issuer} withdraws claim {}", hex::encode(core));
        }
        Claim::Withdrawal(Withdrawn::Model { model, .. }) => {
            return format!("{issuer} withdraws device model {}", hex::encode(model));
        }
        Claim::Role { role, site: None } => role.name().to_owned(),
        Claim::Role { role, site: Some(site) } => format!("{} at {site}", role.name()),
        Claim::Site(cells) => format!("a site of {} cells", cells.len()),
        Claim::Beacon { site } => format!("a beacon of {site}"),
        claim => format!("{claim:?}"),
    };
    let (from, to) = (attest.from_h, attest.to_h);
    format!("{issuer} says of {subject}: {claim}, from height {from} to {to}")
}

fn announced(record: &Record) -> String {
    let sets = record.share_sets.iter().map(|set| format!("{} of {}", set.k, set.n));
    let sets: Vec<String> = sets.collect();
    let prev = record.prev.as_ref();
    let prev = prev.map_or(String::new(), |prev| format!(" in the place of {}", prev.rid));
    format!(
        "announces record {}{prev}, epoch {}, owned by {}, guardians {}",
        record.rid,
        record.epoch,
        record.owners.id(),
        sets.join(" and ")
    )
}

fn asked(request: &Request) -> String {
    let role =
        request.role.as_ref().map_or_else(|| "in no role".to_owned(), |shown| named(&shown.role));
    format!(
        "{} asks to read record {} for {}, {role}, under leaf {}",
        request.reader,
        request.rid,
        request.purpose.name(),
        hex::encode(request.leaf.hash())
    )
}

fn agreed(approve: &Approve) -> String {
    let people = approve.approvers.iter().map(|approver| {
        let guards = approver.guardian.as_ref();
        let guards = guards.map_or(String::new(), |at| format!(", guardian {}", at.path.index));
        format!("{} ({}{guards})", approver.key, named(&approver.role))
    });
    let people: Vec<String> = people.collect();
    format!("approve request {}: {}", hex::encode(approve.request), people.join("; "))
}

fn named(role: &RoleRef) -> String {
    format!("as {} of {}", role.role.name(), role.issuer)
}
