//! `proofward explain`: why a request is or is not open, in words.

use serde::Serialize;

use super::{Scene, parse_request, print_lines, words};
use crate::cli::exit::Outcome;
use crate::cli::output::json_line;
use crate::cli::settings::LookArgs;
use proofward::ledger::transaction::CoreId;
use proofward::words;

/// Say why a request is or is not open: what holds, what fails first, what would help
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward explain REQUEST
  proofward explain REQUEST --lang zh

It tells what the request and the branch that it shows say, and nothing of other branches. Exit code 0 if
the record is open, 1 if not.")]
pub(crate) struct Args {
    /// The core id of the request
    #[arg(value_parser = parse_request)]
    request: CoreId,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct Explained {
    request: String,
    record: String,
    height: Option<u32>,
    open: bool,
    met: Vec<u8>,
    first_failed: Option<u8>,
    words: Vec<String>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.look.desk()?;
        let scene = Scene::new(&desk)?;
        let attempt = scene.attempt(self.request)?;
        let lang = self.look.lang();
        let answer = scene.answer(&attempt)?;
        let mut lines = match &answer {
            Some((held, answer)) => words(lang, held, answer),
            None => Vec::new(),
        };
        lines.push(words::release(lang, &scene.look().may_release(&attempt, None)?));
        let findings = answer.as_ref().map(|(_, answer)| words::explain(&answer.findings));
        let first_failed = findings.as_ref().and_then(|found| found.first_failed);
        let explained = Explained {
            request: self.request.to_string(),
            record: attempt.request().rid.to_string(),
            height: attempt.height,
            open: answer.is_some_and(|(_, answer)| answer.is_open),
            met: findings.map_or_else(Vec::new, |found| {
                found.met.iter().map(|clause| clause.number()).collect()
            }),
            first_failed: first_failed.map(|reason| reason.clause().number()),
            words: lines,
        };
        if self.look.format.is_json() {
            json_line(&explained)?;
        } else {
            print_lines(&explained.words)?;
        }
        Ok(if explained.open { Outcome::Yes } else { Outcome::No })
    }
}
