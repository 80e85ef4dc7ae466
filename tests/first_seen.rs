//! Logs that start in the middle are recognised, others are not.
#![cfg(feature = "csv")]
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]

use std::collections::BTreeMap;

use clv::{BgNbd, BgNbdParams, Date, FirstSeenFlow, Observation, Simulate, TransactionLog, random_stream};
use rand::RngExt;

/// The flow of the CDNOW sample, cut to these days.
fn cdnow(start: &str, end: &str) -> FirstSeenFlow {
    let (start, end): (Date, Date) = (start.parse().unwrap(), end.parse().unwrap());
    let text = std::fs::read_to_string(format!("{}/examples/data/cdnow_sample.csv", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut first: BTreeMap<String, i32> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let mut fields = line.split(',').skip(1);
        let (customer, date) = (fields.next().unwrap(), fields.next().unwrap().parse::<Date>().unwrap());
        if (start..=end).contains(&date) {
            let day = date.days_since(start);
            first.entry(customer.to_owned()).and_modify(|first| *first = day.min(*first)).or_insert(day);
        }
    }
    // A purchase is somewhere within its day.
    let times: Vec<f64> = first.values().map(|day| f64::from(*day) + 0.5).collect();
    FirstSeenFlow::of(&times, f64::from(end.days_since(start) + 1)).unwrap()
}

#[test]
fn cdnow_from_its_start_is_whole() {
    for end in ["1997-06-30", "1997-09-30", "1998-06-30"] {
        let flow = cdnow("1997-01-01", end);
        println!("to {end}: p {:.3}, {:?}", flow.p_steady(), flow.windows());
        assert!(!flow.starts_in_the_middle(), "{flow:?}");
    }
}

#[test]
fn cdnow_from_march_starts_in_the_middle() {
    for (start, end) in [("1997-03-01", "1998-06-30"), ("1997-03-01", "1997-09-30"), ("1997-02-01", "1998-06-30")] {
        let flow = cdnow(start, end);
        println!("from {start} to {end}: p {:.1e}, {:?}", flow.p_steady(), flow.windows());
        assert!(flow.starts_in_the_middle(), "{flow:?}");
    }
}

/// First-seen times in a year of customers acquired at random over this many years, of whom the log holds the last one.
fn simulated(years: f64, customers: usize, seed: u64) -> FirstSeenFlow {
    let model = BgNbd::new(BgNbdParams { r: 0.6, alpha: 6.0, a: 0.9, b: 2.4 }).unwrap();
    let mut first = Vec::new();
    for i in 0..customers {
        let mut rng = random_stream(seed, i as u64);
        let born = 52.0 - 52.0 * years * rng.random::<f64>();
        if born >= 0.0 {
            first.push(born);
            continue;
        }
        let traits = model.draw_traits(&mut rng);
        first.extend(traits.purchase_times(52.0 - born, rng).map(|time| born + time).find(|time| *time >= 0.0));
    }
    FirstSeenFlow::of(&first, 52.0).unwrap()
}

#[test]
fn a_steady_flow_is_rarely_taken_for_a_middle() {
    let flagged = (0..200).filter(|seed| simulated(1.0, 2_000, 1000 + seed).starts_in_the_middle()).count();
    // 1 % at most: of 200 more than 6 by chance in less than 1 of 200 cases.
    assert!(flagged <= 6, "{flagged} of 200");
}

#[test]
fn old_customers_give_a_middle_away() {
    let flagged = (0..20).filter(|seed| simulated(3.0, 10_000, 2000 + seed).starts_in_the_middle()).count();
    assert!(flagged == 20, "{flagged} of 20");
}

#[test]
fn a_launch_with_customers_who_buy_often_is_not_refused() {
    // 290 customers on the first day, an excess that halves every 4 days, then 20 a day; each buys every ten days or so and stays for half a year. In the second two
    // weeks as much is bought as in the first two, but not by the same customers.
    let mut rng = random_stream(5, 0);
    let (mut ids, mut dates): (Vec<String>, Vec<Date>) = (Vec::new(), Vec::new());
    let start: Date = "2025-01-01".parse().unwrap();
    let mut exponential = |mean: f64| -mean * (1.0 - rng.random::<f64>()).ln();
    let mut customers = 0;
    for day in 0..364 {
        for _ in 0..(20.0 + 270.0 * 0.5_f64.powf(f64::from(day) / 4.0)) as u32 {
            customers += 1;
            let (mut at, end) = (f64::from(day), f64::from(day) + exponential(180.0));
            while at < 364.0 && at <= end {
                ids.push(format!("{customers:06}"));
                dates.push(Date::from_days_since_1970(start.days_since_1970() + at as i32).unwrap());
                at += exponential(10.0);
            }
        }
    }
    let log = TransactionLog::from_columns(&ids, &dates, &vec![1.0; ids.len()]).unwrap();
    let flow = FirstSeenFlow::of_log(&log, &Observation::until("2025-12-30".parse().unwrap())).unwrap();
    assert!(flow.starts_in_the_middle() && !flow.starts_in_the_middle_beyond_doubt(), "{flow:?}");
}
