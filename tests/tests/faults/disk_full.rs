//! A full disk: publishes are not acknowledged, the server stays up and answers, reads work, and when there is room again everything
//! goes on with nothing lost and nothing doubled.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;
use talaria_codec::{Publish, PublishProperties, QoS, Version};
use talaria_tests::{Home, PATIENCE, Person, Server, http};
use tempfile::TempDir;

use crate::checker::check;
use crate::connection::{Connection, End, Incoming, Login};
use crate::load::{Load, address};
use crate::seed::seed;

const MIB: u64 = 1024 * 1024;
const DISK_MIB: u64 = 160;
/// How soon what others give back is taken from them.
const FILL_EVERY: Duration = Duration::from_millis(1);
/// Publishes of the load before the disk is full, and again after there is room.
const ACKNOWLEDGED: u64 = 300;
/// A dozen clients come again and again for ten seconds; what cannot be stored is not told for each of them.
const LOG_LINES_MAX: usize = 2_000;

/// A file system of its own; gone with this.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn mount() -> Self {
        let folder = TempDir::with_prefix("talaria-disk-").unwrap();
        let options = format!("size={DISK_MIB}m,mode=700");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).output();
        let mount = mount.expect("the program mount, of Debian's package mount");
        let says = String::from_utf8_lossy(&mount.stderr);
        assert!(mount.status.success(), "a small file system is needed here, and only root may mount one: {says}");
        Self { folder }
    }

    fn home(&self, listen: SocketAddr, reserve_bytes: u64) -> Home {
        let home = Home::in_folder(TempDir::new_in(self.folder.path()).unwrap());
        home.with("TALARIA_LISTEN__MQTT", &listen.to_string())
            .with("TALARIA_LIMITS__DISK_RESERVE_BYTES", &reserve_bytes.to_string())
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }

    fn free_bytes(&self) -> u64 {
        let disk = rustix::fs::statvfs(self.folder.path()).unwrap();
        disk.f_bavail * disk.f_frsize
    }

    /// Fills it until at most so many bytes are left.
    fn fill(&self, leave_bytes: u64) {
        fill(&self.ballast(), || self.free_bytes() > leave_bytes);
    }

    /// Keeps it full to the last block, whatever others give back, until the guard is dropped.
    fn keep_full(&self) -> KeptFull<'_> {
        self.fill(0);
        let is_over = Arc::new(AtomicBool::new(false));
        let (ballast, is_over_too) = (self.ballast(), Arc::clone(&is_over));
        let filler = thread::spawn(move || {
            while !is_over_too.load(Ordering::Acquire) {
                fill(&ballast, || true);
                thread::sleep(FILL_EVERY);
            }
        });
        KeptFull { disk: self, is_over, filler: Some(filler) }
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

fn fill(ballast: &Path, is_wanted: impl Fn() -> bool) {
    let mut ballast = File::options().create(true).append(true).open(ballast).unwrap();
    let block = vec![1; 4096];
    while is_wanted() {
        match ballast.write(&block) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => return,
            Err(error) => panic!("the ballast: {error}"),
        }
    }
}

/// A full disk; there is room again when it is dropped.
struct KeptFull<'a> {
    disk: &'a Disk,
    is_over: Arc<AtomicBool>,
    filler: Option<JoinHandle<()>>,
}

impl Drop for KeptFull<'_> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        self.filler.take().unwrap().join().unwrap();
        self.disk.make_room();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmount = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
        assert!(unmount.is_ok_and(|status| status.success()), "{} stays mounted", self.folder.path().display());
    }
}

/// Somebody who writes to themselves, on a connection from before the disk was full.
struct Probe {
    login: Login,
    server: SocketAddr,
    connection: Connection,
    text: String,
}

impl Probe {
    fn connect(server: SocketAddr, person: &Person, version: Version, text: String) -> Self {
        let client_id = format!("probe-{version:?}");
        let login = Login { person: person.clone(), client_id, version, is_kept: true, receive_maximum: None };
        let connection = Connection::open(server, &login).unwrap_or_else(|end| panic!("{end:?}"));
        Self { login, server, connection, text }
    }

    fn publish(&mut self, dup: bool) {
        self.connection.put_publish(&Publish {
            dup,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: "user/me/message",
            packet_id: Some(NonZeroU16::MIN),
            properties: PublishProperties::default(),
            payload: self.text.as_bytes(),
        });
        self.connection.flush().unwrap();
    }

    /// Waits for what becomes of the publish: whether it was acknowledged, or the connection ended without.
    fn is_acknowledged(&mut self) -> bool {
        match self.connection.next(PATIENCE) {
            Ok(Some(Incoming::Acknowledged { reason, .. })) => {
                assert!(!reason.is_failure(), "a negative answer: {reason:?}");
                true
            }
            Ok(Some(Incoming::Disconnect)) | Err(End::Gone) => false,
            other => panic!("neither an acknowledgement nor an end: {other:?}"),
        }
    }

    /// On a new connection, as after any other cut.
    fn publish_again(&mut self) {
        self.connection = Connection::open(self.server, &self.login).unwrap_or_else(|end| panic!("{end:?}"));
        assert!(self.connection.session_present);
        self.publish(true);
    }
}

fn is_alive(server: &Server) {
    for path in ["/healthz", "/readyz"] {
        assert_eq!(http::request(server.http(), "GET", path, None, None).status, 200, "{path}");
    }
}

/// The texts of somebody's notes to themselves, asked for until there is an answer: while the engine is being opened anew there is none.
fn notes(server: &Server, person: &Person) -> Vec<String> {
    let path = format!("/v1/conversations/dm/{0}-{0}/events?after_seq=0&limit=200", person.id);
    let until = Instant::now() + PATIENCE;
    let mut answer = server.get(person, &path);
    while answer.status == 503 && Instant::now() < until {
        answer = server.get(person, &path);
    }
    let page = answer.is(200);
    page["events"].as_array().unwrap().iter().map(|event| event["text"].as_str().unwrap().to_owned()).collect()
}

/// Below the reserve the engine is not even asked.
#[test]
fn below_the_reserve_nothing_is_acknowledged_until_there_is_room() {
    const RESERVE: u64 = 64 * MIB;
    let disk = Disk::mount();
    let server = Server::start(disk.home(address(3), RESERVE));
    let load = Load::start(&server, seed("reserve"));
    let [pat] = server.people(["@pat"]);
    let mut probes = [Version::V311, Version::V5]
        .map(|version| Probe::connect(server.mqtt(), &pat, version, format!("while full, {version:?}")));
    load.stage.wait_for_acknowledged(ACKNOWLEDGED);
    server.post(&pat, "/v1/users/me/messages", &json!({"text": "before"})).is(201);

    disk.fill(RESERVE / 2);
    probes.iter_mut().for_each(|probe| probe.publish(false));
    is_alive(&server);
    let refused = server.post(&pat, "/v1/users/me/messages", &json!({"text": "posted while full"})).is(503);
    assert_eq!(refused["code"], "unavailable");
    assert_eq!(notes(&server, &pat), ["before"]);
    for probe in &mut probes {
        assert!(!probe.is_acknowledged());
    }
    is_alive(&server);
    assert_eq!(notes(&server, &pat), ["before"]);
    let lines = server.log().lines().len();
    assert!(lines < LOG_LINES_MAX, "{lines} lines of log, on a disk that may be the same");

    disk.make_room();
    for probe in &mut probes {
        probe.publish_again();
        assert!(probe.is_acknowledged());
    }
    load.stage.wait_for_acknowledged(load.stage.acknowledged() + ACKNOWLEDGED);
    assert_eq!(check(&load.finish(&server)), []);
    assert_eq!(notes(&server, &pat), ["before", "while full, V311", "while full, V5"]);
    drop(server.stop());
}

/// Without a reserve the engine itself meets the end of the disk, in the middle of a write.
#[test]
fn a_failed_write_of_the_engine_is_not_acknowledged_and_not_the_end() {
    let disk = Disk::mount();
    let server = Server::start(disk.home(address(5), 0));
    let load = Load::start(&server, seed("no reserve"));
    let [pat] = server.people(["@pat"]);
    // Too long for what is left in a block.
    let mut probes = [Version::V311, Version::V5].map(|version| {
        let text = format!("{version:?} {}", "x".repeat(90_000));
        Probe::connect(server.mqtt(), &pat, version, text)
    });
    load.stage.wait_for_acknowledged(ACKNOWLEDGED);
    server.post(&pat, "/v1/users/me/messages", &json!({"text": "before"})).is(201);

    let full = disk.keep_full();
    server.log().wait_for("a round could not be written");
    let account = json!({"handle": "@sam", "password": "winged sandals", "name": "Sam"});
    let refused = http::request(server.http(), "POST", "/v1/users", None, Some(&account)).is(503);
    assert_eq!(refused["code"], "unavailable");
    probes.iter_mut().for_each(|probe| probe.publish(false));
    is_alive(&server);
    assert_eq!(notes(&server, &pat), ["before"]);
    for probe in &mut probes {
        assert!(!probe.is_acknowledged());
    }
    is_alive(&server);
    assert_eq!(notes(&server, &pat), ["before"]);

    drop(full);
    http::request(server.http(), "POST", "/v1/users", None, Some(&account)).is(201);
    for probe in &mut probes {
        probe.publish_again();
        assert!(probe.is_acknowledged());
    }
    load.stage.wait_for_acknowledged(load.stage.acknowledged() + ACKNOWLEDGED);
    assert_eq!(check(&load.finish(&server)), []);
    let [one, other] = probes.map(|probe| probe.text);
    assert_eq!(notes(&server, &pat), ["before".to_owned(), one, other]);
    drop(server.stop());
}

/// What cannot be written any more does not keep it from ending.
#[test]
fn it_drains_and_starts_on_a_full_disk() {
    const RESERVE: u64 = 64 * MIB;
    let disk = Disk::mount();
    let server = Server::start(disk.home(address(4), RESERVE));
    let load = Load::start(&server, seed("drain"));
    load.stage.wait_for_acknowledged(ACKNOWLEDGED);
    disk.fill(RESERVE / 2);
    let server = server.restart();
    is_alive(&server);
    disk.make_room();
    assert_eq!(check(&load.finish(&server)), []);
}
