//! The names of broken rules of `Move`, in the order of the checks.

use crate::ledger::rules::names::names;
use crate::ledger::transaction::LotId;

/// Rules of `Move`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// Who makes holds no live maker's claim; or who recalls is not the maker, nor above its claim.
    #[error("not a maker with a live claim, or not the maker of that lot nor above its claim")]
    NotMaker,
    /// The maker has used this name before.
    #[error("lot {0} was made before")]
    LotExists(LotId),
    /// Who acts does not hold the lot, or there is none.
    #[error("lot {0} is not held by who acts")]
    NotHolder(LotId),
    /// The lot is on its way.
    #[error("lot {0} is on its way")]
    InTransit(LotId),
    /// The lot is not on its way to who acts, who may not take it back yet either.
    #[error("lot {0} is not on its way to who acts")]
    NotAddressee(LotId),
    /// A lot needs more witnesses, or one of them is dead, counted twice, giver, receiver or maker.
    #[error("{counted} witnesses count, expected {needed}")]
    TooFewWitnesses {
        /// As many as the lots need, and as are named.
        needed: usize,
        /// Those that are live, distinct and not concerned.
        counted: usize,
    },
    /// The presence is not of who acts, now, by a live beacon of the site.
    #[error("the presence is not of who acts, now, by a live beacon of the site")]
    NoPresence,
    /// More or less comes out than went in.
    #[error("{outputs} come out of {inputs}: what is gone is destroyed, and nothing is created")]
    QuantityCreated {
        /// What went in.
        inputs: u128,
        /// What comes out.
        outputs: u128,
    },
    /// The inputs are of several classes.
    #[error("lots of several classes, which only a make may join")]
    ClassMixed,
    /// An origin was recalled: the lot may only go to the maker of one, or be destroyed.
    #[error("lot {0} is recalled: it goes to the maker of an origin, or is destroyed")]
    Recalled(LotId),
    /// The lot was dispensed or destroyed.
    #[error("lot {0} was dispensed or destroyed")]
    Destroyed(LotId),
    /// More Makes stand behind the lot than it may keep.
    #[error("{0} origins, at most 16")]
    TooManyOrigins(usize),
}

names! {
    MoveError: NotMaker LotExists NotHolder InTransit NotAddressee TooFewWitnesses NoPresence
        QuantityCreated ClassMixed Recalled Destroyed TooManyOrigins;
}
