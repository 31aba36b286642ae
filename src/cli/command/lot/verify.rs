//! `proofward lot verify`: whether a package is what its code says, as far as a record can say so.

use std::time::Duration;

use serde::Serialize;

use super::code_named;
use super::trace::opens;
use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::settings::LookArgs;
use proofward::interop::travel;
use proofward::wallet::lot::tag_message;
use proofward::wallet::{PipeSigner, Purpose, Signer as _};
use proofward::words::{self, Checked};

/// As long as somebody needs to hold a package to a reader.
const TAG_TIMEOUT: Duration = Duration::from_secs(60);

/// Verify a package: its code opens a lot on the chain, nothing is recalled, and its own key answers
///
/// Exit code 1 if anything that was asked is not so. A code can be copied; a key in the package cannot be,
/// as far as its chip holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward lot verify CODE
  proofward lot verify CODE --tag 'nfc-sign --reader 0'

COMMAND is run by sh: it gets a line of JSON with key, message and purpose, has the package sign the
message, which holds the hash of the latest block, and answers {\"signature\":\"...\"}.")]
pub(super) struct Args {
    /// The code on the package
    code: String,
    /// Ask the key of the package, by COMMAND, to sign the hash of the latest block
    #[arg(long, value_name = "COMMAND")]
    tag: Option<String>,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct Verified {
    lot: String,
    valid: bool,
    opens: bool,
    recalled: bool,
    over: bool,
    tag: &'static str,
    why_not: Option<String>,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let code = code_named(&self.code)?;
        let desk = self.look.desk()?;
        let trace = desk.view().trace(&code.lot, &[], &travel::kilometres)?;
        let opens = opens(&code, &trace);
        let recalled = trace.origins.iter().any(|origin| origin.recalled.is_some());
        let over = trace.held.as_ref().is_none_or(|held| held.has_ended());
        let (tag, why_not) = match (&self.tag, code.tag) {
            (None, None) => (Checked::NoKey, None),
            (None, Some(_)) => (Checked::NotAsked, None),
            (Some(_), None) => (Checked::NoKey, Some("the code names no key to ask".to_owned())),
            (Some(command), Some(key)) => {
                let message = tag_message(&desk.chain.genesis, &desk.tip()?, &code.lot);
                let signer = PipeSigner::new(command.clone(), key, TAG_TIMEOUT);
                match signer.sign(&message, Purpose::LotTag) {
                    Ok(_) => (Checked::Answered, None),
                    Err(error) => (Checked::Silent, Some(error.to_string())),
                }
            }
        };
        let valid = opens && !recalled && !over && why_not.is_none();
        if self.look.format.is_json() {
            let (lot, tag) = (code.lot.to_string(), tag.name());
            json_line(&Verified { lot, valid, opens, recalled, over, tag, why_not })?;
        } else {
            let lang = self.look.lang();
            text_line(words::code_opens(lang, opens))?;
            for line in words::package(lang, recalled, over, tag) {
                text_line(line)?;
            }
            why_not.iter().try_for_each(|why| text_line(format!("  {why}")))?;
        }
        Ok(if valid { Outcome::Yes } else { Outcome::No })
    }
}
