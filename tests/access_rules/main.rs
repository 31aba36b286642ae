//! The rules of the six bodies about access: for every named one the smallest body that breaks exactly it,
//! beside its nearest valid neighbour. [`SHOWN`] says which test shows which rule; that the list is
//! complete, and that those tests do what it says, is itself a test.
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "../common/access.rs"]
mod access;
#[path = "../common/ledger.rs"]
mod ledger;
#[path = "../common/opening.rs"]
mod opening;

mod approve;
mod attest;
mod emergency;
mod receipt;
mod record;
mod request;

use proofward::ledger::rules::access::{
    ApproveError, AttestError, GrantError, ReceiptError, RecordError, RequestError,
};

/// The names of a body's rules in the order of the checks, each with the test that shows it.
type Shown = (&'static str, &'static [&'static str], &'static [(&'static str, fn())]);

const SHOWN: &[Shown] = &[
    (
        "Attest",
        AttestError::NAMES,
        &[
            (
                "NotAllowedToIssue",
                attest::not_allowed_to_issue_without_a_claim_that_carries_the_set,
            ),
            ("ChainTooDeep", attest::chain_too_deep_beyond_three_claims),
            (
                "IssuerNotLive",
                attest::issuer_not_live_before_after_and_when_withdrawn_at_any_step,
            ),
            (
                "DuplicateSubject",
                attest::duplicate_subject_for_a_tag_of_another_key_and_a_second_tag_of_a_key,
            ),
            ("WindowEmpty", attest::window_empty),
            ("CheckpointOffGrid", attest::checkpoints),
            ("CheckpointTooShallow", attest::checkpoints),
            ("CheckpointNotAncestor", attest::checkpoints),
            ("CheckpointPrevious", attest::checkpoints),
        ],
    ),
    (
        "Record",
        RecordError::NAMES,
        &[
            ("RidUsed", record::rid_used),
            ("BadThreshold", record::bad_threshold),
            ("EpochNotNext", record::epoch_not_next_and_not_owner_of_the_record_before),
            ("NotOwner", record::epoch_not_next_and_not_owner_of_the_record_before),
        ],
    ),
    (
        "Grant",
        GrantError::NAMES,
        &[
            ("StaleSeq", record::stale_seq_at_both_sides),
            ("NotOwner", record::not_owner_of_the_record),
            ("RecordRetired", record::record_retired_when_its_successor_begins_and_not_before),
            ("TooSoon", record::too_soon_and_a_policy_begins_at_its_height),
        ],
    ),
    (
        "Request",
        RequestError::NAMES,
        &[
            ("UnknownRecord", request::unknown_record),
            ("StaleSeq", request::stale_seq_and_a_revoked_or_retired_policy),
            ("BranchNotInPolicy", request::branch_not_in_policy),
            ("TooManyOpen", request::too_many_open_until_the_time_to_answer_is_over),
            ("TooManyRefused", request::too_many_refused_meets_only_what_would_be_refused),
            (
                "RoleNotHeld",
                request::role_not_held_ever_but_a_role_that_ended_is_enough_to_be_refused,
            ),
        ],
    ),
    (
        "Approve",
        ApproveError::NAMES,
        &[
            ("NotPending", approve::not_pending_unknown_refused_answered_or_dead),
            ("Late", approve::late_one_block_after_the_time_to_answer),
            (
                "NotGuardian",
                approve::not_guardian_by_salt_path_index_set_refusal_or_a_role_that_nobody_asked_for,
            ),
            (
                "DuplicateApprover",
                approve::duplicate_approver_in_one_transaction_and_in_two,
            ),
            ("SamePerson", approve::same_person_in_two_roles_counts_for_neither_when_it_reads),
            ("RoleRevoked", approve::role_revoked_between_request_and_approval),
            ("NoPresence", approve::no_presence_where_the_leaf_asks_for_one_round),
            ("Insufficient", approve::insufficient_price_or_limit_and_the_price_is_paid_once),
        ],
    ),
    (
        "Receipt",
        ReceiptError::NAMES,
        &[
            ("TooLateToVeto", receipt::too_late_to_veto_at_the_height_at_which_it_opens),
            ("UnknownRequest", receipt::unknown_request),
            ("NotParty", receipt::not_party_for_every_outcome),
            ("NotOpen", receipt::not_open_before_and_blob_mismatch),
            ("BlobMismatch", receipt::not_open_before_and_blob_mismatch),
        ],
    ),
];

/// The bodies that blocks of these tests took, and the rules by which others were refused, are noted; each
/// test of the list has to break its rule and then to have a body of the same kind taken.
#[test]
fn every_named_rule_is_shown_beside_a_valid_neighbour() {
    for (body, names, tests) in SHOWN {
        let listed: Vec<&str> = tests.iter().map(|(rule, _)| *rule).collect();
        assert_eq!(listed, *names, "the rules of {body}");
        for (rule, test) in *tests {
            access::judged();
            test();
            let judged = access::judged();
            let broken = judged.iter().position(|judged| *judged == (*body, Err(*rule)));
            let after =
                &judged[broken.unwrap_or_else(|| panic!("nothing breaks {rule} of {body}"))..];
            assert!(after.contains(&(*body, Ok(()))), "{rule} of {body} has no valid neighbour");
        }
    }
}
