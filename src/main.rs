//! The command: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|word| word == fireassay::stack::guardian::ARGUMENT) {
        return ExitCode::from(u8::try_from(fireassay::stack::guardian::main()).unwrap_or(1));
    }
    ExitCode::from(fireassay::cli::main(&arguments))
}
