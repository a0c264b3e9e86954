//! The command: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = fireassay::stack::guardian::entry() {
        return ExitCode::from(code);
    }
    ExitCode::from(fireassay::cli::main(std::env::args_os().collect()))
}
