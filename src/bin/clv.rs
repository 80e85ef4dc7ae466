//! The `clv` command line.

fn main() -> std::process::ExitCode {
    // Scores are made batch by batch: pieces given back would be asked for again at once, and cleared each time.
    if std::env::args_os().nth(1).is_none_or(|command| command != "score") {
        give_memory_back();
    }
    clv::cli::main(std::env::args_os())
}

/// Has pieces of memory from 200 kB returned to the system as soon as they are free.
///
/// The allocator of glibc raises this limit to the largest piece ever freed and keeps what is smaller: a summary of 10 million rows then takes 475 MB in place of
/// 315, and is not quicker by what could be measured.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a call into C, before any thread is there; it sets a number and has no other condition")]
fn give_memory_back() {
    // SAFETY: mallopt takes any two numbers; one that it cannot use is left without effect.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, 200_000) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_memory_back() {}
