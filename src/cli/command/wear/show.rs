//! `proofward wear show`: what the chain has credited to a wearer.

use serde::Serialize;

use crate::cli::exit::Outcome;
use crate::cli::output::{json_line, text_line};
use crate::cli::settings::LookArgs;
use proofward::words::Shown;

/// Show the hashes that readings have earned for a wearer, model by model
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Whose: an address, 64 hex digits, or a key of the directory
    wearer: String,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Serialize)]
struct Wearer {
    wearer: String,
    hashes: u64,
    models: Vec<ModelLine>,
}

#[derive(Serialize)]
struct ModelLine {
    issuer: String,
    model: String,
    readings: u64,
    hashes: u64,
    tainted_h: Option<u32>,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let desk = self.look.desk()?;
        let wearer = desk.key(&self.wearer)?;
        let models = desk.view().credits(wearer)?.into_iter().map(|credit| ModelLine {
            issuer: credit.issuer.to_string(),
            model: hex::encode(credit.model),
            readings: credit.held.readings,
            hashes: credit.held.hashes,
            tainted_h: credit.tainted_h,
        });
        let (hashes, models) = (desk.view().hashes_earned(wearer)?, models.collect());
        let shown = Wearer { wearer: wearer.to_string(), hashes, models };
        if self.look.format.is_json() {
            json_line(&shown)?;
            return Ok(Outcome::Yes);
        }
        let lang = self.look.lang();
        text_line(Shown::Earned.say(lang, &[&hashes.to_string()]))?;
        for ModelLine { issuer, model, readings, hashes, tainted_h } in &shown.models {
            let values = [&*hashes.to_string(), &readings.to_string(), model, issuer];
            let mut line = Shown::ByModel.say(lang, &values);
            if let Some(height) = tainted_h {
                line += &Shown::Tainted.say(lang, &[&height.to_string()]);
            }
            text_line(line)?;
        }
        Ok(Outcome::Yes)
    }
}
