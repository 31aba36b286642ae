//! What is known, laid out in as many lines as it needs at the width of a terminal; and numbers as people
//! like to read them. It draws nothing.

use std::time::Duration;

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    columns: usize,
    rows: usize,
}

impl Size {
    /// Of the terminal that is standard error.
    pub(super) fn now() -> Self {
        let (rows, columns) = console::Term::stderr().size();
        Self { columns: columns.max(1).into(), rows: rows.max(1).into() }
    }

    /// Parts of a group share lines as far as there is room; each group begins another. What is too long
    /// for a line, or for the screen, is cut off, so that no terminal wraps what is drawn again.
    pub(super) fn lay_out(self, groups: &[Vec<String>]) -> String {
        let mut lines: Vec<String> = Vec::new();
        for group in groups {
            let mut line = String::new();
            for part in group {
                let width = line.chars().count() + GAP.len() + part.chars().count();
                if !line.is_empty() && width >= self.columns {
                    lines.push(std::mem::take(&mut line));
                }
                if !line.is_empty() {
                    line += GAP;
                }
                line += part;
            }
            lines.push(line);
        }
        // Both ends of a screen move it: the last column, and the last line.
        let cut = |line: String| line.chars().take(self.columns - 1).collect::<String>();
        let lines: Vec<_> = lines.into_iter().take(self.rows - 1).map(cut).collect();
        lines.join("\n")
    }
}

/// Between parts that share a line.
const GAP: &str = "  ";

/// Four significant digits at most, and as many as an integer has.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "display only; a count of digits within bounds"
)]
pub(super) fn short(number: f64) -> String {
    let decimals = (3.0 - number.abs().log10().floor()).clamp(0.0, 20.0) as usize;
    let text = format!("{number:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// How long an answer took.
#[expect(clippy::float_arithmetic, reason = "display only")]
pub(super) fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

/// `1 block`, `2 blocks`.
pub(super) fn blocks(count: u64) -> String {
    format!("{count} block{}", if count == 1 { "" } else { "s" })
}
