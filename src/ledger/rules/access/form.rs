//! Whether the fields of a body about access hold the one form that they can have, whatever the state.

use crate::ledger::transaction::attest::Claim;
use crate::ledger::transaction::{Approve, Attest, Body, Grant, Party, Receipt, Record};

/// What is not canonical, if anything.
pub(in crate::ledger::rules) fn fault(body: &Body) -> Option<&'static str> {
    match body {
        // Judged with their own kind.
        Body::Pay(_) | Body::Move(_) | Body::Reading(_) => None,
        Body::Attest(attest) => attest_fault(attest),
        Body::Record(record) => record_fault(record),
        Body::Grant(grant) => grant_fault(grant),
        // Every field of a request is one value; its lists are judged with the policy.
        Body::Request(_) => None,
        Body::Approve(approve) => approve_fault(approve),
        Body::Receipt(Receipt { by, .. }) => by.fault(),
    }
}

fn attest_fault(attest: &Attest) -> Option<&'static str> {
    let parties = attest.issuer.fault().or_else(|| attest.subject.fault());
    let why = match &attest.claim {
        Claim::Checkpoint(checkpoint) => {
            let canonical = attest
                .witness()
                .map(|witness| Attest::checkpoint(witness, checkpoint.at, checkpoint.previous));
            (Some(attest) != canonical.as_ref())
                .then_some("a field that a checkpoint does not use is set")
        }
        Claim::Withdrawal(withdrawn) => {
            let canonical = Attest::withdrawal(attest.issuer.clone(), *withdrawn, attest.evidence);
            (*attest != canonical).then_some("a field that a withdrawal does not use is set")
        }
        Claim::Issuer(set) => (!set.is_canonical()).then_some("not a set of claims and roles"),
        Claim::Site(cells) => {
            let ascend =
                cells.is_sorted_by(|a, b| a < b) && cells.iter().all(|cell| cell.is_valid());
            (cells.is_empty() || !ascend).then_some("a site has cells, ascending")
        }
        Claim::Role { .. } => {
            let is_person =
                attest.subject_tag != [0; 16] && matches!(attest.subject, Party::Key(_));
            (!is_person).then_some("a role is a person's, who has a key and a tag")
        }
        Claim::Emergency { site } => {
            (*site != attest.subject.id()).then_some("an emergency claim is about the site itself")
        }
        Claim::Anchor
        | Claim::Beacon { .. }
        | Claim::Custodian
        | Claim::Device { .. }
        | Claim::Maker
        | Claim::Auditor => None,
    };
    parties.or(why)
}

fn record_fault(record: &Record) -> Option<&'static str> {
    let parties = record.prev.iter().map(|prev| &prev.owners).chain([&record.owners]);
    let sets = record.share_sets.is_empty().then_some("a record has a share set");
    let delay = (record.grant_delay == 0).then_some("a grant delay is at least 1");
    parties.into_iter().find_map(Party::fault).or(sets).or(delay)
}

fn grant_fault(grant: &Grant) -> Option<&'static str> {
    let revokes = grant.policy_root == [0; 32];
    let height = (revokes && grant.not_before_h != 0).then_some("a revocation does not wait");
    grant.owners.fault().or(height)
}

fn approve_fault(approve: &Approve) -> Option<&'static str> {
    let blank = approve
        .approvers
        .iter()
        .any(|approver| approver.guardian.is_none() && approver.release != [0; 32]);
    if approve.approvers.is_empty() {
        Some("nobody approves")
    } else {
        blank.then_some("only a guardian releases")
    }
}
