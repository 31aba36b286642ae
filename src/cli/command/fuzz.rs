//! `proofward fuzz make`: forged header runs and blocks, for other people's verifiers.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::verify::Extra;
use crate::cli::exit::Outcome;
use crate::cli::output::{Format, json_line, text_line};
use proofward::consensus::ChainSpec;
use proofward::fuzzing::forge::{self, Case, Variant};

/// Make input for fuzzing and comparing verifiers
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Make(Make),
}

/// Make header runs and blocks with real work that break exactly one rule, or none
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Make {
    /// The rule to break, in Bitcoin Core's words; none: valid input at the rules' boundaries; all: both
    #[arg(long, required_unless_present = "list")]
    rule: Option<String>,
    /// Whose rules; on chains with real difficulty solving takes too long
    #[arg(long, default_value = "regtest", value_parser = ChainSpec::NAMES)]
    chain: String,
    /// Rules beyond those of the chain
    #[arg(long, value_enum, value_name = "NAME")]
    rules: Vec<Extra>,
    /// One boundary only, by the name that --list shows
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// The same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many cases; one for each variant unless given
    #[arg(long, value_name = "N")]
    count: Option<NonZeroU64>,
    /// A directory for one file a case; -: no files, but the bytes as hex in the manifest
    #[arg(long, value_name = "DIR", default_value = "-")]
    out: PathBuf,
    /// Leave out what takes more hashes than this on average (some seconds a case)
    #[arg(long, value_name = "N", default_value_t = 1 << 30)]
    hashes_max: u64,
    /// List the rules and variants of the chain and make nothing
    #[arg(long)]
    list: bool,
    /// How to print the list; manifests are always JSON
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  proofward fuzz make --list
  proofward fuzz make --rule time-too-old --out cases
  proofward fuzz make --rule none --count 1000 --seed 42 --out cases > manifest.jsonl
  proofward fuzz make --rule time-timewarp-attack --rules bip54

A run is headers of 80 bytes from the chain's genesis on; a block is the child of the genesis.
Standard output is a manifest, one JSON object a case:
  file or hex  the input
  rule         the rule that is broken, or none
  near         the rule at whose boundary the case stands
  height       of the header that breaks the rule
  also         rules judged later that it cannot help breaking
  now          the clock to verify with
  variant, seed                  make the same case again
  spends_unknown_coins           only checks without coins accept the block
Exit code: 0 made; 2 usage, no such rule on the chain, or a file that cannot be written.";

#[derive(Serialize)]
struct Listed {
    kind: &'static str,
    rule: &'static str,
    variant: &'static str,
    broken: bool,
    expected_hashes: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    kind: &'static str,
    chain: &'a str,
    rule: &'static str,
    near: &'static str,
    variant: &'static str,
    seed: u64,
    height: Option<u64>,
    also: &'static [&'static str],
    now: i64,
    spends_unknown_coins: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Make(make) => make.run(),
        }
    }
}

impl Make {
    fn run(self) -> anyhow::Result<Outcome> {
        let spec = ChainSpec::named(&self.chain)?;
        let spec = if self.rules.is_empty() { spec } else { spec.with_bip54() };
        let variants = self.variants(&spec)?;
        if self.list {
            return self.list(&spec, &variants);
        }
        let is_stdout = self.out == Path::new("-");
        if !is_stdout {
            std::fs::create_dir_all(&self.out)
                .with_context(|| format!("cannot make the directory {}", self.out.display()))?;
        }
        let count = self.count.map_or(variants.len() as u64, NonZeroU64::get);
        for (at, variant) in (0..count).zip(variants.iter().cycle()) {
            let seed = self.seed.wrapping_add(at / variants.len() as u64);
            let case = variant.forge(&spec, seed);
            let file = format!("{}.{}.{seed}.{}", variant.rule, variant.name, variant.kind.name());
            let file = (!is_stdout).then(|| self.out.join(file));
            if let Some(path) = &file {
                std::fs::write(path, &case.bytes)
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
            json_line(&self.line(variant, &case, seed, file.as_deref()))?;
        }
        Ok(Outcome::Yes)
    }

    /// What fits the chain, the rule, the name and the time that it may take.
    fn variants(&self, spec: &ChainSpec) -> anyhow::Result<Vec<&'static Variant>> {
        let rule = self.rule.as_deref().unwrap_or("all");
        if !["none", "all"].contains(&rule) && !forge::variants().any(|v| v.rule == rule) {
            bail!("unknown rule {rule:?}: see `proofward fuzz make --list`");
        }
        let mut variants: Vec<_> = forge::variants()
            .filter(|v| match rule {
                "all" => true,
                "none" => !v.is_broken,
                rule => v.is_broken && v.rule == rule,
            })
            .filter(|v| self.variant.as_ref().is_none_or(|name| v.name == name))
            .filter(|v| v.applies_to(spec))
            .collect();
        if variants.is_empty() {
            bail!(
                "nothing of rule {rule} to make on chain {}: see `proofward fuzz make --list \
                 --chain {0}`, perhaps with --rules bip54",
                self.chain
            );
        }
        variants.retain(|v| v.expected_hashes(spec) <= self.hashes_max.into());
        if variants.is_empty() {
            bail!(
                "on chain {} it takes more than {} hashes a case: raise --hashes-max or choose \
                 --chain regtest",
                self.chain,
                self.hashes_max
            );
        }
        Ok(variants)
    }

    fn list(&self, spec: &ChainSpec, variants: &[&Variant]) -> anyhow::Result<Outcome> {
        for variant in variants {
            let Variant { rule, name, is_broken: broken, .. } = **variant;
            let kind = variant.kind.name();
            let expected_hashes = u64::try_from(variant.expected_hashes(spec)).unwrap_or(u64::MAX);
            if self.format.is_json() {
                json_line(&Listed { kind, rule, variant: name, broken, expected_hashes })?;
            } else {
                let side = if broken { "broken" } else { "kept" };
                text_line(format!("{kind:8}{rule:29}{side:7}{name}"))?;
            }
        }
        Ok(Outcome::Yes)
    }

    fn line<'a>(
        &'a self,
        variant: &Variant,
        case: &Case,
        seed: u64,
        file: Option<&'a Path>,
    ) -> Line<'a> {
        Line {
            file,
            hex: file.is_none().then(|| hex::encode(&case.bytes)),
            kind: variant.kind.name(),
            chain: &self.chain,
            rule: if variant.is_broken { variant.rule } else { "none" },
            near: variant.rule,
            variant: variant.name,
            seed,
            height: case.height,
            also: variant.also,
            now: case.now,
            spends_unknown_coins: case.spends_unknown_coins,
        }
    }
}
