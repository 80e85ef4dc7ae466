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
