//! Customer states: what was added night by night, in whatever pieces and order, is what one reading of everything gives, to the bit.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]
#![cfg(feature = "csv")]

use std::fs;

use clv::{
    BadRows, CustomerState, CustomerStates, Customers, Date, DuplicatePolicy, LogFiles, MergePeriod, Moment, Observation, ReadOptions,
    RefundPolicy, Transaction, TransactionLog, write_customers_csv,
};
use proptest::prelude::*;

const IDS: [&str; 5] = ["0", "b", "a", "00", "é,\"x\""];

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// An hour of January 2026, counted from 0.
fn hour(hour: i32) -> Moment {
    let day = Date::from_days_since_1970(date("2026-01-01").days_since_1970() + hour / 24).unwrap();
    Moment::new(day, (hour % 24) as u8).unwrap()
}

fn event(&(id, at, amount): &(usize, i32, f64)) -> Transaction<'static> {
    Transaction { customer: IDS[id], time: hour(at), amount }
}

fn bytes(customers: &Customers) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_customers_csv(customers, &mut bytes).unwrap();
    bytes
}

/// Summary and report, or the message of an error.
fn outcome(customers: clv::Result<Customers>) -> Result<(Vec<u8>, clv::DataReport), String> {
    customers.map(|customers| (bytes(&customers), customers.report().unwrap().clone())).map_err(|error| error.to_string())
}

/// Purchases, refunds and gifts of a few customers on a few days, with many ties; amounts whose sums depend on the order, to the last bit.
fn events() -> impl Strategy<Value = Vec<(usize, i32, f64)>> {
    let amount = prop_oneof![
        4 => (1_i64..5_000).prop_map(|cents| cents as f64 / 100.0),
        2 => (1_i64..5_000).prop_map(|cents| -(cents as f64) / 100.0),
        2 => (0.0..1.0).prop_map(|part: f64| part * 1e6),
        1 => Just(0.0),
        1 => Just(0.1),
    ];
    // Some of them come twice.
    (prop::collection::vec((0..IDS.len(), 0_i32..14 * 24, amount), 1..60), 0_usize..20).prop_map(|(mut events, again)| {
        events.extend_from_within(..again.min(events.len()));
        events
    })
}

fn observations() -> impl Strategy<Value = Observation> {
    let refunds = prop_oneof![Just(RefundPolicy::Net), Just(RefundPolicy::Drop), Just(RefundPolicy::Error)];
    (1_i32..16, any::<bool>(), refunds, any::<bool>()).prop_map(|(end, by_hour, refunds, drop)| {
        let merge = if by_hour { MergePeriod::Hour } else { MergePeriod::Day };
        let duplicates = if drop { DuplicatePolicy::Drop } else { DuplicatePolicy::Keep };
        Observation::until(hour(end * 24 - 1).date()).in_days().merge(merge).refunds(refunds).duplicates(duplicates)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(11), ..ProptestConfig::default() })]

    #[test]
    fn night_by_night_is_all_at_once(
        events in events(),
        observation in observations(),
        nights in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        order in any::<u64>(),
    ) {
        // Each event comes on some night, late or not, and within the night in some order.
        let full = TransactionLog::from_events(events.iter().map(event)).unwrap().summarize(&observation);
        let mut mixed = events.clone();
        mixed.sort_by_key(|&(id, at, amount)| (order ^ amount.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(id as u32 + at as u32));
        let mut cuts: Vec<usize> = nights.iter().map(|night| night.index(mixed.len() + 1)).chain([0, mixed.len()]).collect();
        cuts.sort_unstable();

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.clv");
        CustomerStates::new().save(&path).unwrap();
        let mut merged = CustomerStates::new();
        for cut in cuts.windows(2) {
            let tonight = &mixed[cut[0]..cut[1]];
            let mut states = CustomerStates::load(&path).unwrap();
            states.take_log(TransactionLog::from_events(tonight.iter().map(event)).unwrap()).unwrap();
            states.save(&path).unwrap();
            let mut own = CustomerStates::new();
            tonight.iter().for_each(|row| own.take(event(row)).unwrap());
            own.merge(merged).unwrap();
            merged = own;
        }
        let states = CustomerStates::load(&path).unwrap();
        let full = outcome(full);
        prop_assert_eq!(&outcome(states.summarize(&observation)), &full);
        prop_assert_eq!(&outcome(merged.summarize(&observation)), &full);
        merged.save(directory.path().join("merged.clv")).unwrap();
        prop_assert_eq!(fs::read(directory.path().join("merged.clv")).unwrap(), fs::read(&path).unwrap());
    }

    #[test]
    fn one_customer_event_by_event_is_the_row_of_the_log(events in events(), observation in observations(), cut in any::<prop::sample::Index>()) {
        let log = TransactionLog::from_events(events.iter().map(event)).unwrap();
        let (early, late) = events.split_at(cut.index(events.len()));
        for (number, id) in IDS.into_iter().enumerate() {
            let (mut state, mut other) = (CustomerState::new(), CustomerState::new());
            let take = |state: &mut CustomerState, rows: &[(usize, i32, f64)]| {
                rows.iter().filter(|row| row.0 == number).for_each(|&(_, at, amount)| state.take(hour(at), amount).unwrap());
            };
            take(&mut state, &events);
            take(&mut other, late);
            let mut early_state = CustomerState::new();
            take(&mut early_state, early);
            other.merge(&early_state);
            prop_assert_eq!(&state, &other);
            let purchases = log.purchases_of(id, &observation);
            match state.history(&observation) {
                Ok(Some((history, spend))) => {
                    let customers = TransactionLog::from_events(events.iter().filter(|row| row.0 == number).map(event)).unwrap().summarize(&observation).unwrap();
                    prop_assert_eq!((history, spend), (customers.history(0), customers.spend(0)));
                }
                Ok(None) => prop_assert!(purchases.unwrap().is_empty()),
                Err(error) => prop_assert_eq!(error.to_string().replace("\"-\"", &format!("{id:?}")), purchases.unwrap_err().to_string()),
            }
        }
    }
}

#[test]
fn a_file_is_taken_in_once_and_bad_files_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let files = |names: &[&std::path::PathBuf]| LogFiles::find(names).unwrap();
    let monday = file("monday.csv", "customer_id,date,amount\na,2026-01-05,20\n,2026-01-05,1.5\n");
    let tuesday = file("tuesday.csv", "customer_id,date,amount\nb,2026-01-06,30\na,2026-01-04,0.1\n");
    let again = file("copy.csv", "customer_id,date,amount\na,2026-01-05,20\n,2026-01-05,1.5\n");
    let bad = file("bad.csv", "customer_id,date,amount\nc,2026-01-06,30\nd,never,1\n");
    let skip = ReadOptions { bad_rows: BadRows::Skip, ..ReadOptions::default() };

    let mut states = CustomerStates::new();
    states.take_files(&files(&[&monday]), &skip, &|_| {}).unwrap();
    for names in [&[&again][..], &[&tuesday, &again], &[&monday]] {
        let error = states.take_files(&files(names), &skip, &|_| {}).unwrap_err().to_string();
        assert!(error.contains("has been taken in before, as ") && error.contains("monday.csv with 2 rows"), "{error}");
    }
    let error = states.take_files(&files(&[&tuesday, &bad]), &ReadOptions::default(), &|_| {}).unwrap_err().to_string();
    assert!(
        error.contains("bad.csv:3: column \"date\"") && error.ends_with("; before this file, one file was read, with 2 rows"),
        "{error}"
    );
    assert_eq!((states.log().len(), states.taken_in().len()), (1, 1));

    states.take_files(&files(&[&tuesday]), &skip, &|_| {}).unwrap();
    let full = LogFiles::find([&monday, &tuesday]).unwrap().read(&skip).unwrap();
    let observation = Observation::until(date("2026-01-31"));
    let mut expected = outcome(full.summarize(&observation));
    assert_eq!(outcome(states.summarize(&observation)), expected);
    let path = directory.path().join("state.clv");
    states.save(&path).unwrap();
    let states = CustomerStates::load(&path).unwrap();
    assert_eq!(states.taken_in().iter().map(|file| file.rows).collect::<Vec<_>>(), [2, 2]);
    // A state file counts the rows that were skipped, and holds none of them.
    let (_, report) = expected.as_mut().unwrap();
    assert!(report.first_skipped.take().unwrap().contains("monday.csv:3: column \"customer_id\""));
    assert_eq!(outcome(states.summarize(&observation)), expected);
    assert_eq!(states.state("a").unwrap().len(), 2);
    assert_eq!(states.state("nobody"), None);
}

#[test]
fn a_damaged_state_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.clv");
    let mut states = CustomerStates::new();
    for row in [(0, 5, 20.0), (1, 5, 1.0 / 3.0), (4, 100, -1e-300)] {
        states.take(event(&row)).unwrap();
    }
    states.save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    for position in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x04;
        fs::write(&path, &damaged).unwrap();
        assert!(CustomerStates::load(&path).is_err(), "byte {position}");
        fs::write(&path, &whole[..position]).unwrap();
        assert!(CustomerStates::load(&path).is_err(), "{position} bytes");
    }
    fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert!(CustomerStates::load(&path).unwrap_err().to_string().contains("damaged"));
    fs::write(&path, "customer_id,date,amount\n").unwrap();
    assert!(CustomerStates::load(&path).unwrap_err().to_string().contains("it is no state file"));
}

#[test]
fn the_first_row_skipped_of_several_readings_is_that_of_the_earliest() {
    let directory = tempfile::tempdir().unwrap();
    let files = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, format!("customer_id,date,amount\n{text}")).unwrap();
        LogFiles::find([path]).unwrap()
    };
    let options = ReadOptions { bad_rows: BadRows::Skip, ..ReadOptions::default() };
    // The bad row of the earlier file stands far behind its beginning, that of the later one at its beginning.
    let far = files("far.csv", "a,2026-01-05,20\n".repeat(100_000) + "a,far,20\n");
    let near = files("near.csv", "a,near,20\na,2026-01-05,20\n".to_owned());
    let first = |log: &TransactionLog| {
        log.summarize(&Observation::until(date("2026-01-31"))).unwrap().report().unwrap().first_skipped.clone().unwrap()
    };
    let mut log = far.read(&options).unwrap();
    log.append(near.read(&options).unwrap()).unwrap();
    assert!(first(&log).contains("\"far\""), "{}", first(&log));
    let mut log = near.read(&options).unwrap();
    log.append(far.read(&options).unwrap()).unwrap();
    assert!(first(&log).contains("\"near\""), "{}", first(&log));

    let mut states = CustomerStates::new();
    states.take_files(&far, &options, &|_| {}).unwrap();
    states.take_files(&near, &options, &|_| {}).unwrap();
    assert!(first(states.log()).contains("\"far\""), "{}", first(states.log()));
    // Of somebody who has skipped nothing, it is that of the other.
    let mut merged = CustomerStates::new();
    merged.merge(states).unwrap();
    assert!(first(merged.log()).contains("\"far\""), "{}", first(merged.log()));
}
