//! The program's commands, as a person at a terminal sees them.
#![allow(clippy::unwrap_used, reason = "a broken rule is told by a panic, also in functions that tests share")]

use std::fs;
use std::process::Output;
use std::sync::Arc;

use serde_json::json;
use talaria_codec::Version;
use talaria_tests::wire::{Wire, connect_of};
use talaria_tests::{Home, Person, Server, http};

const PASSWORD: &str = "winged sandals\n";

/// What it printed, where it must succeed.
#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What it said on standard error, where it must fail and print nothing.
#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// That this token lets its owner in.
#[track_caller]
fn is_let_in(server: &Server, handle: &str, id: &str, token: &str) {
    let person = Person { handle: handle.to_owned(), id: id.to_owned(), token: token.to_owned() };
    let me = server.get(&person, "/v1/me").is(200);
    assert_eq!((&me["id"], &me["handle"]), (&json!(id), &json!(handle)));
    Wire::log_in(server.mqtt(), &connect_of(Version::V311, &person, "laptop")).0.ping();
}

#[test]
fn user_add_prints_the_id_and_token_prints_a_token_and_nothing_else_also_while_the_server_runs() {
    // Before there is a server, and while it runs.
    let home = Home::new();
    let before = printed(&home.run(["user", "add", "@kim", "--name", "김"], PASSWORD));
    let server = Server::start(home);
    let home = server.home();
    let while_running = printed(&home.run(["user", "add", "@lee"], PASSWORD));
    for (handle, id) in [("@kim", &before), ("@lee", &while_running)] {
        let id = id.strip_suffix('\n').unwrap();
        assert!(id.parse::<u64>().is_ok_and(|number| number > 0), "{id}");
        for user in [handle, id] {
            let token = printed(&home.run(["token", user, "--device", "phone"], ""));
            let token = token.strip_suffix('\n').unwrap();
            assert!(token.starts_with("tld_") && token.len() > 40 && !token.contains(char::is_whitespace));
            is_let_in(&server, handle, id, token);
        }
        let login = json!({"handle": handle, "password": PASSWORD.trim_end(), "device": "phone"});
        let answer = http::request(server.http(), "POST", "/v1/tokens", None, Some(&login)).is(201);
        assert_eq!(answer["user"]["id"], id);
    }
}

#[test]
fn user_add_says_what_is_wrong_and_makes_nothing() {
    let home = Home::new();
    printed(&home.run(["user", "add", "@kim"], PASSWORD));
    for (handle, password, says) in [
        ("@kim", PASSWORD, "taken"),
        ("kim", PASSWORD, "`@`"),
        ("@Kim", PASSWORD, "a-z"),
        ("@lee", "short\n", "8"),
        ("@lee", "", "password"),
    ] {
        let error = refused(&home.run(["user", "add", handle], password));
        assert!(error.contains(says), "{handle}: {error}");
    }
    let error = refused(&home.run(["token", "@lee", "--device", "phone"], ""));
    assert!(error.contains("no user @lee"), "{error}");
}

#[test]
fn a_token_of_a_folder_without_accounts_is_refused_and_makes_no_folder() {
    let home = Home::new();
    let error = refused(&home.run(["token", "@kim", "--device", "phone"], ""));
    assert!(error.contains("no accounts"), "{error}");
    assert!(!home.data().exists());
}

#[test]
fn user_import_writes_handle_id_and_token_a_line_and_passes_over_what_is_there_while_the_server_runs() {
    let server = Server::fresh();
    let home = server.home();
    let (list, tokens) = (home.folder().join("list"), home.folder().join("tokens"));
    let (list_name, tokens_name) = (list.to_str().unwrap(), tokens.to_str().unwrap());
    let import = ["user", "import", list_name, "--tokens", tokens_name];
    let lines = [
        json!({"handle": "@kim", "name": "김", "password": PASSWORD.trim_end()}),
        json!({"handle": "@lee", "name": "Lee"}),
    ];
    fs::write(&list, lines.map(|line| line.to_string() + "\n").concat()).unwrap();
    assert_eq!(printed(&home.run(import, "")), "");
    let text = fs::read_to_string(&tokens).unwrap();
    let made: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(made.iter().map(|fields| fields[0]).collect::<Vec<_>>(), ["@kim", "@lee"]);
    for fields in &made {
        is_let_in(&server, fields[0], fields[1], fields[2]);
    }
    let login = |handle| json!({"handle": handle, "password": PASSWORD.trim_end(), "device": "phone"});
    http::request(server.http(), "POST", "/v1/tokens", None, Some(&login("@kim"))).is(201);
    http::request(server.http(), "POST", "/v1/tokens", None, Some(&login("@lee"))).is(401);
    // The file holds tokens that cannot be had again.
    assert!(refused(&home.run(import, "")).contains("tokens"));
    assert_eq!(fs::read_to_string(&tokens).unwrap(), text);
    fs::write(&list, json!({"handle": "@lee", "name": "x"}).to_string() + "\n" + r#"{"handle":"@pat","name":"Pat"}"#)
        .unwrap();
    let output = home.run(["user", "import", list_name], "");
    assert_eq!(printed(&output), "");
    let says = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(says.contains("1 accounts were added") && says.contains("1 handles were taken"), "{says}");
}

#[test]
fn user_import_names_the_line_that_it_cannot_read() {
    let home = Home::new();
    let list = home.folder().join("list");
    fs::write(&list, "{\"handle\":\"@kim\",\"name\":\"Kim\"}\nnot json\n").unwrap();
    let error = refused(&home.run(["user", "import", list.to_str().unwrap()], ""));
    assert!(error.contains("line 2"), "{error}");
}

#[test]
fn config_example_is_a_file_that_config_check_takes_and_the_server_runs_on() {
    let home = Home::new();
    let example = printed(&home.run(["config", "example"], ""));
    let live: String = example.lines().map(|line| format!("{}\n", line.strip_prefix("#= ").unwrap_or(line))).collect();
    let file = home.folder().join("talaria.toml");
    for text in [&example, &live] {
        fs::write(&file, text).unwrap();
        let check = ["config", "check", "--config", file.to_str().unwrap()];
        assert_eq!(printed(&home.run(check, "")), "the configuration is valid\n");
    }
    // The environment goes before the file: folder and ports are the test's.
    let home = home.with("TALARIA_CONFIG", file.to_str().unwrap());
    Server::start(home).stop();
}

#[test]
fn config_check_names_the_key_that_is_wrong() {
    let home = Home::new();
    let file = home.folder().join("talaria.toml");
    for (text, named) in [
        ("colour = 1", "colour"),
        ("[listen]\nmqtt = \"nowhere\"", "listener"),
        ("[limits]\nchannel_members = 1", "limits.channel_members"),
        ("[limits]\npacket_bytes = \"much\"", "packet_bytes"),
        ("loops = ", "talaria.toml"),
    ] {
        fs::write(&file, text).unwrap();
        // Ports of the environment would go before those of the file.
        let home = Home::new().with("TALARIA_LISTEN__MQTT", "");
        let mut command = home.command(["config", "check", "--config", file.to_str().unwrap()]);
        command.env_remove("TALARIA_LISTEN__MQTT").env_remove("TALARIA_LISTEN__HTTP");
        let error = refused(&command.output().unwrap());
        assert!(error.contains(named), "{text}: {error}");
    }
    let error = refused(&home.command(["config", "check"]).env("TALARIA_LIMITS__CONNECTIONS", "0").output().unwrap());
    assert!(error.contains("limits.connections"), "{error}");
}

#[test]
fn version_names_the_program_and_its_version() {
    let words = printed(&Home::new().run(["--version"], ""));
    let (name, version) = words.trim_end().split_once(' ').unwrap();
    assert_eq!(name, "talaria");
    assert!(version.split('.').count() == 3 && version.split('.').all(|part| part.parse::<u32>().is_ok()), "{version}");
}

#[test]
fn a_second_process_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let server = Server::fresh();
    let kim = server.person("@kim");
    let ended = Server::try_start(server.home().clone()).expect_err("it runs");
    assert_eq!(ended.status.code(), Some(1));
    let says = ended.log.to_string();
    let folder = server.home().data().display().to_string();
    assert!(says.contains("another process uses the folder") && says.contains(&folder), "{says}");
    Wire::log_in(server.mqtt(), &connect_of(Version::V5, &kim, "laptop")).0.say("user/me/message", "still here");
    // Free again as soon as it has ended.
    Server::start(server.stop()).stop();
}

#[test]
fn a_port_that_is_taken_is_named() {
    let server = Server::fresh();
    let taken = server.mqtt().to_string();
    let ended = Server::try_start(Home::new().with("TALARIA_LISTEN__MQTT", &taken)).expect_err("it runs");
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.log.to_string().contains(&format!("cannot listen on {taken}")), "{}", ended.log);
}

#[test]
fn sigterm_right_after_the_server_says_that_it_is_ready_drains_it() {
    let mut home = Arc::new(Home::new());
    for _ in 0..5 {
        home = Server::start(home).stop();
    }
}

#[test]
fn the_server_is_ready_when_it_says_so() {
    let server = Server::fresh();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(http::request(server.http(), "GET", path, None, None).status, 200, "{path}");
    }
    let document = http::request(server.http(), "GET", "/openapi.json", None, None).is(200);
    assert!(document["paths"]["/v1/channels"].is_object());
}
