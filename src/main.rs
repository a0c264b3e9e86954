//! The command.
fn main() {
    if std::env::args().nth(1).as_deref() == Some(fireassay::stack::guardian::ARGUMENT) {
        std::process::exit(fireassay::stack::guardian::main());
    }
}
