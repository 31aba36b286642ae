//! The ideas for tests that follow from the rules of the ledger, and where each is carried out. An idea
//! of which nothing stands in another file is carried out here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::access::*;
use crate::ledger::NOW;
use crate::opening::*;
use proofward::ledger::policy::Place;
use proofward::ledger::state::{Account, EntryKey, RequestStatus};
use proofward::ledger::transaction::{Body, Core, Transaction};

/// An idea, and the tests that carry it out: `file::function`.
type Idea = (&'static str, &'static [&'static str]);

const IDEAS: &[Idea] = &[
    (
        "each error name: one minimal transaction that triggers exactly it, and its nearest valid \
         neighbour",
        &[
            "access_rules/main::every_named_rule_is_shown_beside_a_valid_neighbour",
            "ledger_rules::bad_version",
            "ledger_rules::wrong_chain",
            "ledger_rules::not_yet_valid_and_expired_at_both_ends_of_the_window",
            "ledger_rules::unknown_anchor",
            "ledger_rules::nonce_gap_at_both_ends_and_without_wrapping",
            "ledger_rules::fee_too_low_counts_bytes_signatures_and_new_entries",
            "ledger_rules::payer_cannot_pay",
            "ledger_rules::bad_key_in_a_field_that_does_not_sign",
            "ledger_rules::bad_sig_names_no_other_rule_and_moves_nothing",
            "ledger_rules::wrong_signers_one_too_many_or_too_few",
            "ledger_rules::too_large_and_non_canonical_bytes",
            "ledger_rules::duplicate_core_under_another_nonce_or_sponsor",
        ],
    ),
    (
        "permuting approvals in a block gives the same state",
        &["access_rules/approve::the_order_of_approvals_in_a_block_changes_nothing_but_the_log"],
    ),
    (
        "open reached, then unwound: pending again, and the guardians' rule of depth holds",
        &[
            "access_rules/approve::a_reorganisation_makes_an_open_request_pending_again",
            "lessons/guardian::what_a_reorganisation_drops_is_submitted_again_and_waits_again",
        ],
    ),
    (
        "a flipped bit in a stored block is found, with height and index of the transaction",
        &["ledger_chain::a_stored_chain_replays_and_one_changed_bit_is_named"],
    ),
    (
        "k - 1 shares: their bytes are uniform, zero too",
        &[
            "custody::one_share_of_two_leaves_every_secret_equally_likely",
            "custody::the_bytes_of_shares_say_nothing",
        ],
    ),
    (
        "boundary times: one before the window, its ends, one after; W and W + 1",
        &[
            "access_rules/request::clause_3_outside_the_window",
            "policy::windows_begin_with_their_first_second_and_end_before_their_last",
            "access_rules/approve::together_within_the_window_and_one_block_late",
            "access_rules/record::a_wait_is_judged_at_its_boundaries",
        ],
    ),
    (
        "one person in two roles; two keys of one tag",
        &[
            "access_rules/approve::same_person_in_two_roles_counts_for_neither_when_it_reads",
            "access_rules/attest::duplicate_subject_for_a_tag_of_another_key_and_a_second_tag_of_a_key",
            "blast_radius/main::one_key_is_not_two_people",
        ],
    ),
    (
        "a licence withdrawn between request and approval, a beacon withdrawn in the window",
        &[
            "access_rules/approve::role_revoked_between_request_and_approval",
            "access_rules/approve::the_readers_licence_withdrawn_between_request_approval_and_reading",
            "access_rules/approve::a_beacon_withdrawn_while_the_record_is_open",
        ],
    ),
    (
        "a grant in the same block, before or after the approval or the request",
        &[
            "access_rules/approve::a_revocation_in_the_same_block_before_or_after",
            "access_rules/request::a38_the_order_in_a_block_decides_between_revoking_and_using",
        ],
    ),
    ("a payer whom nobody asked", &["lessons/others::nobody_acts_or_pays_in_anothers_name"]),
    (
        "a sponsor's nonce after a reorganisation",
        &[
            "lessons/ideas::a_core_finds_another_sponsor_after_a_reorganisation_without_new_signatures",
        ],
    ),
    (
        "a share asked for before the time to veto ends",
        &[
            "lessons/guardian::no_share_is_sent_before_the_owners_time_to_object_is_over",
            "access_rules/receipt::too_late_to_veto_at_the_height_at_which_it_opens",
        ],
    ),
    (
        "of two contradictory moves the second is NotHolder",
        &["goods/order::moves_in_one_block_are_judged_one_after_another"],
    ),
    (
        "a loan without the borrower's signature; repaying too much",
        &[
            "loans_and_readings/loans::both_sign_a_loan_and_whoever_relays_it_can_alter_nothing",
            "loans_and_readings/loans::over_repay",
        ],
    ),
    (
        "readings that overlap by a second; 25 hours of wear in a day",
        &[
            "loans_and_readings/readings::overlap_by_a_second",
            "loans_and_readings/readings::implausible",
        ],
    ),
];

/// A test that is renamed or lost is missed here.
#[test]
fn every_idea_is_carried_out_by_tests_that_there_are() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut seen = BTreeSet::new();
    for (idea, of) in IDEAS {
        assert!(!of.is_empty(), "{idea}");
        for test in *of {
            let (file, function) = test.split_once("::").unwrap();
            let text = fs::read_to_string(tests.join(format!("{file}.rs")));
            let text = text.unwrap_or_else(|error| panic!("{idea}: {file}.rs: {error}"));
            let is_test = ["", "pub(super) ", "pub(crate) "]
                .iter()
                .any(|of| text.contains(&format!("#[test]\n{of}fn {function}() {{")));
            assert!(is_test, "{idea}: no test {test}");
            assert!(seen.insert(test), "{test} twice");
        }
    }
}

/// The same core, with the signatures of those who signed its body, under another payer.
fn sponsored(world: &mut World, core: &Core, payer: u32, nonce: u64) -> Transaction {
    let payer = world.key(payer);
    let transaction =
        Transaction { core: core.clone(), payer, nonce, fee: 400_000, sigs: Vec::new() };
    world.signed(transaction)
}

#[test]
fn a_core_finds_another_sponsor_after_a_reorganisation_without_new_signatures() {
    const SPONSORS: [u32; 2] = [800, 801];
    let founded = || {
        let mut opening = Opening::with(|draft| draft.places = vec![Place::Anywhere]);
        for sponsor in SPONSORS {
            let key = opening.key(sponsor);
            opening.give(key, 10_000_000);
        }
        opening
    };
    let (mut opening, mut other) = (founded(), founded());
    let world = &mut opening.world;
    let nonce = |world: &World, number: u32| {
        let key = crate::ledger::Key::new(number).public();
        world.entry::<Account>(&EntryKey::Account(key)).unwrap().nonce
    };
    let body = world.request(&opening.policed, DOCTOR, None);
    let core = world.core(Body::Request(Box::new(body)));
    let first = sponsored(world, &core, SPONSORS[0], 1);
    world.mine(vec![first.clone()]).unwrap();
    assert_eq!(nonce(world, SPONSORS[0]), 1);
    // On the branch that wins, the first sponsor has paid for something else under the same nonce.
    let elsewhere = other.world.record_of(990, PATIENT);
    let elsewhere = other.world.core(Body::Record(elsewhere));
    let elsewhere = sponsored(&mut other.world, &elsewhere, SPONSORS[0], 1);
    other.world.mine(vec![elsewhere]).unwrap();
    let base = other.world.blocks.len() - 1;
    other.world.wait(2);
    for block in &other.world.blocks[base..] {
        world.ledger.submit(block, NOW).unwrap();
    }
    assert_eq!(world.tip(), other.world.tip());

    // As it was it can no longer be mined; under the next nonce or by another sponsor it can, and those
    // who signed the body do not sign again.
    assert_eq!(world.mine(vec![first.clone()]), Err(("NonceGap", 1)));
    for (payer, nonce) in [(SPONSORS[0], 2), (SPONSORS[1], 1)] {
        assert_eq!(sponsored(world, &core, payer, nonce).sigs[1..], first.sigs[1..]);
    }
    let again = sponsored(world, &core, SPONSORS[1], 1);
    world.mine(vec![again]).unwrap();
    let held = opening.held(core.id(&opening.world.ledger.chain().genesis));
    assert_eq!(held.status, RequestStatus::Pending);
    // The first sponsor's nonce was not used up by what others paid for; the core is.
    assert_eq!(nonce(&opening.world, SPONSORS[0]), 1);
    let twice = sponsored(&mut opening.world, &core, SPONSORS[0], 2);
    assert_eq!(opening.world.mine(vec![twice]), Err(("Duplicate", 1)));
}
