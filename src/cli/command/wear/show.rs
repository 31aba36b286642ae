//! `proofward wear show`: what the chain has credited to a wearer.

use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use crate::cli::settings::Place;

/// Show the hashes that readings have earned for a wearer, model by model
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Whose: an address, 64 hex digits, or a key of the directory
    wearer: String,
    #[command(flatten)]
    place: Place,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Shown {
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
        let desk = Desk::open(&self.place)?;
        let wearer = desk.key(&self.wearer)?;
        let models = desk.view().credits(wearer)?.into_iter().map(|credit| ModelLine {
            issuer: credit.issuer.to_string(),
            model: hex::encode(credit.model),
            readings: credit.held.readings,
            hashes: credit.held.hashes,
            tainted_h: credit.tainted_h,
        });
        let (hashes, models) = (desk.view().hashes_earned(wearer)?, models.collect());
        let shown = Shown { wearer: wearer.to_string(), hashes, models };
        if self.format.is_json() {
            json_line(&shown)?;
            return Ok(Outcome::Yes);
        }
        text_line(format!("{hashes} hashes earned in all, whether spent or not"))?;
        for ModelLine { issuer, model, readings, hashes, tainted_h } in &shown.models {
            let taint = tainted_h.map_or(String::new(), |h| {
                format!("; tainted: withdrawn in block {h}, worth nothing")
            });
            text_line(format!(
                "{hashes} by {readings} readings, model {model} of {issuer}{taint}"
            ))?;
        }
        Ok(Outcome::Yes)
    }
}
