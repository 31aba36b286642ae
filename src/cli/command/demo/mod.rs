//! `proofward demo`: the whole story at once, with real work, real keys and real refusals. Every claim
//! that it prints has been checked by the program before, so a broken rule makes it fail.

mod attempts;
mod ending;
mod goods;
mod life;
mod people;
mod record;
mod stage;

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use people::People;
use proofward::wallet::SecretKey;
use proofward::words::{Lang, Told};
use stage::Stage;

use crate::cli::exit::Outcome;
use crate::cli::output::{LangArg, text_line};

/// Tell the whole story: a hospital, a record, who opens it and who does not, and the proof of it all
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward demo
  proofward demo --lang zh
  proofward demo --dir story --keep     then: proofward verify chain story
                                        and:  proofward audit visit --dir story")]
pub(crate) struct Args {
    /// Where to found the chain: a directory that is not there yet [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Keep the chain, the records and everybody's keys
    #[arg(long)]
    keep: bool,
    /// In which language
    #[arg(long, value_enum, default_value_t)]
    lang: LangArg,
}

/// Says what happens.
#[derive(Clone, Copy)]
struct Voice(Lang);

impl Voice {
    /// A step of the story.
    fn say(self, told: Told, values: &[&str]) -> anyhow::Result<()> {
        text_line(format!("• {}", told.say(self.0, values)))
    }

    /// What became of it.
    fn then(self, told: Told, values: &[&str]) -> anyhow::Result<()> {
        text_line(format!("  → {}", told.say(self.0, values)))
    }

    /// The ledger's own words.
    fn explain(self, lines: &[String]) -> anyhow::Result<()> {
        lines.iter().try_for_each(|line| text_line(format!("      {line}")))
    }
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let path = match &self.dir {
            Some(dir) => dir.clone(),
            None => {
                let name = hex::encode(&SecretKey::generate()?.public_key().0[..8]);
                env::temp_dir().join(format!("proofward-demo-{name}"))
            }
        };
        ensure!(!path.exists(), "{} is there already: name a new directory", path.display());
        let voice = Voice(self.lang.into());
        let told = story(&path, voice);
        if self.keep {
            voice.say(Told::Kept, &[&path.display().to_string()])?;
        } else if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("removing {}", path.display()))?;
        }
        told.map(|()| Outcome::Yes)
    }
}

fn story(path: &std::path::Path, voice: Voice) -> anyhow::Result<()> {
    text_line(Told::Title.say(voice.0, &[]))?;
    let people = People::new()?;
    let mut stage = Stage::found(path, people.anchor.public_key())?;
    people.keep(&stage)?;
    let tokens = crate::cli::settings::tokens(stage.ledger.chain().spec.subsidy(1));
    voice.say(Told::Founded, &[&stage.height()?.to_string(), &tokens])?;
    let locum_licence = people.attest(&mut stage)?;
    voice.say(Told::People, &[&stage.height()?.to_string()])?;

    let kept = record::add(&mut stage, &people, voice)?;
    attempts::refused(&mut stage, &people, &kept, locum_licence, voice)?;
    attempts::lapses(&mut stage, &people, &kept, voice)?;
    attempts::opens(&mut stage, &people, &kept, voice)?;
    attempts::break_glass(&mut stage, &people, &kept, voice)?;
    record::rekey(&mut stage, &people, &kept, voice)?;
    goods::drug(&mut stage, &people, voice)?;

    life::loan(&mut stage, &people, voice)?;
    life::walk(&mut stage, &people, voice)?;
    life::research(&mut stage, &people, voice)?;

    ending::audit(&mut stage, &kept, voice)?;
    ending::secrecy(&stage, &people, &kept, voice)?;
    ending::tampered(&stage, voice)?;
    ending::verified(stage, voice)
}
