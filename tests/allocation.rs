//! Scoring one customer allocates nothing, and scoring many as little as scoring few.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use clv::{
    AnyPurchaseModel, ClvDefinition, GammaGamma, GammaGammaParams, Histories, History, InstructionSet, ScoreColumns, Scorer, SpendBasis,
    SpendHistory, Spends, TimeUnit,
};

/// The system's allocator, counting the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed to the system's allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

const MODELS: [(&str, &[f64]); 4] = [
    ("bg-nbd", &[0.243, 4.414, 0.793, 2.426]),
    ("mbg-nbd", &[0.525, 6.183, 0.891, 1.614]),
    ("pareto-nbd", &[0.553, 10.578, 0.606, 11.669]),
    ("nbd", &[0.385, 12.072]),
];

fn scorer(name: &str, parameters: &[f64]) -> Scorer<AnyPurchaseModel> {
    let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap();
    let terms = ClvDefinition::default().resolve(TimeUnit::Week, Some("1997-09-30".parse().unwrap())).unwrap();
    Scorer::new(AnyPurchaseModel::from_name(name, parameters).unwrap(), Some(spend), terms)
}

#[test]
fn scoring_one_customer_allocates_nothing() {
    // The machine is looked at once.
    let _ = InstructionSet::in_use();
    for (name, parameters) in MODELS {
        let scorer = scorer(name, parameters);
        let count = allocations(|| {
            for (x, t_x) in [(0, 0.0), (2, 30.43), (29, 37.7), (100_000, 38.0)] {
                let history = History::new(x, t_x, 38.86).unwrap();
                let spend = SpendHistory::new(x, if x == 0 { 0.0 } else { 22.35 }).unwrap();
                assert!(scorer.score(&history, &spend).p_alive >= 0.0);
            }
        });
        assert_eq!(count, 0, "{name}");
    }
}

/// The allocations of scoring a batch whose like has been scored before, in the thread that does it.
fn allocations_of_batch(name: &str, parameters: &[f64], rows: u32) -> u64 {
    let frequency: Vec<u32> = (0..rows).map(|row| row % 5).collect();
    let age: Vec<f64> = (0..rows).map(|row| f64::from(30 + row % 20)).collect();
    let recency: Vec<f64> = frequency.iter().zip(&age).map(|(&x, age)| if x == 0 { 0.0 } else { age / 2.0 }).collect();
    let average_spend: Vec<f64> = frequency.iter().map(|&x| if x == 0 { 0.0 } else { 22.35 }).collect();
    let histories = Histories::new(&frequency, &recency, &age).unwrap();
    let spends = Spends::new(&frequency, &average_spend, SpendBasis::RepeatPurchases).unwrap();
    let batches = scorer(name, parameters).in_batches();
    let mut clv = vec![0.0; frequency.len()];
    let mut score = || batches.score(&histories, &spends, ScoreColumns { clv: Some(&mut clv), ..ScoreColumns::default() }).unwrap();
    // With one thread the pool does the work where it is told to.
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| {
        score();
        allocations(score)
    })
}

#[test]
fn scoring_many_customers_allocates_as_little_as_scoring_few() {
    for (name, parameters) in MODELS {
        assert_eq!(allocations_of_batch(name, parameters, 2_000), allocations_of_batch(name, parameters, 200_000), "{name}");
    }
}

#[test]
fn the_counter_counts() {
    assert!(allocations(|| drop(std::hint::black_box(vec![1_u8; 100]))) > 0);
}
