//! `proofward mine --url`: for other people's servers.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use tokio::sync::mpsc;

use super::PATIENCE;
use super::budget::Purse;
use super::keys::{CONTROLS_MAX, Keys, follow_signals};
use super::live::Live;
use crate::cli::command::kernels;
use crate::cli::exit::Outcome;
use crate::cli::outlet::Printer;
use proofward::hash::Algorithm;
use proofward::node::client::battery::{POWER_SUPPLIES, is_on_battery};
use proofward::node::client::payout::PayoutScript;
use proofward::node::client::{Control, PauseReason, Protocol, Server, Settings, run};
use proofward::node::difficulty::Difficulty;
use proofward::primitives::Digest;
use proofward::wallet::random_bytes;

/// How often the battery is looked at.
const BATTERY_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
// The group's default name is that of the arguments around it, which the parser refuses.
#[group(skip)]
#[command(next_help_heading = "Other people's servers")]
pub(super) struct Args {
    /// A server: stratum+tcp://, stratum+tls://, http:// or https:// and HOST:PORT; several in the order
    /// of their priority
    #[arg(long = "url", value_name = "URL")]
    urls: Vec<Server>,
    /// User, where the URL has none: often an address and the name of this machine
    #[arg(long, value_name = "USER", requires = "urls")]
    user: Option<String>,
    /// Password, where the URL has none; for some servers d=0.001 asks for a share difficulty
    #[arg(long, value_name = "PASS", requires = "urls")]
    pass: Option<String>,
    /// The proof-of-work function of the servers: sha256d or blake3
    #[arg(long, value_name = "NAME", default_value_t = Algorithm::Sha256d)]
    algorithm: Algorithm,
    /// Share difficulty to suggest to stratum servers, 0.000001 at least
    #[arg(long, value_name = "D", value_parser = parse_difficulty, requires = "urls")]
    suggest_difficulty: Option<Difficulty>,
    /// Do not ask stratum servers for version rolling (BIP310)
    #[arg(long, requires = "urls")]
    no_version_rolling: bool,
    /// The script of the output that pays, in hex, where --payout has no address for it (http only)
    #[arg(long, value_name = "HEX", conflicts_with = "payout", requires = "urls")]
    payout_script: Option<String>,
    /// The node's cookie file, with its user and password (http only)
    #[arg(long, value_name = "FILE", requires = "urls")]
    cookie: Option<PathBuf>,
    /// SHA-256 of the certificate to trust instead of the web's authorities (tls and https)
    #[arg(long, value_name = "HEX64", value_parser = parse_fingerprint, requires = "urls")]
    tls_fingerprint: Option<Digest>,
    /// Rest while the machine runs on its battery
    #[arg(long, requires = "urls")]
    pause_on_battery: bool,
    /// End after this many seconds [default: go on]
    #[arg(long, value_name = "N", requires = "urls")]
    seconds: Option<NonZeroU64>,
}

impl Args {
    pub(super) fn is_wanted(&self) -> bool {
        !self.urls.is_empty()
    }
}

impl super::Args {
    pub(super) fn run_remote(&self) -> anyhow::Result<Outcome> {
        let remote = &self.remote;
        let settings = self.settings()?;
        let kernel = kernels::choose(remote.algorithm, self.kernel.as_deref())?;
        let engine = self.engine(kernel)?;
        let threads = self.options().threads.get();
        let names = remote.urls.iter().map(Server::to_string).collect();
        let limit = remote.seconds.map(|seconds| Duration::from_secs(seconds.get()));
        let purse = self.budget.as_deref().map(|path| Purse::open(path, &engine)).transpose()?;
        let printer = Printer::beside_a_screen(self.format, PATIENCE)?;
        let mut live = Live::new(printer, names, self.blocks, limit, purse);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let account = runtime.block_on(async {
            let (sender, controls) = mpsc::channel(CONTROLS_MAX);
            // They put the terminal back when they go.
            let _keys = Keys::listen(sender.clone());
            follow_signals(&sender)?;
            if remote.pause_on_battery {
                tokio::spawn(follow_battery(sender.clone()));
            }
            anyhow::Ok(run(&engine, settings, controls, &mut live).await?)
        })?;
        live.finish(&engine, &account, kernel.isa(), threads)?;
        Ok(Outcome::Yes)
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        let remote = &self.remote;
        let payout = match (&remote.payout_script, &self.payout) {
            (Some(script), _) => Some(PayoutScript::from_hex(script).context("--payout-script")?),
            (None, Some(address)) => Some(PayoutScript::from_address(address).context("--payout")?),
            (None, None) => None,
        };
        let is_stratum = |server: &&Server| server.protocol == Protocol::Stratum;
        let nameless = remote.urls.iter().filter(is_stratum).find(|server| server.user.is_none());
        if let Some(server) = nameless.filter(|_| remote.user.is_none()) {
            bail!("{server} wants to know who mines: give --user, or the user in the URL");
        }
        Ok(Settings {
            servers: remote.urls.clone(),
            user: remote.user.clone(),
            pass: remote.pass.clone(),
            suggest: remote.suggest_difficulty,
            rolls_versions: !remote.no_version_rolling,
            payout,
            cookie: remote.cookie.clone(),
            fingerprint: remote.tls_fingerprint,
            seed: u64::from_le_bytes(random_bytes().context("a seed")?),
        })
    }
}

async fn follow_battery(controls: mpsc::Sender<Control>) {
    let mut looks = tokio::time::interval(BATTERY_PAUSE);
    loop {
        looks.tick().await;
        let control = match is_on_battery(Path::new(POWER_SUPPLIES)) {
            true => Control::Pause(PauseReason::Battery),
            false => Control::Resume(PauseReason::Battery),
        };
        if controls.send(control).await.is_err() {
            return;
        }
    }
}

fn parse_difficulty(text: &str) -> anyhow::Result<Difficulty> {
    let value = text.parse().ok().and_then(Difficulty::new);
    value.with_context(|| format!("expected a number from {} upwards", Difficulty::LEAST))
}

fn parse_fingerprint(text: &str) -> anyhow::Result<Digest> {
    let digits = text.replace(':', "");
    let mut fingerprint = [0; 32];
    hex::decode_to_slice(digits, &mut fingerprint)
        .map_err(|_| anyhow!("expected 64 hex digits, with or without colons"))?;
    Ok(fingerprint)
}
