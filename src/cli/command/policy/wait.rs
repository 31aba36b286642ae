//! How long a number of blocks takes: intervals between blocks are exponential, so n of them follow
//! Erlang's distribution. For people; nothing is decided by it.
#![expect(clippy::float_arithmetic, reason = "display only")]

/// From so many blocks on the normal approximation of the distribution's cube root (Wilson and Hilferty,
/// 1931) is good to a ten-thousandth.
const BLOCKS_EXACT_MAX: u32 = 1000;

/// The time in seconds within which `blocks` blocks of this spacing are found in `percent` of 100 cases.
pub(super) fn quantile_s(blocks: u32, spacing_s: u32, percent: u8) -> f64 {
    let (p, n) = (f64::from(percent) / 100.0, f64::from(blocks));
    if blocks == 0 {
        return 0.0;
    }
    if blocks > BLOCKS_EXACT_MAX {
        let z = if percent == 50 { 0.0 } else { 2.326_347_874 };
        let root = 1.0 - 1.0 / (9.0 * n) + z / (3.0 * n.sqrt());
        return n * root.powi(3) * f64::from(spacing_s);
    }
    let (mut low, mut high) = (0.0, n + 10.0 * n.sqrt() + 20.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if 1.0 - survival(blocks, middle) < p { low = middle } else { high = middle }
    }
    low * f64::from(spacing_s)
}

/// The chance that fewer than `blocks` blocks are found in `x` spacings: the first terms of Poisson's
/// distribution, in logarithms, because each alone may be too small for a number.
fn survival(blocks: u32, x: f64) -> f64 {
    let mut log_term = -x;
    let mut sum = log_term.exp();
    for k in 1..blocks {
        log_term += x.ln() - f64::from(k).ln();
        sum += log_term.exp();
    }
    sum
}

/// Seconds as people say them.
pub(super) fn spoken(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.1} s"),
        s if s < 5400.0 => format!("{:.1} min", s / 60.0),
        s if s < 129_600.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}
