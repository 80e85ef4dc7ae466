//! A chart as SVG: layers over two axes.

use maud::{Markup, html};

use super::axis::{Axis, Tick};

/// The size of a chart in its own units, which are pixels on a phone and more on a screen.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 286.0;
const TOP: f64 = 34.0;
const RIGHT: f64 = 24.0;
const BOTTOM: f64 = 56.0;

/// Between the labels of the y axis and the drawing, in which a mark may stick out.
const GAP: f64 = 9.0;

/// The width of a digit in the largest type of the style sheet, which is that of a phone, and in the widest of its fonts.
const LETTER: f64 = 9.2;

/// The height of a row of words, and what is above the first one.
const ROW: f64 = 17.0;
const ABOVE: f64 = 6.0;

/// How a series looks: the colour is that of the class, and never the only difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub(super) class: &'static str,
    pub(super) is_dashed: bool,
    pub(super) mark: Option<Mark>,
}

/// A shape at some points of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Disc,
    Square,
    Triangle,
    Diamond,
    Cross,
    Plus,
}

/// What came, everywhere in the page.
pub(super) const ACTUAL: Look = Look { class: "c2", is_dashed: false, mark: Some(Mark::Disc) };

/// What the model expects.
pub(super) const EXPECTED: Look = Look { class: "c1", is_dashed: true, mark: None };

/// As many looks as there are series that have to be told apart.
pub(super) const SERIES: [(&str, Mark); 6] =
    [("c1", Mark::Disc), ("c2", Mark::Square), ("c3", Mark::Triangle), ("c4", Mark::Diamond), ("c5", Mark::Cross), ("c6", Mark::Plus)];

/// One thing that is drawn.
#[derive(Debug, Clone)]
pub(super) enum Layer {
    /// A line through points.
    Line(Vec<(f64, f64)>, Look),
    /// A line between a lower and an upper end at each x, filled.
    Band(Vec<(f64, [f64; 2])>, &'static str),
    /// From x to x, as high as y, and what it says when pointed at.
    Bars(Vec<([f64; 2], f64, String)>, &'static str),
    /// A rectangle from x to x and y to y, as strong as a share of 1, and what it says when pointed at.
    Cells(Vec<([f64; 2], [f64; 2], f64, String)>),
    /// A value of x to be seen across the chart, and what it is, in this row of words from above.
    Upright(f64, String, usize),
}

/// The end of an axis on which `highest` lies below so many rows of words.
pub(super) fn below_words(highest: f64, rows: usize) -> f64 {
    let words = ABOVE + ROW * rows as f64;
    highest / (1.0 - words / (HEIGHT - BOTTOM - TOP)).max(0.5)
}

/// A chart.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) layers: Vec<Layer>,
}

impl Chart {
    /// The drawing, with a title and a description for those who do not see it.
    pub(super) fn svg(&self, id: &str, title: &str, description: &str) -> Markup {
        let longest = self.y.ticks.iter().map(|tick| tick.label.chars().count()).max().unwrap_or(0);
        let frame = Frame { left: LETTER * longest as f64 + GAP + 4.0, x: &self.x, y: &self.y };
        let upright = |layer: &Layer| if let Layer::Upright(x, ..) = layer { Some(frame.x(*x)) } else { None };
        let uprights: Vec<f64> = self.layers.iter().filter_map(upright).collect();
        html! {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-labelledby=(format!("{id}-title {id}-desc")) xmlns="http://www.w3.org/2000/svg" {
                title id=(format!("{id}-title")) { (title) }
                desc id=(format!("{id}-desc")) { (description) }
                (frame.axes())
                @for layer in &self.layers { (frame.layer(layer)) }
                // Words over all lines, so that none crosses them.
                @for layer in &self.layers { (frame.words(layer, &uprights)) }
            }
        }
    }
}

/// Where values lie in the drawing.
struct Frame<'a> {
    left: f64,
    x: &'a Axis,
    y: &'a Axis,
}

impl Frame<'_> {
    fn x(&self, value: f64) -> f64 {
        self.left + self.x.place(value) * (WIDTH - RIGHT - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - BOTTOM - TOP)
    }

    fn axes(&self) -> Markup {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        html! {
            text class="axis" x="2" y="16" { (self.y.title) }
            text class="axis" x=(px((self.left + right) / 2.0)) y=(px(HEIGHT - 6.0)) text-anchor="middle" { (self.x.title) }
            @for tick in &self.y.ticks {
                path class="grid" d=(format!("M{} {}H{}", px(self.left), px(self.y(tick.at)), px(right))) {}
                text x=(px(self.left - GAP)) y=(px(self.y(tick.at) + 4.5)) text-anchor="end" { (tick.label) }
            }
            path class="rule" d=(format!("M{} {}H{}", px(self.left), px(bottom), px(right))) {}
            @for tick in self.ticks() {
                // The last label may be wider than what is beside the axis.
                text x=(px(self.x(tick.at).clamp(half(tick), WIDTH - half(tick)))) y=(px(bottom + 23.0)) text-anchor="middle" { (tick.label) }
            }
        }
    }

    fn layer(&self, layer: &Layer) -> Markup {
        match layer {
            Layer::Line(points, look) => self.line(points, *look),
            Layer::Band(points, class) => self.band(points, class),
            Layer::Bars(bars, class) => html! {
                @for (x, y, words) in bars {
                    path class=(format!("bar {class}")) d=(self.rectangle(*x, [0.0, *y])) { title { (words) } }
                }
            },
            Layer::Cells(cells) => html! {
                // So that the grid does not show through pale ones.
                path class="backdrop" d=(cells.iter().map(|(x, y, _, _)| self.rectangle(*x, *y)).collect::<String>()) {}
                @for (x, y, strength, words) in cells {
                    path class="cell" d=(self.rectangle(*x, *y)) fill-opacity=(format!("{:.2}", 0.04 + 0.96 * strength.clamp(0.0, 1.0))) {
                        title { (words) }
                    }
                }
            },
            Layer::Upright(x, _, _) => html! {
                path class="upright" d=(format!("M{} {}V{}", px(self.x(*x)), px(TOP - 6.0), px(HEIGHT - BOTTOM))) {}
            },
        }
    }

    /// What an upright line is, beside it.
    fn words(&self, layer: &Layer, uprights: &[f64]) -> Markup {
        let Layer::Upright(x, words, row) = layer else { return html! {} };
        let x = self.x(*x);
        let width = LETTER * words.chars().count() as f64 + 5.0;
        let is_free = |from: f64, to: f64| !uprights.iter().any(|&other| other != x && from < other && other < to);
        let (fits_right, fits_left) = (x + width < WIDTH, x - width > self.left);
        // On the right, or on the left where there is no room or another line is in the way; words may lie on a line only where they would on either side.
        let is_right = (fits_right && is_free(x, x + width)) || !fits_left || (fits_right && !is_free(x - width, x));
        let (at, anchor) = if is_right { (x + 5.0, "start") } else { (x - 5.0, "end") };
        html! { text class="over" x=(px(at)) y=(px(TOP + ABOVE + ROW * *row as f64)) text-anchor=(anchor) { (words) } }
    }

    /// The ticks of the x axis whose labels have room: all, or every second, and so on.
    fn ticks(&self) -> impl Iterator<Item = &Tick> {
        let ticks = &self.x.ticks;
        let fits = |step: &usize| {
            let shown: Vec<&Tick> = ticks.iter().step_by(*step).collect();
            shown.windows(2).all(|pair| self.x(pair[1].at) - self.x(pair[0].at) >= half(pair[0]) + half(pair[1]) + LETTER / 2.0)
        };
        ticks.iter().step_by((1..=ticks.len()).find(fits).unwrap_or(1))
    }

    fn line(&self, points: &[(f64, f64)], look: Look) -> Markup {
        let class = format!("line {}{}", look.class, if look.is_dashed { " dashed" } else { "" });
        let placed: Vec<(f64, f64)> = points.iter().map(|&(x, y)| (self.x(x), self.y(y))).collect();
        // Marks stand apart, and one at the last point.
        let step = placed.len().div_ceil(12).max(1);
        let marked = placed.iter().enumerate().filter(|(k, _)| (placed.len() - 1 - k).is_multiple_of(step));
        html! {
            path class=(class) d=(path_of(&placed)) {}
            @if let Some(mark) = look.mark {
                path class=(format!("mark {}", look.class)) d=(marked.map(|(_, &at)| mark.path(at)).collect::<String>()) {}
            }
        }
    }

    fn band(&self, points: &[(f64, [f64; 2])], class: &str) -> Markup {
        let lower = points.iter().map(|&(x, [lower, _])| (self.x(x), self.y(lower)));
        let upper = points.iter().rev().map(|&(x, [_, upper])| (self.x(x), self.y(upper)));
        let around: Vec<(f64, f64)> = lower.chain(upper).collect();
        html! { path class=(format!("band {class}")) d=(path_of(&around) + "Z") {} }
    }

    fn rectangle(&self, x: [f64; 2], y: [f64; 2]) -> String {
        let ([left, right], [bottom, top]) = (x.map(|x| self.x(x)), y.map(|y| self.y(y)));
        format!("M{} {}V{}H{}V{}Z", px(left), px(bottom), px(top), px(right), px(bottom))
    }
}

impl Mark {
    /// The shape around a point.
    pub(super) fn path(self, (x, y): (f64, f64)) -> String {
        let at = |dx: f64, dy: f64| format!("{} {}", px(x + dx), px(y + dy));
        match self {
            Mark::Disc => format!("M{}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z", at(-3.0, 0.0)),
            Mark::Square => format!("M{}h6v6h-6Z", at(-3.0, -3.0)),
            Mark::Triangle => format!("M{}L{}L{}Z", at(-4.0, 3.0), at(0.0, -4.0), at(4.0, 3.0)),
            Mark::Diamond => format!("M{}L{}L{}L{}Z", at(-4.0, 0.0), at(0.0, -4.0), at(4.0, 0.0), at(0.0, 4.0)),
            Mark::Cross => format!("M{}L{}M{}L{}", at(-3.0, -3.0), at(3.0, 3.0), at(-3.0, 3.0), at(3.0, -3.0)),
            Mark::Plus => format!("M{}L{}M{}L{}", at(-4.0, 0.0), at(4.0, 0.0), at(0.0, -4.0), at(0.0, 4.0)),
        }
    }
}

/// Half the width of a label, which is no wider than the drawing.
fn half(tick: &Tick) -> f64 {
    (0.5 * LETTER * tick.label.chars().count() as f64).min(0.5 * WIDTH)
}

fn path_of(points: &[(f64, f64)]) -> String {
    let mut path = String::with_capacity(12 * points.len());
    for (k, &(x, y)) in points.iter().enumerate() {
        path.push(if k == 0 { 'M' } else { 'L' });
        path += &px(x);
        path.push(' ');
        path += &px(y);
    }
    path
}

/// A length in the drawing, to a tenth.
fn px(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chart over ten classes with the words at these places.
    fn chart(labels: Vec<(usize, String)>, uprights: &[(f64, &str)]) -> String {
        let layers = uprights.iter().enumerate().map(|(row, &(x, words))| Layer::Upright(x, words.to_owned(), row)).collect();
        Chart { x: Axis::borders("", labels, 10), y: Axis::linear("", 0.0, 1.0, 2), layers }.svg("id", "title", "description").into_string()
    }

    /// The place and the anchor of some words.
    fn place(svg: &str, words: &str) -> (f64, bool) {
        let tag = svg.split("<text").find(|tag| tag.contains(&format!(">{words}</text>"))).unwrap();
        let x = tag.split(" x=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        (x.parse().unwrap(), tag.contains("\"start\""))
    }

    #[test]
    fn the_last_label_stays_within_the_drawing() {
        let svg = chart(vec![(0, "0".to_owned()), (10, "1,000,000".to_owned())], &[]);
        let (middle, _) = place(&svg, "1,000,000");
        assert!(middle + 4.5 * LETTER <= WIDTH + 0.1 && middle + 4.5 * LETTER > WIDTH - 1.0, "{middle}");
    }

    #[test]
    fn words_lie_on_no_line_where_there_is_room_beside_it() {
        // Room on the right; the other line is near on the right; the end is near on the right.
        let svg = chart(Vec::new(), &[(1.0, "mid"), (5.0, "much longer"), (5.5, "x"), (9.5, "last of all")]);
        assert_eq!(["mid", "much longer", "x", "last of all"].map(|words| place(&svg, words).1), [true, false, true, false]);
    }

    #[test]
    fn rows_of_words_have_room_above_what_is_drawn() {
        let height = HEIGHT - BOTTOM - TOP;
        assert!((height * (1.0 - 0.6 / below_words(0.6, 2)) - (ABOVE + 2.0 * ROW)).abs() < 1e-9);
        // Many rows do not flatten the chart.
        assert_eq!(below_words(0.6, 99), 1.2);
    }
}
