//! Programs that tests and benchmarks need beside Rust, by the Debian packages that bring them.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use crate::{program, python};

/// Something that must be there.
pub(crate) struct Need {
    /// What is missing without it, for people.
    pub(crate) what: &'static str,
    /// What brings it.
    pub(crate) package: &'static str,
    is_there: fn() -> bool,
}

/// A stock client that nobody here wrote.
pub(crate) const MOSQUITTO_CLIENTS: Need = Need {
    what: "mosquitto_pub and mosquitto_sub",
    package: "mosquitto-clients",
    is_there: || find("mosquitto_pub").is_some() && find("mosquitto_sub").is_some(),
};

/// Gives the server under test a clock that is off.
pub(crate) const FAKETIME: Need =
    Need { what: "faketime", package: "faketime", is_there: || find("faketime").is_some() };

/// The peer of the benchmarks.
pub(crate) const MOSQUITTO: Need =
    Need { what: "mosquitto", package: "mosquitto", is_there: || find("mosquitto").is_some() };

/// For clients in Python.
pub(crate) const PYTHON_VENV: Need =
    Need { what: "python3 with venv", package: "python3-venv", is_there: python::can_make_venv };

/// Installs what is missing where this may be done (as root, with apt-get); else names it and fails.
pub(crate) fn ensure(workspace: &Workspace, needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if is_root() && find("apt-get").is_some() {
        install(workspace, &packages)?;
    }
    let missing: Vec<&Need> = missing.into_iter().filter(|need| !(need.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!("{}", request(&missing));
}

/// The folders where programs are looked for: the path, and where Debian puts servers, which a user's path may lack.
pub(crate) fn path() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let servers = PathBuf::from("/usr/sbin");
    if !folders.contains(&servers) {
        folders.push(servers);
    }
    folders
}

fn find(name: &str) -> Option<PathBuf> {
    path().into_iter().map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn install(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let apt = || {
        let mut command = program::at_root(workspace, "apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
        command
    };
    program::run(apt().args(["--quiet", "update"]))?;
    program::run(apt().args(["--quiet", "--yes", "--no-install-recommends", "install"]).args(packages))
}

fn request(missing: &[&Need]) -> String {
    let mut text = String::from("this needs programs that are not here:\n");
    for need in missing {
        text += &format!("  {:<32} Debian package {}\n", need.what, need.package);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    text + &format!("install them, on Debian with:\n  sudo apt-get install {}", packages.join(" "))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let text = request(&[&MOSQUITTO_CLIENTS, &PYTHON_VENV]);
        assert!(text.contains("mosquitto_pub and mosquitto_sub"));
        assert!(text.ends_with("sudo apt-get install mosquitto-clients python3-venv"), "{text}");
    }

    #[test]
    fn servers_are_found_without_their_folder_in_the_path() {
        assert!(path().contains(&PathBuf::from("/usr/sbin")));
    }
}
