//! Arguments → options → wiring: one file a subcommand, the exit-code table in [`exit`].
//!
//! The one room that may import all others, and, with the console, the one that writes to standard output.

pub mod args;
mod ast;
mod cache;
mod catalogue;
mod check;
mod discover;
mod doctor;
mod down;
pub mod exit;
mod explain;
mod init;
mod lint;
mod list;
mod load;
mod logs;
mod models;
mod mutate;
mod paths;
mod provision;
mod proxy;
mod record;
mod reels;
mod report;
mod rules;
mod run;
mod schema;
mod select;
mod setups;
mod show;
mod status;
mod steps;
mod tapes;
mod terminal;
mod up;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches};

use args::{Cli, Command};
use exit::Exit;

/// Runs the command line; returns the exit code.
pub fn main(arguments: &[OsString]) -> u8 {
    crate::run::install_hook();
    let matches = match command_line().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Accepted };
            if code == Exit::Usage {
                record::usage_error(arguments, &error.to_string());
            }
            terminal::print_clap(&error);
            return code.code();
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => {
            terminal::print_clap(&error);
            return Exit::Usage.code();
        }
    };
    let sub = matches.subcommand().map(|(_, sub)| sub);
    dispatch(cli.command, sub, arguments).code()
}

/// The command line. Help names the variable of each flag, not what is in it now.
fn command_line() -> clap::Command {
    Cli::command().mut_subcommands(|sub| sub.mut_args(|arg| arg.hide_env_values(true)))
}

fn dispatch(command: Command, matches: Option<&clap::ArgMatches>, arguments: &[OsString]) -> Exit {
    match command {
        Command::Run(args) => run::run(&args, matches, arguments),
        Command::Check(args) => check::check(&args),
        Command::List(args) => list::list(&args, matches),
        Command::Explain(args) => explain::explain(&args, matches),
        Command::Steps(args) => steps::steps(&args),
        Command::Rules(args) => rules::rules(&args),
        Command::Schema(args) => schema::schema(&args),
        Command::Show(args) => show::show(&args),
        Command::Up(args) => up::up(&args),
        Command::Status(args) => status::status(&args),
        Command::Down(args) => down::down(&args),
        Command::Logs(args) => logs::logs(&args),
        Command::Proxy(args) => proxy::proxy(&args),
        Command::Provision(args) => provision::provision(&args),
        Command::Cache(args) => cache::cache(&args),
        Command::Tapes(args) => tapes::tapes(&args),
        Command::Report(args) => report::report(&args),
        Command::Discover(args) => discover::discover(&args),
        Command::Init(args) => init::init(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Models(args) => models::models(&args),
        Command::Mutate(args) => mutate::mutate(&args),
        Command::Ast(args) => ast::ast(&args),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command_line(), "fireassay", &mut text);
            terminal::out(&String::from_utf8_lossy(&text));
            Exit::Accepted
        }
    }
}
