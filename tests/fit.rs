//! Fits that are published or were computed by independent software.

use clv::{BgNbd, Customer, Customers, Fit, FitStatus, GammaGamma, History, TimeUnit};

/// The published summary of the CDNOW sample, rounded to two decimals.
fn published_summary() -> Customers {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/cdnow_sample_summary_published.csv")).unwrap();
    let mut customers = Customers::new(TimeUnit::Week);
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |i: usize| fields[i].parse::<f64>().unwrap();
        let history = History::new(number(1) as u32, number(2), number(3)).unwrap();
        customers.push(Customer { id: fields[0], history, average_spend: number(4), weight: 1.0, purchases: None }).unwrap();
    }
    customers
}

fn close(ours: f64, expected: f64, tolerance: f64) {
    assert!((ours - expected).abs() <= tolerance, "{ours} against {expected}");
}

#[test]
fn bg_nbd_on_the_published_summary() {
    // 50-digit optimum: -9582.425560567367042 at .242593, 4.413532, .792886, 2.425752
    let fitted = BgNbd::fit(&published_summary()).unwrap();
    assert_eq!(fitted.status(), FitStatus::Converged);
    close(fitted.log_likelihood(), -9_582.425_560_567_367, 1e-9);
    let params = fitted.model().params();
    close(params.r, 0.242_593, 5e-7);
    close(params.alpha, 4.413_532, 5e-6);
    close(params.a, 0.792_886, 5e-6);
    close(params.b, 2.425_752, 5e-6);
    assert!(fitted.evaluations() <= 8, "{} evaluations", fitted.evaluations());
    assert!(fitted.notices().is_empty(), "{:?}", fitted.notices());
}

#[test]
fn gamma_gamma_on_the_published_summary() {
    // 50-digit optimum: -4055.923243502864255 at 6.248802, 3.744588, 15.447748
    let fitted = GammaGamma::fit(&published_summary()).unwrap();
    assert_eq!(fitted.status(), FitStatus::Converged);
    close(fitted.log_likelihood(), -4_055.923_243_502_864, 1e-9);
    let params = fitted.model().params();
    close(params.p, 6.248_802, 5e-6);
    close(params.q, 3.744_588, 5e-6);
    close(params.gamma, 15.447_748, 5e-5);
    assert_eq!(fitted.customers(), 946.0);
}
