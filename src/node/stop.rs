//! The end of a node, as its tasks wait for it: a flag that turns true once.

use tokio::sync::watch;

/// Returns when the flag is true, or nobody is left to set it.
pub async fn stopped(flag: &mut watch::Receiver<bool>) {
    // Either way there is nothing to go on for.
    let _ = flag.wait_for(|is_stopping| *is_stopping).await;
}
