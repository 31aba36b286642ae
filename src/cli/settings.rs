//! What arguments and environment mean together: each default stands here, once.

use std::env;
use std::path::PathBuf;

use anyhow::bail;

/// First part of the addresses of local chains.
pub(crate) const LOCAL_ADDRESS_PREFIX: &str = "lpw";

/// Where chain and keys are kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// Directory of chain and keys [default: $PROOFWARD_DIR, or proofward in the user's data folder]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Place {
    /// The argument, `PROOFWARD_DIR`, or `proofward` below the data folder of the XDG base directory
    /// specification: `XDG_DATA_HOME` if absolute, else `~/.local/share`.
    pub(crate) fn resolve(self) -> anyhow::Result<PathBuf> {
        let from_env = |name| env::var_os(name).filter(|value| !value.is_empty());
        if let Some(dir) = self.dir.or_else(|| from_env("PROOFWARD_DIR").map(PathBuf::from)) {
            return Ok(dir);
        }
        let data = from_env("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || from_env("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        let Some(data) = data.or_else(home) else {
            bail!("no home directory: name one with --dir or PROOFWARD_DIR");
        };
        Ok(data.join("proofward"))
    }
}
