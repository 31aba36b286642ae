//! Fuzz targets: each takes any bytes and panics if a fast path and a plain one disagree, or if decoding
//! does. They assert; they have no other result.

mod block;
#[cfg(feature = "ledger")]
mod bodies;
#[cfg(feature = "ledger")]
mod files;
#[cfg(feature = "interop")]
mod foreign;
mod headers;
mod kernels;
#[cfg(feature = "ledger")]
mod ledger;
#[cfg(feature = "ledger")]
mod mempool;
mod nbits;
#[cfg(feature = "ledger")]
mod policy;
#[cfg(feature = "net")]
mod rpc;
#[cfg(feature = "ledger")]
mod server_line;
#[cfg(feature = "ledger")]
mod signatures;
#[cfg(feature = "ledger")]
mod state_tree;
#[cfg(feature = "ledger")]
mod store;
#[cfg(feature = "net")]
mod stratum;
#[cfg(feature = "ledger")]
mod text;

pub use block::block;
#[cfg(feature = "ledger")]
pub use files::{budget_file, package, proof_file, record_file, settings_file, signer_answer};
#[cfg(feature = "interop")]
pub use foreign::{activity_file, geojson, lot_code};
pub use headers::headers;
pub use kernels::kernel_vs_scalar;
#[cfg(feature = "ledger")]
pub use ledger::{archive, ledger_block, state_apply, transaction, transaction_file};
#[cfg(feature = "ledger")]
pub use mempool::mempool;
pub use nbits::nbits;
#[cfg(feature = "ledger")]
pub use policy::{handout, policy_file, policy_leaf};
#[cfg(feature = "net")]
pub use rpc::rpc_body;
#[cfg(feature = "ledger")]
pub use server_line::server_line;
#[cfg(feature = "ledger")]
pub use signatures::signature_batch;
#[cfg(feature = "ledger")]
pub use state_tree::{tree_decode, tree_update};
#[cfg(feature = "ledger")]
pub use store::store_open;
#[cfg(feature = "net")]
pub use stratum::stratum_line;
#[cfg(feature = "ledger")]
pub use text::{address, key_file};

/// A target: what it is called under `fuzz/`, and what it runs.
pub type Named = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: &[Named] = &[
    #[cfg(feature = "interop")]
    ("activity_file", activity_file),
    #[cfg(feature = "ledger")]
    ("address", address),
    #[cfg(feature = "ledger")]
    ("archive", archive),
    ("block", block),
    #[cfg(feature = "ledger")]
    ("budget_file", budget_file),
    #[cfg(feature = "interop")]
    ("geojson", geojson),
    #[cfg(feature = "ledger")]
    ("handout", handout),
    ("headers", headers),
    ("kernel_vs_scalar", kernel_vs_scalar),
    #[cfg(feature = "ledger")]
    ("key_file", key_file),
    #[cfg(feature = "ledger")]
    ("ledger_block", ledger_block),
    #[cfg(feature = "interop")]
    ("lot_code", lot_code),
    #[cfg(feature = "ledger")]
    ("mempool", mempool),
    ("nbits", nbits),
    #[cfg(feature = "ledger")]
    ("package", package),
    #[cfg(feature = "ledger")]
    ("policy_file", policy_file),
    #[cfg(feature = "ledger")]
    ("policy_leaf", policy_leaf),
    #[cfg(feature = "ledger")]
    ("proof_file", proof_file),
    #[cfg(feature = "ledger")]
    ("record_file", record_file),
    #[cfg(feature = "net")]
    ("rpc_body", rpc_body),
    #[cfg(feature = "ledger")]
    ("server_line", server_line),
    #[cfg(feature = "ledger")]
    ("settings_file", settings_file),
    #[cfg(feature = "ledger")]
    ("signature_batch", signature_batch),
    #[cfg(feature = "ledger")]
    ("signer_answer", signer_answer),
    #[cfg(feature = "ledger")]
    ("state_apply", state_apply),
    #[cfg(feature = "net")]
    ("stratum_line", stratum_line),
    #[cfg(feature = "ledger")]
    ("store_open", store_open),
    #[cfg(feature = "ledger")]
    ("transaction", transaction),
    #[cfg(feature = "ledger")]
    ("transaction_file", transaction_file),
    #[cfg(feature = "ledger")]
    ("tree_decode", tree_decode),
    #[cfg(feature = "ledger")]
    ("tree_update", tree_update),
];
