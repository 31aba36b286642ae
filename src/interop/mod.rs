//! Other people's formats, in and out. It uses the public face of the ledger and decides nothing about
//! validity; the ledger never imports it.

pub mod activity;
pub mod place;
pub mod travel;
