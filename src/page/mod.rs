//! The report page: one file of HTML that needs nothing else. Arrangement only, the numbers come from elsewhere.

mod answer;
mod axis;
mod background;
mod calibration;
mod chart;
mod figure;
mod maps;
mod over_time;
mod show;
mod spend;
mod table;
mod tracking;
mod value;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(crate) use figure::Figure;
pub(crate) use table::Cells;

use crate::backtest::{BackTestReport, CohortCurves, ParameterPath, Run};
use crate::data::Customers;
use crate::error::Result;
use crate::fit::Level;
use crate::report::terminal::in_full;
use crate::score::{
    ClvDefinition, Concentration, GroupForecast, HistoryMap, ModelFile, Ranking, Score, SpendHistogram, Totals, ValueBands, ValueHistogram,
};
use crate::time::Date;

/// All that the page shows.
#[derive(Debug)]
pub(crate) struct ReportData<'a> {
    /// What the input is called.
    pub(crate) source: &'a str,
    pub(crate) customers: &'a Customers,
    pub(crate) model: &'a ModelFile,
    pub(crate) definition: &'a ClvDefinition,
    /// The observation end.
    pub(crate) end: Date,
    pub(crate) scores: &'a [Score],
    pub(crate) ranking: &'a Ranking,
    pub(crate) totals: &'a Totals,
    pub(crate) forecast: Option<&'a (Level, GroupForecast)>,
    /// The last quarter of the time held out, and why it is not.
    pub(crate) backtest: &'a BackTestReport,
    pub(crate) no_backtest: Option<String>,
    /// Several cuts, of so many customers if not of all.
    pub(crate) rolling: &'a BackTestReport,
    pub(crate) rolling_sample: Option<usize>,
    /// Where bands of value begin, by this definition.
    pub(crate) bands: Option<&'a ValueBands>,
    pub(crate) computed: &'a Computed,
    /// What a reader has to know of the data before all else.
    pub(crate) remarks: Vec<String>,
}

/// What is worked out for the page alone.
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) concentration: Option<Concentration>,
    pub(crate) values: Option<ValueHistogram>,
    pub(crate) map: Option<HistoryMap>,
    pub(crate) spend: Option<SpendHistogram>,
    pub(crate) cohorts: CohortCurves,
    pub(crate) path: ParameterPath,
}

/// The figures of the page, section by section.
#[derive(Debug)]
pub(crate) struct Figures {
    value: Vec<Figure>,
    forecasts: Vec<Figure>,
    model: Vec<Figure>,
}

impl Figures {
    /// The names of all figures that there can be.
    pub(crate) const NAMES: [&'static str; 12] = [
        "concentration",
        "value_distribution",
        "tracking_cumulative",
        "tracking_weekly",
        "by_frequency",
        "deciles",
        "reliability",
        "map_p_alive",
        "map_expected_purchases",
        "cohorts",
        "parameters",
        "spend",
    ];

    /// All of them, in the order of the page.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Figure> {
        self.value.iter().chain(&self.forecasts).chain(&self.model)
    }
}

impl ReportData<'_> {
    fn model_name(&self) -> &str {
        self.model.purchases().model()
    }

    fn has_costs(&self) -> bool {
        !self.definition.cost_per_purchase.is_zero() || !self.definition.cost_per_year.is_zero()
    }

    /// The back-test of the model itself.
    fn run(&self) -> Option<&Run> {
        self.backtest.runs.iter().find(|run| run.model == self.model_name() && run.group == self.backtest.held_out())
    }

    fn rolling_runs(&self) -> impl Iterator<Item = &Run> {
        self.rolling.runs.iter().filter(|run| run.model == self.model_name() && run.group == self.rolling.held_out())
    }

    /// The figures that there are: without a spend model, or a back-test, there are fewer.
    pub(crate) fn figures(&self) -> Result<Figures> {
        let Computed { concentration, values, map, spend, cohorts, path } = self.computed;
        let horizon =
            if self.definition.horizon.is_lifetime() { "for life".to_owned() } else { format!("within {}", self.definition.horizon) };
        let value = [
            concentration.as_ref().map(|spread| value::concentration(spread, self.totals)),
            values.as_ref().and_then(|values| value::distribution(values, self.totals, self.bands)),
        ];
        let mut forecasts = Vec::new();
        if let Some(tracking) = self.backtest.tracking.iter().find(|tracking| tracking.model == self.model_name()) {
            forecasts.extend(tracking::figures(tracking)?);
        }
        forecasts.extend(self.run().map(calibration::figures).unwrap_or_default());
        let mut model = map.as_ref().map_or_else(Vec::new, |map| maps::figures(map, self.model.unit(), &horizon));
        model.extend(over_time::cohorts(cohorts)?);
        let sample = self
            .rolling_sample
            .map_or_else(String::new, |customers| format!(" ({} customers, chosen by their ids)", show::count(customers as f64)));
        model.extend(over_time::parameters(path, self.model_name(), &sample)?);
        model.extend(spend.as_ref().and_then(spend::figure));
        Ok(Figures { value: value.into_iter().flatten().collect(), forecasts, model })
    }

    /// The page; the numbers of the figures are in files of `folder` beside it.
    pub(crate) fn page(&self, figures: &Figures, folder: &str) -> String {
        let in_grid = |figures: &[Figure]| html! { div class="figures" { @for figure in figures { (figure.markup(folder)) } } };
        let sections = [
            (
                "held-by",
                "Who holds the value",
                html! { (in_grid(&figures.value)) div class="tables" { (answer::bands(self)) (answer::most_valuable(self)) } },
            ),
            ("forecasts", "Can the forecasts be believed?", html! { (answer::verdict(self)) (in_grid(&figures.forecasts)) }),
            ("model", "What the model has learned", in_grid(&figures.model)),
            ("notices", "What to mind", background::notices(self)),
            ("data", "What was read", background::data(self)),
            ("definition", "What value means here", background::definition(self)),
            ("audit", "For the auditor", background::audit(self)),
        ];
        self.document(&sections).into_string()
    }

    fn document(&self, sections: &[(&str, &str, Markup)]) -> Markup {
        let meaning = in_full(self.definition, Some(self.end));
        let title = format!("Customer value: {meaning}");
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="generator" content=(concat!("clv ", env!("CARGO_PKG_VERSION")));
                    title { (title) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(include_str!("style.css"))) }
                }
                body {
                    a class="skip" href="#main" { "To the content" }
                    header {
                        h1 { "What these customers are worth" }
                        p class="lead" { (show::prose(&format!("Residual customer lifetime value: {meaning}. Model {}, observed until {}.", self.model_name(), self.end))) }
                    }
                    main id="main" {
                        section aria-label="The answer" { (answer::tiles(self)) }
                        nav aria-label="Sections" { ul { @for (id, name, _) in sections { li { a href=(format!("#{id}")) { (name) } } } } }
                        @for (id, name, content) in sections {
                            section id=(id) aria-labelledby=(format!("{id}-name")) { h2 id=(format!("{id}-name")) { (name) } (content) }
                        }
                    }
                    footer { "Made by clv " (env!("CARGO_PKG_VERSION")) ". This page loads nothing and runs no script." }
                }
            }
        }
    }
}
