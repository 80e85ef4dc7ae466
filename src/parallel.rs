//! Work on all cores where there is leave to use them; results come in order, so that nothing depends on the number of threads.

/// f(0), f(1), ... f(count - 1).
pub(crate) fn map_indices<T: Send>(count: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        (0..count).into_par_iter().map(f).collect()
    }
    #[cfg(not(feature = "parallel"))]
    (0..count).map(f).collect()
}

/// Both, the one beside the other.
#[cfg(feature = "cli")]
pub(crate) fn join<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    #[cfg(feature = "parallel")]
    return rayon::join(one, other);
    #[cfg(not(feature = "parallel"))]
    (one(), other())
}

/// f of every item.
pub(crate) fn for_each<T: Send>(items: Vec<T>, f: impl Fn(T) + Sync + Send) {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        items.into_par_iter().for_each(f);
    }
    #[cfg(not(feature = "parallel"))]
    items.into_iter().for_each(f);
}

/// Sorts by a key that tells all rows apart that are not the same: the order of equal ones then does not matter.
pub(crate) fn sort_unstable<T: Send, K: Ord>(rows: &mut [T], key: impl Fn(&T) -> K + Sync) {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        rows.par_sort_unstable_by_key(key);
    }
    #[cfg(not(feature = "parallel"))]
    rows.sort_unstable_by_key(key);
}

/// Threads that work side by side.
pub(crate) fn threads() -> usize {
    #[cfg(feature = "parallel")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "parallel"))]
    1
}
