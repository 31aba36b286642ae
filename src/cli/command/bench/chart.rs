//! Charts as inline SVG: bars for rates, lines for scaling. No script, no font, no picture to fetch.
#![expect(clippy::float_arithmetic, reason = "display only")]

use std::fmt::Write as _;

use super::html::escape;

/// One bar.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    /// What stands behind the bar.
    pub(super) caption: String,
    /// Drawn in the colour of what others are compared with.
    pub(super) is_reference: bool,
}

const WIDTH: f64 = 760.0;
const LABEL_WIDTH: f64 = 150.0;
const CAPTION_WIDTH: f64 = 170.0;
const BAR_HEIGHT: f64 = 20.0;
const BAR_STEP: f64 = 26.0;

/// Horizontal bars from zero, longest value full width.
pub(super) fn bars(title: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let height = BAR_STEP * bars.len() as f64 + 4.0;
    let mut svg = open(title, height);
    for (at, bar) in bars.iter().enumerate() {
        let top = BAR_STEP * at as f64;
        let width = (WIDTH - LABEL_WIDTH - CAPTION_WIDTH) * bar.value / most;
        let class = if bar.is_reference { "reference" } else { "bar" };
        let baseline = top + 15.0;
        let label_end = LABEL_WIDTH - 8.0;
        let caption = LABEL_WIDTH + width + 8.0;
        write!(
            svg,
            "<text x=\"{label_end}\" y=\"{baseline}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{class}\" x=\"{LABEL_WIDTH}\" y=\"{top}\" width=\"{width:.1}\" \
             height=\"{BAR_HEIGHT}\"/><text x=\"{caption:.1}\" y=\"{baseline}\">{}</text>",
            escape(&bar.label),
            escape(&bar.caption),
        )
        .expect("a string takes everything");
    }
    svg + "</svg>"
}

/// One line: points of thread count and speed-up.
pub(super) struct Line {
    pub(super) label: String,
    pub(super) points: Vec<(usize, f64)>,
}

const PLOT_HEIGHT: f64 = 260.0;
const MARGIN: f64 = 44.0;
/// Lines beyond these share the last colour; the labels still tell them apart.
const COLOURS: usize = 6;

/// Labels of an axis that are nearer to one another than this would overlap.
const LABEL_STEP: f64 = 22.0;

/// Speed-up over threads, both axes logarithmic, with the straight line of perfect scaling.
pub(super) fn scaling(title: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let mut counts: Vec<usize> = points().map(|point| point.0).collect();
    counts.sort_unstable();
    counts.dedup();
    let (Some(fewest), Some(most)) = (counts.first(), counts.last()) else {
        return String::new();
    };
    let (fewest, most) = (*fewest as f64, *most as f64);
    let slowest = points().map(|point| point.1).fold(fewest, f64::min);
    let fastest = points().map(|point| point.1).fold(most, f64::max);
    let right = WIDTH - CAPTION_WIDTH;
    // A single count stands in the middle of nothing: any width will do.
    let share = |value: f64, from: f64, to: f64| (value / from).ln() / (to / from).ln().max(1e-9);
    let x = |threads: usize| MARGIN + (right - MARGIN) * share(threads as f64, fewest, most);
    let y = |speed: f64| PLOT_HEIGHT - (PLOT_HEIGHT - 16.0) * share(speed, slowest, fastest);
    let mut svg = open(title, PLOT_HEIGHT + 36.0);
    let mut draw = |element: String| svg.push_str(&element);
    draw(format!(
        "<path class=\"axis\" d=\"M{MARGIN} 8V{PLOT_HEIGHT}H{right}\"/>\
         <path class=\"ideal\" d=\"M{MARGIN} {:.1}L{right} {:.1}\"/>",
        y(fewest),
        y(most),
    ));
    let mut free_from = f64::NEG_INFINITY;
    for count in counts {
        let (across, up) = (x(count), y(count as f64) + 4.0);
        if across < free_from {
            continue;
        }
        free_from = across + LABEL_STEP;
        let (below, beside) = (PLOT_HEIGHT + 16.0, MARGIN - 6.0);
        draw(format!(
            "<text x=\"{across:.1}\" y=\"{below}\" text-anchor=\"middle\">{count}</text>\
             <text x=\"{beside}\" y=\"{up:.1}\" text-anchor=\"end\">{count}x</text>"
        ));
    }
    draw(format!(
        "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">threads</text>",
        f64::midpoint(MARGIN, right),
        PLOT_HEIGHT + 32.0,
    ));
    for (at, line) in lines.iter().enumerate() {
        let colour = at.min(COLOURS - 1);
        let places = line.points.iter().map(|(threads, speed)| (x(*threads), y(*speed)));
        let places: Vec<String> = places.map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        draw(format!("<path class=\"line c{colour}\" d=\"M{}\"/>", places.join("L")));
        // Labels stand in a list, so that lines on top of one another stay legible.
        let top = 20.0 + 18.0 * at as f64;
        draw(format!(
            "<path class=\"line c{colour}\" d=\"M{:.1} {:.1}h18\"/>\
             <text x=\"{:.1}\" y=\"{top}\">{}</text>",
            right + 14.0,
            top - 4.0,
            right + 38.0,
            escape(&line.label),
        ));
    }
    svg + "</svg>"
}

fn open(title: &str, height: f64) -> String {
    let title = escape(title);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">\
         <title>{title}</title>"
    )
}
