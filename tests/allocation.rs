//! Scoring one customer allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use clv::{AnyPurchaseModel, ClvDefinition, GammaGamma, GammaGammaParams, History, Scorer, SpendHistory, TimeUnit};

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

#[test]
fn scoring_one_customer_allocates_nothing() {
    let spend = GammaGamma::new(GammaGammaParams { p: 6.25, q: 3.74, gamma: 15.44 }).unwrap();
    let terms = ClvDefinition::default().resolve(TimeUnit::Week, Some("1997-09-30".parse().unwrap())).unwrap();
    let models: [(&str, &[f64]); 4] = [
        ("bg-nbd", &[0.243, 4.414, 0.793, 2.426]),
        ("mbg-nbd", &[0.525, 6.183, 0.891, 1.614]),
        ("pareto-nbd", &[0.553, 10.578, 0.606, 11.669]),
        ("nbd", &[0.385, 12.072]),
    ];
    for (name, parameters) in models {
        let scorer = Scorer::new(AnyPurchaseModel::from_name(name, parameters).unwrap(), Some(spend), terms);
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

#[test]
fn the_counter_counts() {
    assert!(allocations(|| drop(std::hint::black_box(vec![1_u8; 100]))) > 0);
}
