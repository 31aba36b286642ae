//! `proofward proof check`: a proof against headers, a block hash or a state root that one trusts.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::settings::tokens;
use proofward::ledger::coinbase::Payout;
use proofward::ledger::state::{Account, EntryKey};
use proofward::ledger::transaction::CoreId;
use proofward::node::proof_file::{PROOF_FILE_BYTES_MAX, ProofFile, ProofShown, Proved};
use proofward::primitives::{BlockHash, Header, HeaderBytes};

/// Check a proof against what you trust
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The proof; - for standard input
    file: PathBuf,
    /// The headers of the chain, 80 bytes each, from genesis
    #[arg(long, value_name = "FILE")]
    headers: Option<PathBuf>,
    /// The hash of the block that the proof ends at
    #[arg(long, value_name = "HASH")]
    block: Option<BlockHash>,
    /// The state root, 64 hex digits
    #[arg(long, value_name = "ROOT")]
    root: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Checked {
    valid: bool,
    shows: Option<String>,
    present: Option<bool>,
    height: Option<u32>,
    block: Option<String>,
    root: Option<String>,
    why: Option<String>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        if self.headers.is_none() && self.block.is_none() && self.root.is_none() {
            bail!(
                "a proof shows nothing by itself: give --headers, --block or --root that you trust"
            );
        }
        let name = || self.file.display().to_string();
        let most = PROOF_FILE_BYTES_MAX as u64 + 1;
        let mut text = Vec::new();
        if self.file == Path::new("-") {
            io::stdin().lock().take(most).read_to_end(&mut text).with_context(name)?;
        } else {
            let file = File::open(&self.file).with_context(name)?;
            file.take(most).read_to_end(&mut text).with_context(name)?;
        }
        let proof = ProofFile::parse(&text).with_context(name)?;
        let judged = match proof.check() {
            Ok(shown) => self.compare(&proof, &shown)?.map_or(Ok(shown), Err),
            Err(error) => Err(error.to_string()),
        };
        let checked = match judged {
            Ok(shown) => {
                let (shows, present) = describe(&proof, &shown);
                Checked {
                    valid: true,
                    shows: Some(shows),
                    present: Some(present),
                    height: Some(shown.height),
                    block: Some(shown.block.to_string()),
                    root: Some(shown.root.to_string()),
                    why: None,
                }
            }
            Err(why) => Checked {
                valid: false,
                shows: None,
                present: None,
                height: None,
                block: None,
                root: None,
                why: Some(why),
            },
        };
        self.print(&checked)?;
        Ok(if checked.valid { Outcome::Yes } else { Outcome::No })
    }

    /// Why the proof does not end at what is trusted, if so.
    fn compare(&self, proof: &ProofFile, shown: &ProofShown) -> anyhow::Result<Option<String>> {
        if let Some(block) = self.block
            && block != shown.block
        {
            return Ok(Some(format!("it ends at block {}, expected {block}", shown.block)));
        }
        if let Some(root) = &self.root
            && !root.eq_ignore_ascii_case(&shown.root.to_string())
        {
            return Ok(Some(format!("it ends at state root {}, expected {root}", shown.root)));
        }
        let Some(path) = &self.headers else { return Ok(None) };
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        let (headers, rest) = bytes.as_chunks::<80>();
        if headers.is_empty() || !rest.is_empty() {
            bail!("{}: {} bytes, expected headers of 80", path.display(), bytes.len());
        }
        Ok(find(proof, headers, shown))
    }

    fn print(&self, checked: &Checked) -> anyhow::Result<()> {
        if self.format.is_json() {
            return json_line(checked);
        }
        match checked {
            Checked { shows: Some(shows), height: Some(height), block: Some(block), .. } => {
                text_line(format!("valid: {shows}"))?;
                text_line(format!("by block {height}, {block}"))
            }
            _ => text_line(format!("invalid: {}", checked.why.as_deref().unwrap_or_default())),
        }
    }
}

/// Why the block is not the one at its height in these headers, if so.
fn find(proof: &ProofFile, headers: &[HeaderBytes], shown: &ProofShown) -> Option<String> {
    let mut hash = BlockHash::ZERO;
    for (height, header) in (0u32..).zip(headers) {
        let header = Header::decode(header);
        if header.prev_block != hash {
            return Some(format!("header {height} does not follow the one before"));
        }
        hash = proof.spec.hash_header(&header);
        if height == 0 && hash != proof.spec.genesis_hash() {
            return Some(format!("the headers begin with {hash}, the proof's chain with another"));
        }
        if height == shown.height {
            let theirs = shown.block;
            return (hash != theirs).then(|| {
                format!("block {height} is {hash} in the headers, {theirs} in the proof")
            });
        }
    }
    Some(format!("the headers end before block {}", shown.height))
}

/// What is shown, in words, and whether it is there.
fn describe(proof: &ProofFile, shown: &ProofShown) -> (String, bool) {
    let evidence = match &proof.proved {
        Proved::Entry(evidence) => evidence,
        _ => {
            let id = shown.transaction.map_or(String::new(), |id| id.to_string());
            return (format!("transaction {id} is in block {}", shown.height), true);
        }
    };
    let after = shown.height.saturating_sub(1);
    let key = EntryKey::decode(&evidence.key);
    let Some(value) = &evidence.value else {
        let what = match key {
            Some(EntryKey::Account(key)) => format!("{key} owned nothing"),
            Some(EntryKey::Accepted(height)) => format!("block {height} had accepted no core"),
            _ => format!("there was no entry {}", hex::encode(&evidence.key)),
        };
        return (format!("{what}, after block {after}"), false);
    };
    let what = match key {
        Some(EntryKey::Account(key)) => match borsh::from_slice::<Account>(value) {
            Ok(account) => format!("{key} owned {} tokens", tokens(account.balance)),
            Err(_) => format!("account {key} was {}", hex::encode(value)),
        },
        Some(EntryKey::Accepted(height)) => {
            let cores: Vec<CoreId> = borsh::from_slice(value).unwrap_or_default();
            let cores: Vec<String> = cores.iter().map(ToString::to_string).collect();
            format!("block {height} had accepted the cores {}", cores.join(" "))
        }
        Some(EntryKey::Maturing(height)) => {
            let payouts: Vec<Payout> = borsh::from_slice(value).unwrap_or_default();
            let units = payouts.iter().fold(0u64, |sum, payout| sum.saturating_add(payout.value));
            format!("block {height} had {} tokens maturing", tokens(units))
        }
        _ => format!("entry {} was {}", hex::encode(&evidence.key), hex::encode(value)),
    };
    (format!("{what}, after block {after}"), true)
}
