//! The `talaria` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    match talaria_server::command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("talaria: {error:#}");
            ExitCode::FAILURE
        }
    }
}
