//! Every instruction set gives the same bits: likelihoods with their derivatives, and every quantity that runs in vectors.
//!
//! One test alone in its program, since the set in use is the whole process's.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use clv::{
    AcquisitionCohort, BgNbd, Customers, Estimable, GammaGamma, GammaGammaParams, InstructionSet, MbgNbd, Nbd, Observation, ParetoNbd,
    ParetoNbdParams, Population, PurchaseModel, Sample, TimeUnit,
};

/// Customers by day, for whom pairs of x and a time repeat, and in continuous time, for whom they do not.
fn customers() -> [Customers; 2] {
    let model = ParetoNbd::new(ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 }).unwrap();
    let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap();
    let end = "1997-09-30".parse().unwrap();
    let simulation = Population::new(model, TimeUnit::Week, end)
        .cohort(AcquisitionCohort { first_day: "1997-01-01".parse().unwrap(), days: 20, customers: 3000 })
        .spend(spend)
        .seed(7)
        .simulate()
        .unwrap();
    [simulation.log().unwrap().summarize(&Observation::until(end).in_weeks()).unwrap(), simulation.customers()]
}

/// The bits of the value, gradient and Hessian of ln L over a sample.
fn evaluation<M: Estimable>(parameters: &[f64], sample: &M::Sample) -> Vec<u64> {
    let evaluation = M::from_parameters(parameters).unwrap().ln_likelihood_sum(sample);
    let entries = evaluation.gradient.iter().chain(evaluation.hessian.iter());
    std::iter::once(&evaluation.value).chain(entries).map(|value| value.to_bits()).collect()
}

/// The bits of what a scorer asks of a model, for some customers.
fn quantities<M: PurchaseModel>(model: &M, customers: &Customers) -> Vec<u64> {
    let of_one = |row: usize| {
        let history = customers.history(row);
        let future = model.given_alive(&history);
        [
            model.ln_likelihood(&history),
            model.p_alive(&history),
            model.p_dead(&history),
            future.p_active(52.0),
            future.expected_purchases(52.0),
            future.discounted_expected_purchases(52.0, 0.0018),
            future.purchase_pmf(2, 52.0),
        ]
    };
    (0..customers.len()).step_by(37).flat_map(of_one).map(f64::to_bits).collect()
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    const PARETO: [[f64; 4]; 3] = [[0.55, 10.6, 0.61, 11.7], [2.0, 0.5, 3.0, 500.0], [0.9, 300.0, 0.4, 2.0]];
    const BETA: [[f64; 4]; 2] = [[0.24, 4.4, 0.79, 2.43], [0.5, 6.2, 1.0, 0.3]];
    let customers = customers();
    let samples: Vec<_> = customers.iter().map(|customers| Sample::new(customers).unwrap()).collect();
    let spends: Vec<_> = customers.iter().map(|customers| Sample::new(customers).unwrap()).collect();
    let everything = || {
        let mut bits = Vec::new();
        for ((customers, sample), spend) in customers.iter().zip(&samples).zip(&spends) {
            for parameters in &PARETO {
                bits.extend(evaluation::<ParetoNbd>(parameters, sample));
                bits.extend(quantities(&ParetoNbd::from_parameters(parameters).unwrap(), customers));
            }
            for parameters in &BETA {
                bits.extend(evaluation::<BgNbd>(parameters, sample));
                bits.extend(evaluation::<MbgNbd>(parameters, sample));
                bits.extend(quantities(&BgNbd::from_parameters(parameters).unwrap(), customers));
                bits.extend(quantities(&MbgNbd::from_parameters(parameters).unwrap(), customers));
            }
            bits.extend(evaluation::<Nbd>(&[0.38, 12.1], sample));
            bits.extend(evaluation::<GammaGamma>(&[6.25, 3.74, 15.44], spend));
        }
        bits
    };
    InstructionSet::Baseline.limit();
    let baseline = everything();
    for set in InstructionSet::available() {
        set.limit();
        assert_eq!(InstructionSet::in_use(), set);
        assert!(everything() == baseline, "{set:?} differs from the baseline");
    }
}
