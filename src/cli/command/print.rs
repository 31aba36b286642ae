//! `proofward print`: what a package or an operator wants as files and no repository should keep: a
//! service unit, a container file, shell completions, man pages.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::exit::Outcome;
use crate::cli::output::write_stdout;

/// Print a systemd unit, a container file, shell completions or man pages
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  proofward print systemd > proofward.service
  proofward print container > Containerfile
  proofward print completions bash > proofward.bash
  proofward print man --out man1          one page for each command")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A systemd unit for the node
    Systemd,
    /// A container file for the node
    Container,
    /// Completions for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Man pages
    Man {
        /// The folder for one page for each command [default: the first page on standard output]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

const SYSTEMD: &str = "\
[Unit]
Description=proofward node
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/proofward node --dir %S/proofward --config %E/proofward/node.toml
DynamicUser=yes
StateDirectory=proofward
ConfigurationDirectory=proofward
# Nobody who is connected keeps it from ending; whatever it acknowledged is kept even if it is killed.
TimeoutStopSec=10
Restart=on-failure
LimitNOFILE=65536
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
";

const CONTAINER: &str = "\
FROM docker.io/library/rust:1.95-slim AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM docker.io/library/debian:stable-slim
COPY --from=build /src/target/release/proofward /usr/bin/proofward
RUN useradd --system --create-home --home-dir /var/lib/proofward proofward
USER proofward
VOLUME /var/lib/proofward
EXPOSE 3333 9332 9380
STOPSIGNAL SIGTERM
ENTRYPOINT [\"proofward\", \"node\", \"--dir\", \"/var/lib/proofward\"]
CMD [\"--stratum\", \"0.0.0.0:3333\", \"--rpc\", \"0.0.0.0:9332\", \"--http\", \"0.0.0.0:9380\"]
";

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let mut command = crate::cli::Args::command();
        match self.what {
            What::Systemd => write_stdout(SYSTEMD.as_bytes())?,
            What::Container => write_stdout(CONTAINER.as_bytes())?,
            What::Completions { shell } => {
                let mut text = Vec::new();
                clap_complete::generate(shell, &mut command, "proofward", &mut text);
                write_stdout(&text)?;
            }
            What::Man { out: None } => {
                let mut text = Vec::new();
                clap_mangen::Man::new(command).render(&mut text)?;
                write_stdout(&text)?;
            }
            What::Man { out: Some(dir) } => {
                std::fs::create_dir_all(&dir)
                    .and_then(|()| clap_mangen::generate_to(command, &dir))
                    .with_context(|| dir.display().to_string())?;
            }
        }
        Ok(Outcome::Yes)
    }
}
