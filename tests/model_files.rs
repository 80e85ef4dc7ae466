//! Model files: the schema, the stored file of this format, and files that were damaged.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::{
    BgNbd, Fit, FitRecord, GammaGamma, History, Level, ModelFile, Observation, ParetoNbd, SpendHistory, TransactionLog, random_stream,
};
use rand::RngExt;

/// A file of format 1, as the first version wrote it. It must read for ever.
const STORED: &str = include_str!("data/model_format_1.json");

#[test]
fn the_stored_file_of_format_1_reads_and_scores() {
    let file = ModelFile::from_json(STORED).unwrap();
    assert_eq!(file.to_json(), STORED.replace("\r\n", "\n"));
    let scorer = file.scorer(Some("1997-09-30".parse().unwrap())).unwrap();
    let (history, spend) = (History::new(2, 30.43, 38.86).unwrap(), SpendHistory::new(2, 22.35).unwrap());
    let score = scorer.score(&history, &spend);
    assert_eq!(format!("{:.6} {:.4}", score.p_alive, score.clv.unwrap()), "0.726609 36.8648");
    let forecaster = file.forecaster_by(file.definition(), Some("1997-09-30".parse().unwrap())).unwrap();
    let value = forecaster.value(&history, &spend).unwrap();
    assert_eq!(format!("{:.2}", value.quantile(0.95)), "136.70");
    assert_eq!(file.purchases().parameter_distribution().unwrap().points().len(), 8);
}

#[test]
fn a_fit_comes_back_from_a_file_as_it_was() {
    let log = TransactionLog::from_csv("examples/data/cdnow_sample.csv").unwrap();
    let customers = log.summarize(&Observation::until("1997-09-30".parse().unwrap()).in_weeks()).unwrap();
    let file = ModelFile::from_json(STORED).unwrap();
    assert!(file.fitted::<ParetoNbd>().is_none());
    let (stored, again) = (file.fitted::<BgNbd>().unwrap(), BgNbd::fit(&customers).unwrap());
    assert!((stored.log_likelihood() - again.log_likelihood()).abs() < 1e-9);
    assert_eq!((stored.status(), stored.unit(), stored.observation_end()), (again.status(), again.unit(), again.observation_end()));
    let (one, other) = (stored.interval(2, Level::default()).unwrap(), again.interval(2, Level::default()).unwrap());
    assert!((one.0 / other.0 - 1.0).abs() < 1e-6 && (one.1 / other.1 - 1.0).abs() < 1e-6);
    assert_eq!(FitRecord::of(&stored), *file.purchases());
    assert_eq!(FitRecord::of(&file.fitted::<GammaGamma>().unwrap()), *file.spend().unwrap());
}

#[test]
#[cfg(feature = "schema")]
fn the_schema_in_the_documentation_is_that_of_the_types() {
    let stored = include_str!("../docs/model.schema.json").replace("\r\n", "\n");
    let ours = ModelFile::json_schema();
    assert!(stored == ours, "docs/model.schema.json is out of date; it should read:\n{ours}");
    // It names every key that the stored file has, at the top and in a fit.
    let schema: serde_json::Value = serde_json::from_str(&ours).unwrap();
    let file: serde_json::Value = serde_json::from_str(STORED).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    for key in keys(&file) {
        assert!(schema["properties"][&key].is_object(), "{key}");
    }
    for key in keys(&file["purchases"]) {
        assert!(schema["$defs"]["FitRecord"]["properties"][&key].is_object(), "{key}");
    }
}

/// What became of a mutated file.
#[derive(Debug, Default)]
struct Fates {
    refused: u32,
    same: u32,
    other: u32,
}

/// Reads a mutated file; whatever reads must be a model that works and writes itself back to the same bits.
fn fate(text: &str, original: &ModelFile, fates: &mut Fates) {
    let Ok(file) = ModelFile::from_json(text) else {
        fates.refused += 1;
        return;
    };
    let written = file.to_json();
    assert_eq!(ModelFile::from_json(&written).unwrap().to_json(), written);
    let score = |file: &ModelFile| {
        let scorer = file.scorer(Some("1997-09-30".parse().unwrap())).unwrap();
        scorer.score(&History::new(2, 30.43, 38.86).unwrap(), &SpendHistory::new(2, 22.35).unwrap())
    };
    if score(&file) == score(original) {
        fates.same += 1;
    } else {
        fates.other += 1;
        let score = score(&file);
        assert!((0.0..=1.0).contains(&score.p_alive) && score.discounted_purchases.is_finite());
    }
}

#[test]
fn damaged_files_are_refused_or_change_nothing() {
    let original = ModelFile::from_json(STORED).unwrap();
    let mut fates = Fates::default();
    let mut value: serde_json::Value = serde_json::from_str(STORED).unwrap();
    // Also without the checksum, by structure alone.
    value.as_object_mut().unwrap().remove("checksum").unwrap();
    // Every key, one after the other: removed, renamed, put into a list, replaced.
    let mut paths = Vec::new();
    collect(&value, &mut Vec::new(), &mut paths);
    for path in &paths {
        for damage in 0..4 {
            let mut copy = value.clone();
            let parent = path[..path.len() - 1].iter().fold(&mut copy, |at, key| at.get_mut(key).unwrap()).as_object_mut().unwrap();
            let key = path.last().unwrap();
            let old = parent.remove(key).unwrap();
            match damage {
                0 => {}
                1 => drop(parent.insert(format!("{key}x"), old)),
                2 => drop(parent.insert(key.clone(), serde_json::Value::Array(vec![old]))),
                _ => drop(parent.insert(key.clone(), serde_json::Value::Bool(true))),
            }
            fate(&copy.to_string(), &original, &mut fates);
        }
    }
    assert_eq!((fates.same, fates.other), (0, 0), "a structural damage went unnoticed: {fates:?}");
    assert!(fates.refused > 150, "{fates:?}");
}

/// The paths of all keys.
fn collect(value: &serde_json::Value, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        path.push(key.clone());
        paths.push(path.clone());
        collect(inner, path, paths);
        path.pop();
    }
}

#[test]
fn a_thousand_mutated_files_are_refused_or_the_same_model() {
    let original = ModelFile::from_json(STORED).unwrap();
    let mut fates = Fates::default();
    for seed in 0..1000 {
        let mut rng = random_stream(7, seed);
        let mut bytes = STORED.as_bytes().to_vec();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..bytes.len());
            match rng.random_range(0..5) {
                0 => bytes[at] = rng.random(),
                1 => bytes[at] ^= 1 << rng.random_range(0..8),
                2 => drop(bytes.remove(at)),
                3 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, b"0123456789-.eE,:{}[]\"nul "[rng.random_range(0..25)]),
            }
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            fate(text, &original, &mut fates);
        } else {
            fates.refused += 1;
        }
    }
    println!("{fates:?}");
    assert_eq!(fates.other, 0, "a changed digit went unnoticed: {fates:?}");
    assert!(fates.refused > 500, "{fates:?}");
}
