//! A second opinion: Bitcoin's arithmetic and header rules written again, apart from
//! [`crate::primitives`] and [`crate::consensus`], slow and plain, so that the two can be compared. It
//! takes a chain's figures from its specification and nothing else from there. For tests, not for use.

mod headers;
mod number;

pub use headers::{expected_bits, first_broken};
pub use number::{compact, expand, is_at_most, work};
