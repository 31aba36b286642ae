//! The calls that miners and pools make around `getblocktemplate`: HTTP, basic authentication, JSON-RPC
//! in the manner of Bitcoin Core, batches included. It decides nothing; it asks the
//! [`Handle`](crate::node::handle::Handle).
//!
//! | file | what | not |
//! |---|---|---|
//! | [`server`] | heads, bodies, deadlines, statuses of HTTP | what a call means |
//! | [`auth`] | who may call | |
//! | [`json`], [`envelope`], [`params`] | calls read, answers written | |
//! | [`methods`] | the table of methods | |
//! | `mining`, `chain`, `pending` | what they do | |
//! | [`templates`] | what was handed out to miners | |
//! | [`shares`] | what is worth something and is no block | |
//! | `watched` | numbers for those who watch | |
//!
//! A reject is an answer with status 200: minerd sends a block again for ever on any other. 401 means
//! wrong credentials, 403 a browser, 413 and 415 a body that is none of ours.

pub mod auth;
mod chain;
pub mod context;
pub mod envelope;
pub mod json;
pub mod methods;
mod mining;
pub mod params;
mod pending;
pub mod server;
pub mod shares;
pub mod templates;
mod watched;
