//! Keys on a terminal, without a line feed: p pauses, r resumes, q ends. Nothing is read where standard
//! input is no terminal, or somebody else's (a job in the background).

use tokio::sync::mpsc;

use proofward::node::client::Control;

/// A key that means something.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Pause,
    Resume,
    Quit,
}

impl Key {
    #[cfg(target_os = "linux")]
    fn of(byte: u8) -> Option<Self> {
        match byte.to_ascii_lowercase() {
            b'p' => Some(Self::Pause),
            b'r' => Some(Self::Resume),
            b'q' => Some(Self::Quit),
            _ => None,
        }
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
            for key in stdin.lock().bytes().map_while(Result::ok).filter_map(Key::of) {
                if controls.blocking_send(key.into()).is_err() {
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
