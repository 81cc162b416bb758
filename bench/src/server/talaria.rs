//! Talaria itself, with everything on: accounts and tokens, topic rights, stored before it is acknowledged.
//!
//! Accounts are imported once into a template of the data folder; each start gets a copy, so that every run begins
//! with the same fresh server and no run pays for the import.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tempfile::TempDir;

use super::process::Process;
use super::{ACCESS_TOKEN_ACCOUNTS, Group, Running, Server, free_address, http};
use crate::client::crowd::Member;

/// How long the server may take from its start to `/readyz`.
const READY_LIMIT: Duration = Duration::from_secs(20);
const INBOX: &str = "user/me/inbox";
const PASSWORD: &str = "a password of the benchmark";

/// The program, its extra settings, and the templates made so far.
#[derive(Debug)]
pub(crate) struct Talaria {
    program: PathBuf,
    /// Beyond data folder and ports, as `KEY=VALUE` of the environment.
    settings: Vec<(String, String)>,
    templates: Vec<Template>,
    folder: PathBuf,
}

#[derive(Debug)]
struct Template {
    accounts: Rc<[Account]>,
    data: TempDir,
}

/// Who connects.
#[derive(Debug)]
struct Account {
    id: String,
    device_token: String,
}

impl Talaria {
    /// Templates are kept below `folder`.
    pub(crate) fn new(program: PathBuf, settings: Vec<(String, String)>, folder: PathBuf) -> Self {
        Self { program, settings, templates: Vec::new(), folder }
    }

    fn command(&self, data: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.env("TALARIA_DATA_DIR", data);
        command.envs(self.settings.iter().map(|(key, value)| (key, value)));
        command
    }

    fn serve(&self, folder: &Path, data: &Path) -> Result<(Process, SocketAddr, SocketAddr)> {
        let mut command = self.command(data);
        command.arg("serve");
        let (mqtt, http) = (free_address()?, free_address()?);
        for listener in self.listeners()? {
            let value = match listener.as_str() {
                "mqtt" => mqtt.to_string(),
                "http" => http.to_string(),
                // What is not measured gets no port: the default one may be taken by another server.
                _ => "off".to_owned(),
            };
            command.env(format!("TALARIA_LISTEN__{}", listener.to_uppercase()), value);
        }
        let mut process = Process::start(command, folder)?;
        process.wait_for(mqtt)?;
        process.wait_for(http)?;
        let started = Instant::now();
        while !http::is_ok(http, "/readyz") {
            if started.elapsed() > READY_LIMIT {
                bail!("not ready after {READY_LIMIT:?}: {}", process.last_words());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok((process, mqtt, http))
    }

    /// The listeners that this version knows.
    fn listeners(&self) -> Result<Vec<String>> {
        let output = Command::new(&self.program).args(["config", "example"]).stdin(Stdio::null()).output();
        let output = output.with_context(|| format!("start {}", self.program.display()))?;
        let listeners = keys_of_section(&String::from_utf8_lossy(&output.stdout), "listen");
        if !(listeners.contains(&"mqtt".to_owned()) && listeners.contains(&"http".to_owned())) {
            bail!("`talaria config example` names no listeners: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(listeners)
    }

    fn make_template(&self, count: usize) -> Result<Template> {
        let work = tempfile::tempdir_in(&self.folder)?;
        let data = tempfile::tempdir_in(&self.folder)?;
        let list = work.path().join("accounts.jsonl");
        let tokens = work.path().join("tokens");
        write_accounts(BufWriter::new(File::create(&list)?), count)?;
        let status = self
            .command(data.path())
            .args(["user", "import"])
            .arg(&list)
            .arg("--tokens")
            .arg(&tokens)
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("start {}", self.program.display()))?;
        if !status.success() {
            bail!("the import ended with {status}");
        }
        let accounts = read_tokens(&fs::read_to_string(&tokens).context("read the tokens of the import")?)?;
        if accounts.len() != count {
            bail!("{count} accounts imported, {} tokens received", accounts.len());
        }
        Ok(Template { accounts: accounts.into(), data })
    }
}

impl Server for Talaria {
    fn name(&self) -> &'static str {
        "talaria"
    }

    fn describe(&self) -> String {
        let version = Command::new(&self.program).arg("--version").stdin(Stdio::null()).output();
        let version = version
            .ok()
            .and_then(|output| String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned))
            .unwrap_or_else(|| "unknown version".to_owned());
        let set = |(key, value): &(String, String)| format!("{key}={value}, ");
        let settings: String = self.settings.iter().map(set).collect();
        format!("{version}; {settings}data folder and ports set; the rest at its defaults")
    }

    fn has_accounts(&self) -> bool {
        true
    }

    fn prepare(&mut self, accounts: usize) -> Result<()> {
        if !self.templates.iter().any(|template| template.accounts.len() == accounts) {
            let template = self.make_template(accounts)?;
            self.templates.push(template);
        }
        Ok(())
    }

    fn start(&self, folder: &Path, accounts: usize) -> Result<Box<dyn Running>> {
        let template = self
            .templates
            .iter()
            .find(|template| template.accounts.len() == accounts)
            .with_context(|| format!("nothing prepared for {accounts} accounts"))?;
        let data = folder.join("data");
        copy_folder(template.data.path(), &data)?;
        // What the copy leaves to be written back is no work of the server's.
        rustix::fs::syncfs(File::open(&data)?)?;
        let (process, mqtt, http) = self.serve(folder, &data)?;
        let accounts = template.accounts.clone();
        Ok(Box::new(Started { process, mqtt, http, accounts, access_tokens: RefCell::default() }))
    }
}

struct Started {
    process: Process,
    mqtt: SocketAddr,
    http: SocketAddr,
    accounts: Rc<[Account]>,
    /// Got when first asked for; they do not live as long as a template.
    access_tokens: RefCell<HashMap<usize, String>>,
}

impl Started {
    fn member(&self, account: usize, client_id: String, filter: Option<&str>) -> Member {
        let account = &self.accounts[account];
        Member {
            client_id,
            login: Some((account.id.clone(), account.device_token.clone())),
            filter: filter.map(str::to_owned),
        }
    }

    fn access_token(&self, account: usize) -> Result<String> {
        let mut known = self.access_tokens.borrow_mut();
        if let Some(token) = known.get(&account) {
            return Ok(token.clone());
        }
        let body = json!({"handle": handle(account), "password": PASSWORD, "device": "bench"});
        let answer = http::post(self.http, "/v1/tokens", None, &body)?;
        let token = answer.get("access_token").and_then(|token| token.as_str());
        let token = token.context("the answer holds no access_token")?;
        known.insert(account, token.to_owned());
        Ok(token.to_owned())
    }
}

impl Running for Started {
    fn pid(&self) -> u32 {
        self.process.pid()
    }

    fn address(&self) -> SocketAddr {
        self.mqtt
    }

    fn last_words(&self) -> String {
        self.process.last_words()
    }

    fn receiver(&self, account: usize) -> Member {
        self.member(account, format!("receiver-{account}"), Some(INBOX))
    }

    fn receiver_by_access_token(&self, account: usize, session: usize) -> Result<Option<Member>> {
        let login = Some((self.accounts[account].id.clone(), self.access_token(account)?));
        Ok(Some(Member { client_id: format!("session-{session}"), login, filter: Some(INBOX.to_owned()) }))
    }

    fn publisher(&self, account: usize) -> Member {
        self.member(account, format!("publisher-{account}"), None)
    }

    fn direct_topic(&self, account: usize) -> String {
        format!("user/{}/message", self.accounts[account].id)
    }

    fn make_group(&self, accounts: &[usize]) -> Result<Group> {
        let (first, others) = accounts.split_first().context("a group of nobody")?;
        let others: Vec<&str> = others.iter().map(|&account| self.accounts[account].id.as_str()).collect();
        let body = json!({"name": format!("group of {}", handle(*first)), "members": others});
        let answer = http::post(self.http, "/v1/channels", Some(&self.accounts[*first].device_token), &body)?;
        let id = answer.get("id").and_then(|id| id.as_str()).context("the new channel has no id")?;
        let receivers = accounts.iter().map(|&account| self.receiver(account)).collect();
        Ok(Group { topic: format!("channel/{id}/message"), receivers })
    }
}

fn handle(account: usize) -> String {
    format!("@user-{account}")
}

/// The keys that a section of an example configuration shows, as `#= key = value`.
fn keys_of_section(example: &str, section: &str) -> Vec<String> {
    let heading = format!("[{section}]");
    example
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.strip_prefix("#= ")?.split_once(" = "))
        .map(|(key, _)| key.to_owned())
        .collect()
}

fn write_accounts(mut out: impl Write, accounts: usize) -> Result<()> {
    for account in 0..accounts {
        let mut line = json!({"handle": handle(account), "name": format!("User {account}")});
        if account < ACCESS_TOKEN_ACCOUNTS {
            line["password"] = json!(PASSWORD);
        }
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

/// Handle, id and device token a line, separated by blanks, in the order of the import.
fn read_tokens(text: &str) -> Result<Vec<Account>> {
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            match fields[..] {
                [name, id, token] if name == handle(at) => {
                    Ok(Account { id: id.to_owned(), device_token: token.to_owned() })
                }
                // The line itself holds a token.
                _ => bail!("line {} of the tokens is not `{} id token`", at + 1, handle(at)),
            }
        })
        .collect()
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("create {}", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), &target).with_context(|| format!("copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_in_the_order_of_the_import() {
        let accounts = read_tokens("@user-0 11 tld_a\n@user-1\t12\ttld_b\n").unwrap();
        assert_eq!(accounts.len(), 2);
        assert_eq!((accounts[1].id.as_str(), accounts[1].device_token.as_str()), ("12", "tld_b"));
        assert!(read_tokens("@user-1 12 tld_b\n").is_err());
        assert!(read_tokens("@user-0 12\n").is_err());
    }

    #[test]
    fn only_the_first_accounts_have_a_password() {
        let mut lines = Vec::new();
        write_accounts(&mut lines, ACCESS_TOKEN_ACCOUNTS + 1).unwrap();
        let lines: Vec<serde_json::Value> =
            String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let with_password = lines.iter().filter(|line| line["password"].is_string()).count();
        assert_eq!((lines.len(), with_password), (ACCESS_TOKEN_ACCOUNTS + 1, ACCESS_TOKEN_ACCOUNTS));
        assert_eq!(lines.last(), Some(&json!({"handle": "@user-50", "name": "User 50"})));
    }

    #[test]
    fn every_listener_of_the_example_is_found() {
        let example =
            "[listen]\n\n# MQTT.\n#= mqtt = 1883\n\n# HTTP.\n#= http = 8080\n\n[limits]\n\n#= packet_bytes = 1\n";
        assert_eq!(keys_of_section(example, "listen"), ["mqtt", "http"]);
        assert_eq!(keys_of_section(example, "absent"), Vec::<String>::new());
    }

    #[test]
    fn a_data_folder_is_copied_with_all_below() {
        let from = tempfile::tempdir().unwrap();
        let to = tempfile::tempdir().unwrap();
        fs::create_dir(from.path().join("store")).unwrap();
        fs::write(from.path().join("store/rows"), "x").unwrap();
        copy_folder(from.path(), &to.path().join("data")).unwrap();
        assert_eq!(fs::read_to_string(to.path().join("data/store/rows")).unwrap(), "x");
    }
}
