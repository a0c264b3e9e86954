//! The command: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(code) = arguments.get(1).and_then(|word| fireassay::stack::hidden_main(word)) {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    ExitCode::from(fireassay::cli::main(&arguments))
}
