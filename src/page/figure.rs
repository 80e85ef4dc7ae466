//! A chart with all that belongs to it: what it shows in words, how to read it, its legend and its numbers.

use maud::{Markup, html};

use super::chart::{Chart, Look, Mark};
use super::show::{bound, prose};
use super::table::DataTable;

/// A figure of the page.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// The name of its file and its place in the page.
    pub(crate) name: &'static str,
    /// What it shows, in a sentence.
    pub(super) finding: String,
    /// How to read it.
    pub(super) reading: String,
    pub(super) legend: Vec<(Key, String)>,
    pub(super) chart: Chart,
    /// The numbers that are drawn.
    pub(crate) data: DataTable,
}

/// What stands for a series in a legend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Key {
    Line(Look),
    Area(&'static str),
    /// A line across the chart.
    Upright,
    /// A cell as strong as a share of 1.
    Cell(f64),
}

impl Figure {
    /// Where its numbers are, beside the page.
    pub(crate) fn file(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// `folder` is where the numbers of all figures are.
    pub(super) fn markup(&self, folder: &str) -> Markup {
        let file = format!("{folder}/{}", self.file());
        let (finding, reading) = (bound(&self.finding), bound(&self.reading));
        html! {
            figure id=(self.name) {
                h3 { (prose(&self.finding)) }
                (self.chart.svg(self.name, &finding, &reading))
                @if !self.legend.is_empty() {
                    ul class="legend" { @for (key, words) in &self.legend { li { (key.markup()) (words) } } }
                }
                figcaption { (prose(&self.reading)) }
                details {
                    summary { "The numbers of this chart" }
                    div class="scroll" tabindex="0" role="region" aria-label=(format!("Numbers: {finding}")) {
                        (self.data.markup(&finding, &file))
                    }
                    p class="file" { "As a file: " code { (file) } }
                }
            }
        }
    }
}

impl Key {
    fn markup(self) -> Markup {
        html! {
            svg class="key" viewBox="0 0 30 12" width="30" height="12" aria-hidden="true" {
                @match self {
                    Key::Line(look) => {
                        path class=(format!("line {}{}", look.class, if look.is_dashed { " dashed" } else { "" })) d="M1 6H29" {}
                        @if let Some(mark) = look.mark { path class=(format!("mark {}", look.class)) d=(Mark::path(mark, (15.0, 6.0))) {} }
                    }
                    Key::Area(class) => path class=(class) d="M2 1V11H28V1Z" {},
                    Key::Upright => path class="upright" d="M15 0V12" {},
                    Key::Cell(strength) => path class="cell" fill-opacity=(format!("{:.2}", 0.04 + 0.96 * strength)) d="M2 1V11H28V1Z" {},
                }
            }
        }
    }
}
