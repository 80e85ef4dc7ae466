//! The vector instructions of the machine, and kernels compiled for each set of them.
//!
//! A kernel is plain arithmetic in straight loops. Compiled for wider vectors it does the same operations in the same order on more rows at a time: no
//! fused multiply-add, no sums in another order. So every instruction set gives the same bits, and which one runs is a matter of speed alone.

use std::sync::atomic::{AtomicU8, Ordering};

/// A set of vector instructions that kernels are compiled for. The results do not depend on it, not by a bit.
///
/// The widest that the machine has is used. The environment variable `CLV_INSTRUCTION_SET` (`baseline`, `avx2`, `avx512`), read at the first use, or
/// [`limit`](Self::limit) keeps to a narrower one: to measure, or to rule out a fault of a machine.
///
/// ```
/// use clv::InstructionSet;
///
/// assert!(InstructionSet::available().contains(&InstructionSet::Baseline));
/// InstructionSet::Baseline.limit();
/// assert_eq!(InstructionSet::in_use(), InstructionSet::Baseline);
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum InstructionSet {
    /// What the target of the build guarantees: SSE2 on x86-64, NEON on 64-bit ARM.
    Baseline = 1,
    /// AVX2: four doubles at a time.
    Avx2 = 2,
    /// AVX-512 F, DQ and VL: eight doubles at a time.
    Avx512 = 3,
}

/// The set in use; 0 until the machine was looked at.
static IN_USE: AtomicU8 = AtomicU8::new(0);

impl InstructionSet {
    const ALL: [InstructionSet; 3] = [InstructionSet::Baseline, InstructionSet::Avx2, InstructionSet::Avx512];

    /// The sets that this machine has, the narrowest first.
    #[must_use]
    pub fn available() -> Vec<InstructionSet> {
        InstructionSet::ALL.into_iter().filter(|set| set.is_available()).collect()
    }

    /// The set that kernels run with.
    #[must_use]
    pub fn in_use() -> InstructionSet {
        match IN_USE.load(Ordering::Relaxed) {
            1 => InstructionSet::Baseline,
            2 => InstructionSet::Avx2,
            3 => InstructionSet::Avx512,
            _ => InstructionSet::look(),
        }
    }

    /// Keeps all kernels of this process to this set, or to the widest narrower one that the machine has.
    pub fn limit(self) {
        let widest = InstructionSet::ALL.into_iter().filter(|set| *set <= self && set.is_available()).max();
        IN_USE.store(widest.unwrap_or(InstructionSet::Baseline) as u8, Ordering::Relaxed);
    }

    #[cold]
    fn look() -> InstructionSet {
        let named = std::env::var("CLV_INSTRUCTION_SET").ok();
        let limit = match named.as_deref() {
            Some("baseline") => InstructionSet::Baseline,
            Some("avx2") => InstructionSet::Avx2,
            _ => InstructionSet::Avx512,
        };
        limit.limit();
        InstructionSet::in_use()
    }

    #[cfg(target_arch = "x86_64")]
    fn is_available(self) -> bool {
        match self {
            InstructionSet::Baseline => true,
            InstructionSet::Avx2 => is_x86_feature_detected!("avx2"),
            InstructionSet::Avx512 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_available(self) -> bool {
        self == InstructionSet::Baseline
    }
}

/// Work on columns that is worth compiling for every instruction set.
///
/// `run` and all that it calls for each row must be `#[inline(always)]`: what is not inlined stays compiled for the baseline.
pub(crate) trait Kernel {
    type Output;

    fn run(self) -> Self::Output;
}

/// Runs a kernel with the instruction set in use.
#[inline]
#[cfg_attr(target_arch = "x86_64", allow(unsafe_code))]
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    match InstructionSet::in_use() {
        // SAFETY: a set is in use only when `is_available` has found all its features on this machine.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { with_avx512(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { with_avx2(kernel) },
        _ => kernel.run(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512dq,avx512vl")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
