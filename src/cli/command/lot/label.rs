//! `proofward lot label`: the code of a package as text, in the terminal, as a picture.

use std::path::PathBuf;

use anyhow::Context as _;
use qrcode::QrCode;
use qrcode::render::{svg, unicode};
use serde::Serialize;

use super::code_named;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line, write_file};
use proofward::ledger::transaction::LotId;

/// Print the code for a package: GS1 Digital Link text and QR
///
/// The code opens what the chain hides: whoever scans it can trace the lot, and nobody else.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The code that `proofward lot make` printed
    code: String,
    /// The lot that this package is, if one that came of it
    #[arg(long, value_name = "LOT")]
    lot: Option<LotId>,
    /// Write the QR code to FILE; - for standard output
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Printed {
    code: String,
    lot: String,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let code = code_named(&self.code)?;
        let code = self.lot.map_or_else(|| code.clone(), |lot| code.of_lot(lot));
        let text = code.to_string();
        let qr = QrCode::new(text.as_bytes()).context("the code is too long for a QR code")?;
        if let Some(path) = &self.svg {
            let picture = qr.render::<svg::Color<'_>>().min_dimensions(256, 256).build();
            if !write_file(path, picture.as_bytes())? {
                return Ok(Outcome::Yes);
            }
        }
        if self.format.is_json() {
            json_line(&Printed { code: text, lot: code.lot.to_string() })?;
        } else {
            text_line(&text)?;
            // Light on dark, as terminals mostly are.
            text_line(
                qr.render::<unicode::Dense1x2>()
                    .dark_color(unicode::Dense1x2::Light)
                    .light_color(unicode::Dense1x2::Dark)
                    .build(),
            )?;
        }
        Ok(Outcome::Yes)
    }
}
