//! Histories and parameters at which other packages fail, silently or with NaN, and what is right there.
//!
//! Numbers in the names are those of the list of cases the tests were made from; the exact values were computed with 50 digits (mpmath).
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

use clv::{
    BgNbd, BgNbdParams, Customer, Customers, ErrorKind, GammaGamma, GammaGammaParams, History, MbgNbd, MbgNbdParams, ParetoNbd,
    ParetoNbdParams, PurchaseModel, SpendHistory, TimeUnit,
};

/// Log-likelihoods: relative, absolute below 1. Other values v: relative, times 1 + |ln v|.
const ACCURACY: f64 = 1e-12;

/// The parameters of the CDNOW sample, in weeks.
const CDNOW: [f64; 4] = [0.243, 4.414, 0.793, 2.426];

fn bg_nbd([r, alpha, a, b]: [f64; 4]) -> BgNbd {
    BgNbd::new(BgNbdParams { r, alpha, a, b }).unwrap()
}

fn mbg_nbd([r, alpha, a, b]: [f64; 4]) -> MbgNbd {
    MbgNbd::new(MbgNbdParams { r, alpha, a, b }).unwrap()
}

fn pareto_nbd([r, alpha, s, beta]: [f64; 4]) -> ParetoNbd {
    ParetoNbd::new(ParetoNbdParams { r, alpha, s, beta }).unwrap()
}

fn history(x: u32, t_x: f64, age: f64) -> History {
    History::new(x, t_x, age).unwrap()
}

#[track_caller]
fn value(ours: f64, expected: f64) {
    let tolerance = ACCURACY * (1.0 + expected.ln().abs()) * expected;
    assert!((ours - expected).abs() <= tolerance, "{ours:e} against {expected:e}");
}

#[track_caller]
fn log_likelihood(ours: f64, expected: f64) {
    assert!((ours - expected).abs() <= ACCURACY * expected.abs().max(1.0), "{ours} against {expected}");
}

/// ln L, P(alive) and the expected purchases in (T, T + t] of Pareto/NBD.
#[track_caller]
fn pareto(parameters: [f64; 4], (x, t_x, age): (u32, f64, f64), t: f64, expected: [f64; 3]) {
    let (model, history) = (pareto_nbd(parameters), history(x, t_x, age));
    log_likelihood(model.ln_likelihood(&history), expected[0]);
    value(model.p_alive(&history), expected[1]);
    value(model.conditional_expected_purchases(&history, t), expected[2]);
}

#[test]
fn case_1_bg_expectation_when_a_plus_b_is_below_1() {
    // NaN elsewhere: the logarithm of a negative 2F1.
    let nobody = history(0, 0.0, 38.86);
    value(bg_nbd([0.25, 4.0, 0.4, 0.55]).conditional_expected_purchases(&nobody, 39.0), 0.189_956_406_512_799_164_1);
    value(bg_nbd([0.25, 4.0, 0.3, 0.4]).conditional_expected_purchases(&nobody, 365.0), 1.095_183_204_061_425_888);
    value(bg_nbd([0.25, 4.0, 0.1, 0.3]).conditional_expected_purchases(&nobody, 365.0), 1.530_696_422_496_039_726);
    value(bg_nbd([0.5, 6.0, 0.3, 0.4]).conditional_expected_purchases(&nobody, 365.0), 1.961_586_350_170_115_655);
}

#[test]
fn case_1_bg_expectation_for_all_of_cdnow_when_a_plus_b_is_below_1() {
    // NaN for 59.9 % of the customers elsewhere.
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/cdnow_sample_summary_published.csv")).unwrap();
    let model = bg_nbd([0.25, 4.0, 0.4, 0.55]);
    let mut customers = 0;
    for line in text.lines().skip(1) {
        let fields: Vec<f64> = line.split(',').skip(1).take(3).map(|field| field.parse().unwrap()).collect();
        let history = history(fields[0] as u32, fields[1], fields[2]);
        let expected = [12.0, 39.0, 52.0, 365.0].map(|t| model.conditional_expected_purchases(&history, t));
        assert!(expected.iter().all(|value| value.is_finite() && *value > 0.0), "{history:?}: {expected:?}");
        assert!(expected.is_sorted(), "{history:?}: {expected:?}");
        customers += 1;
    }
    assert_eq!(customers, 2_357);
}

#[test]
fn case_5_pareto_with_beta_far_above_alpha() {
    // NaN elsewhere: 2F1 overflows.
    pareto(
        [2.0, 0.5, 3.0, 5_000.0],
        (100, 30.0, 39.0),
        39.0,
        [9.719_934_479_554_099_435, 1.940_547_654_494_316_505e-8, 1.931_846_943_158_244_001e-6],
    );
    pareto(
        [2.0, 2.0, 3.0, 8_000.0],
        (200, 300.0, 365.0),
        39.0,
        [-291.214_116_674_030_198_7, 1.426_118_976_484_041_51e-14, 3.040_021_799_838_030_43e-13],
    );
}

#[test]
fn case_6_pareto_with_ten_thousand_purchases() {
    // ln L = +infinity and P(alive) = 0 elsewhere.
    pareto(
        [2.0, 0.5, 3.0, 5_000.0],
        (10_000, 4_990.0, 5_000.0),
        39.0,
        [-3_064.074_944_195_448_74, 1.341_730_770_624_833_445e-5, 1.040_563_400_687_304_727e-3],
    );
    pareto(
        [2.0, 0.5, 3.0, 5_000.0],
        (100_000, 4_999.0, 5_000.0),
        39.0,
        [199_569.809_217_685_945_2, 1.372_993_427_909_751_284e-4, 0.106_461_715_685_065_132],
    );
}

#[test]
fn case_7_pareto_with_alpha_far_above_beta() {
    // NaN elsewhere.
    pareto(
        [0.9, 1e5, 0.4, 20.0],
        (1_000, 100.0, 5_000.0),
        39.0,
        [-5_604.982_548_711_471_052, 2.091_948_498_959_497_228e-21, 7.765_047_195_945_767_295e-22],
    );
}

#[test]
fn case_8_bg_and_mbg_with_a_of_1() {
    // NaN or infinity elsewhere, for every customer: a division by a - 1.
    let (parameters, history) = ([0.243, 4.414, 1.0, 2.426], history(2, 30.43, 38.86));
    value(bg_nbd(parameters).conditional_expected_purchases(&history, 39.0), 1.102_136_786_039_955_814);
    value(mbg_nbd(parameters).conditional_expected_purchases(&history, 39.0), 1.224_434_622_274_310_054);
}

#[test]
fn case_9_pareto_with_s_of_1() {
    // NaN elsewhere, for every customer: a division by s - 1.
    pareto(
        [0.553, 10.578, 1.0, 11.669],
        (2, 30.43, 38.86),
        39.0,
        [-10.042_076_547_562_481_4, 0.794_631_294_904_271_561_7, 1.186_052_282_279_343_751],
    );
}

#[test]
fn case_10_just_beside_the_removable_points() {
    // Off by 1e-4 (BG), 1e-6 (Pareto) and 24 % (Pareto, short horizon) elsewhere.
    let (beside, customer) = (1.0 + 1e-8, (2, 30.43, 38.86));
    let model = bg_nbd([0.243, 4.414, beside, 2.426]);
    value(model.conditional_expected_purchases(&history(2, 30.43, 38.86), 39.0), 1.102_136_780_577_650_744);
    let (ln_l, p_alive) = (-10.042_076_559_957_024_15, 0.794_631_293_107_154_147_8);
    pareto([0.553, 10.578, beside, 11.669], customer, 39.0, [ln_l, p_alive, 1.186_052_276_204_799_407]);
    pareto([0.553, 10.578, beside, 11.669], customer, 1e-6, [ln_l, p_alive, 4.103_510_803_891_776_374e-8]);
}

#[test]
fn case_11_short_horizons() {
    // Relative errors from 1e-5 to above 1e-3 elsewhere: 1 - (...) 2F1 cancels.
    let (quiet, active) = (history(2, 30.43, 5_000.0), history(10, 4_900.0, 5_000.0));
    value(bg_nbd(CDNOW).conditional_expected_purchases(&quiet, 1e-6), 2.807_416_385_807_432_632e-14);
    value(bg_nbd(CDNOW).conditional_expected_purchases(&active, 1e-6), 1.885_848_289_748_491_502e-9);
    value(mbg_nbd(CDNOW).conditional_expected_purchases(&active, 1e-6), 1.897_858_079_220_976_685e-9);
    pareto(
        [0.553, 10.578, 0.606, 11.669],
        (10, 4_900.0, 5_000.0),
        1e-6,
        [-78.672_180_866_920_519_64, 0.986_488_117_555_577_043_9, 2.077_686_267_718_938_48e-9],
    );
}

#[test]
fn case_12_long_horizons_and_many_purchases() {
    // NaN elsewhere.
    let (active, bot) = (history(100, 38.0, 38.86), history(100_000, 38.86, 38.86));
    value(bg_nbd(CDNOW).conditional_expected_purchases(&active, 1e6), 3_252.427_422_482_199_014);
    value(mbg_nbd(CDNOW).conditional_expected_purchases(&active, 1e6), 3_278.425_016_103_872_805);
    value(mbg_nbd(CDNOW).conditional_expected_purchases(&bot, 39.0), 68_718.841_715_383_597_62);
}

#[test]
fn case_13_bg_probability_of_many_purchases() {
    // NaN elsewhere: Gamma(x) overflows above 171.
    value(bg_nbd(CDNOW).purchase_pmf(200, 1_000.0), 2.460_102_162_991_918_518e-5);
}

#[test]
fn case_14_a_mean_spend_that_does_not_exist() {
    // -482.5 elsewhere, without a warning: for q < 1 the mean over customers is infinite.
    let model = GammaGamma::new(GammaGammaParams { p: 6.25, q: 0.8, gamma: 15.44 }).unwrap();
    assert_eq!(model.expected_average_spend(&SpendHistory::UNKNOWN), None);
    // A single known purchase is enough for a mean: p (gamma + x m) / (p x + q - 1).
    value(model.expected_average_spend(&SpendHistory::new(1, 20.0).unwrap()).unwrap(), 6.25 * 35.44 / 6.05);
}

#[test]
fn case_15_a_missing_recency_is_refused() {
    // Fitted as a latent variable elsewhere.
    let error = History::new(2, f64::NAN, 38.86).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("recency NaN"), "{error}");
    assert!(History::new(2, 30.43, f64::NAN).is_err());
    // So that no customer of a base can have one; the same for what they spent.
    let mut customers = Customers::new(TimeUnit::Week);
    let customer = Customer { id: "c", history: history(2, 30.43, 38.86), average_spend: f64::NAN, weight: 1.0, purchases: None };
    assert_eq!(customers.push(customer).unwrap_err().kind(), ErrorKind::Data);
}

#[test]
fn case_16_bg_customers_without_a_repeat_purchase_are_alive() {
    // A property of the model, not an error; the models that do not have it say otherwise.
    let silent = history(0, 0.0, 1e6);
    assert_eq!((bg_nbd(CDNOW).p_alive(&silent), bg_nbd(CDNOW).p_dead(&silent)), (1.0, 0.0));
    assert!(mbg_nbd(CDNOW).p_alive(&silent) < 0.7);
    assert!(pareto_nbd([0.553, 10.578, 0.606, 11.669]).p_alive(&silent) < 0.01);
}

#[test]
fn case_17_mbg_likelihood_of_frequent_buyers_who_went_silent() {
    // +infinity elsewhere: ln(1 + e^u) with u > 709.
    let fitted = mbg_nbd([0.525, 6.183, 0.891, 1.614]);
    log_likelihood(fitted.ln_likelihood(&history(180, 100.0, 5_000.0)), -95.524_150_472_549_779_69);
    log_likelihood(fitted.ln_likelihood(&history(190, 100.0, 5_000.0)), -90.073_201_895_913_227_29);
    log_likelihood(mbg_nbd(CDNOW).ln_likelihood(&history(200, 100.0, 5_000.0)), -81.625_343_744_990_505_07);
    log_likelihood(mbg_nbd(CDNOW).ln_likelihood(&history(1_000, 100.0, 5_000.0)), 1_244.496_205_458_616_487);
}

#[test]
fn clvtools_2_pareto_away_from_equal_scales() {
    // P(alive) = 1 and up to 16,000 times too many purchases elsewhere, or NaN: an unscaled 2F1 whose error code is not read.
    pareto(
        [1.5, 20.0, 5.0, 1e5],
        (5, 0.39, 39.0),
        39.0,
        [-16.059_386_689_643_523_76, 0.843_990_865_114_237_641_1, 3.622_768_223_902_332_485],
    );
    pareto(
        [0.6, 0.001, 0.6, 1_000.0],
        (30, 0.5, 1.0),
        39.0,
        [78.401_769_972_914_067_21, 6.239_163_217_850_074_932e-5, 0.073_531_989_967_954_192_82],
    );
    pareto(
        [0.53, 38.0, 64.0, 7_722.0],
        (5, 30.0, 39.0),
        39.0,
        [-18.820_260_676_595_516_62, 0.900_456_985_039_701_441_6, 2.157_263_382_003_355_548],
    );
    pareto(
        [0.6, 200.0, 0.6, 0.01],
        (30, 19.5, 39.0),
        39.0,
        [-95.078_722_844_923_511_34, 0.249_589_879_409_899_313_1, 0.995_534_016_997_505_090_6],
    );
}

#[test]
fn clvtools_3_removable_points_and_many_purchases() {
    // NaN elsewhere for s = 1, a = 1 and from 500 purchases on; within 1e-9 of a = 1 off by 4e-3.
    let history = history(500, 0.999, 1.0);
    value(bg_nbd(CDNOW).conditional_expected_purchases(&history, 39.0), 1_319.620_297_157_339_28);
    for beside in [1.0 - 1e-9, 1.0, 1.0 + 1e-9] {
        let at = |a: f64| bg_nbd([0.243, 4.414, a, 2.426]).conditional_expected_purchases(&history, 39.0);
        let of = |s: f64| pareto_nbd([0.553, 10.578, s, 11.669]).expected_purchases(39.0);
        // d ln E / da is about -1, d ln E / ds about -0.6.
        assert!((at(beside) / at(1.0) - 1.0).abs() < 3e-9 && (of(beside) / of(1.0) - 1.0).abs() < 2e-9);
    }
    value(pareto_nbd([0.553, 10.578, 1.0, 11.669]).expected_purchases(39.0), 0.895_763_236_886_432_635);
}
