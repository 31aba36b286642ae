//! What a running miner is told. By keys on a terminal, without a line feed: p pauses, r resumes, q ends;
//! nothing is read where standard input is no terminal, or somebody else's (a job in the background). And by
//! signals.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use proofward::node::client::{Control, PauseReason};

/// Controls that wait; nobody types faster.
pub(super) const CONTROLS_MAX: usize = 16;

/// Within a runtime. USR1 pauses, USR2 resumes; INT and TERM end.
pub(super) fn follow_signals(controls: &mpsc::Sender<Control>) -> anyhow::Result<()> {
    let meanings = [
        (SignalKind::user_defined1(), Control::Pause(PauseReason::Asked)),
        (SignalKind::user_defined2(), Control::Resume(PauseReason::Asked)),
        (SignalKind::interrupt(), Control::Quit),
        (SignalKind::terminate(), Control::Quit),
    ];
    for (kind, control) in meanings {
        let mut signals = signal(kind)?;
        let controls = controls.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() && controls.send(control).await.is_ok() {}
        });
    }
    Ok(())
}

/// What a key means, if anything.
#[cfg(target_os = "linux")]
fn meaning(byte: u8) -> Option<Control> {
    match byte.to_ascii_lowercase() {
        b'p' => Some(Control::Pause(PauseReason::Asked)),
        b'r' => Some(Control::Resume(PauseReason::Asked)),
        b'q' => Some(Control::Quit),
        _ => None,
    }
}

/// While it lives, keys arrive one by one; then the terminal is as it was.
#[derive(Debug)]
pub(super) struct Keys {
    #[cfg(target_os = "linux")]
    before: rustix::termios::Termios,
}

#[cfg(target_os = "linux")]
impl Keys {
    pub(super) fn listen(controls: mpsc::Sender<Control>) -> Option<Self> {
        use std::io::Read as _;

        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcgetpgrp, tcsetattr};

        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        // To change the terminal from the background would stop the process.
        if tcgetpgrp(&stdin).ok()? != rustix::process::getpgrp() {
            return None;
        }
        let mut direct = before.clone();
        direct.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Now, &direct).ok()?;
        let read = move || {
            for control in stdin.lock().bytes().map_while(Result::ok).filter_map(meaning) {
                if controls.blocking_send(control).is_err() {
                    return;
                }
            }
        };
        // It waits for a key when the process ends, and ends with it.
        let _ = std::thread::Builder::new().name("keys".into()).spawn(read);
        Some(Self { before })
    }
}

#[cfg(target_os = "linux")]
impl Drop for Keys {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};

        // A terminal that is gone needs no order.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(not(target_os = "linux"))]
impl Keys {
    pub(super) fn listen(_controls: mpsc::Sender<Control>) -> Option<Self> {
        None
    }
}
