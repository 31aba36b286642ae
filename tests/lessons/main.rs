//! What other systems got wrong, each defect as a test that this one does not have it; and the ideas for
//! tests that follow from the rules of the ledger, each with the tests that carry it out ([`ideas`]).
#![allow(clippy::unwrap_used, reason = "a helper of tests fails the test")]

#[path = "../common/access.rs"]
mod access;
#[path = "../common/ledger.rs"]
mod ledger;
#[path = "../common/opening.rs"]
mod opening;

mod guardian;
mod ideas;
mod others;
mod trace;
