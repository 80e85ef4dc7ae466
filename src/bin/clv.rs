//! The `clv` command line.

fn main() -> std::process::ExitCode {
    clv::cli::main(std::env::args_os())
}
