//! The model of a file, and one row of it.

use clv::{AnyPurchaseModel, GammaGamma, GammaGammaParams, History, SpendHistory};
use serde_json::{Map, Value};

use super::Outcome;
use super::fields::{count, number, text};
use super::outputs::{purchase_output, spend_output};

/// The value of an output by its name; `None` where it does not exist.
type Output = dyn Fn(&str) -> Outcome<Option<f64>>;

/// The model of a file.
#[derive(Clone, Copy)]
pub(super) enum Model {
    /// A purchase model: its name in the crate and its parameters in the file.
    Purchases(&'static str, &'static [&'static str]),
    Spend,
}

impl Model {
    pub(super) fn of(document: &Value) -> Outcome<Self> {
        let name = document["model"].as_str().ok_or("no \"model\"; it is one of bgnbd, mbgnbd, paretonbd, nbd, gammagamma")?;
        match name {
            "bgnbd" => Ok(Model::Purchases("bg-nbd", &["r", "alpha", "a", "b"])),
            "mbgnbd" => Ok(Model::Purchases("mbg-nbd", &["r", "alpha", "a", "b"])),
            "paretonbd" => Ok(Model::Purchases("pareto-nbd", &["r", "alpha", "s", "beta"])),
            "nbd" => Ok(Model::Purchases("nbd", &["r", "alpha"])),
            "gammagamma" => Ok(Model::Spend),
            other => Err(format!("model {other:?} is not known; it is one of bgnbd, mbgnbd, paretonbd, nbd, gammagamma")),
        }
    }

    /// The names of the inputs, and the outputs of a row that names none.
    fn fields(self) -> (Vec<&'static str>, &'static [&'static str]) {
        match self {
            Model::Purchases(_, parameters) => {
                ([parameters, ["x", "t_x", "T"].as_slice()].concat(), ["log_likelihood", "p_alive", "p_dead"].as_slice())
            }
            Model::Spend => (vec!["p", "q", "gamma", "x", "zbar"], ["log_likelihood", "cond_mean"].as_slice()),
        }
    }
}

/// Fills in the outputs of one row.
pub(super) fn evaluate_row(model: Model, row: &mut Map<String, Value>) -> Outcome<()> {
    let (inputs, usual) = model.fields();
    let mut outputs: Vec<String> = row.keys().filter(|key| !inputs.contains(&key.as_str())).cloned().collect();
    if outputs.is_empty() {
        outputs = usual.iter().map(|&key| key.to_owned()).collect();
    }
    let output: Box<Output> = match model {
        Model::Purchases(name, parameters) => {
            let parameters = parameters.iter().map(|name| number(row, name)).collect::<Outcome<Vec<f64>>>()?;
            let model = AnyPurchaseModel::from_name(name, &parameters).map_err(|error| error.to_string())?;
            let history = History::new(count(row, "x")?, number(row, "t_x")?, number(row, "T")?).map_err(|error| error.to_string())?;
            Box::new(move |key| purchase_output(&model, &history, key))
        }
        Model::Spend => {
            let [p, q, gamma] = [number(row, "p")?, number(row, "q")?, number(row, "gamma")?];
            let model = GammaGamma::new(GammaGammaParams { p, q, gamma }).map_err(|error| error.to_string())?;
            let spend = SpendHistory::new(count(row, "x")?, number(row, "zbar")?).map_err(|error| error.to_string())?;
            Box::new(move |key| spend_output(&model, &spend, key))
        }
    };
    for key in outputs {
        let value = text(output(&key)?);
        row.insert(key, value);
    }
    Ok(())
}
