//! Whether the machine runs on its battery, as Linux tells it below `/sys/class/power_supply`.

use std::fs;
use std::path::Path;

/// Where Linux lists batteries and mains.
pub const POWER_SUPPLIES: &str = "/sys/class/power_supply";

/// Whether a battery of the machine itself (not of a mouse, say) is discharging while no mains are
/// connected. A machine without batteries, or without the folder, never runs on one.
#[must_use]
pub fn is_on_battery(supplies: &Path) -> bool {
    let Ok(entries) = fs::read_dir(supplies) else { return false };
    let (mut is_discharging, mut has_mains) = (false, false);
    for entry in entries.flatten() {
        let read = |name: &str| {
            fs::read_to_string(entry.path().join(name)).map(|text| text.trim().to_owned()).ok()
        };
        match read("type").as_deref() {
            Some("Battery") if read("scope").as_deref() != Some("Device") => {
                is_discharging |= read("status").as_deref() == Some("Discharging");
            }
            Some("Mains" | "USB") => has_mains |= read("online").as_deref() == Some("1"),
            _ => {}
        }
    }
    is_discharging && !has_mains
}
