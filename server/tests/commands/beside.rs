//! Commands while a server runs on the same folder, and beside each other.

use std::collections::HashSet;
use std::thread;

use talaria_core::EventId;
use talaria_core::id::COMMAND_WORKER;

use crate::talaria::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_made_is_good_at_the_running_server_at_once() {
    let folder = Folder::new();
    let serving = folder.serve().await;
    for number in 0..5 {
        let handle = format!("@user{number}");
        let id = folder.add_user(&handle);
        assert_eq!(serving.log_in(&handle), 201);
        for name in [handle, id.to_string()] {
            assert_eq!(serving.who_is(&folder.token(&name)), Some(id));
        }
    }
    assert_eq!(serving.who_is(&format!("tld_{}", "0".repeat(64))), None);
    let by_api = serving.sign_up("@api");
    assert_ne!(EventId(by_api).worker(), COMMAND_WORKER);
    assert_eq!(serving.who_is(&folder.token("@api")), Some(by_api));
}

#[test]
fn what_a_command_made_before_the_server_began_is_good_too() {
    let folder = Folder::new();
    let id = folder.add_user("@kim");
    let token = folder.token("@kim");
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        assert_eq!(folder.serve().await.who_is(&token), Some(id));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_commands_write_at_once_and_nothing_is_lost_nor_refused() {
    const EACH: u64 = 12;
    let folder = Folder::new();
    let serving = folder.serve().await;
    let lines: String = (0..5000).map(|at| format!("{{\"handle\":\"@bulk{at}\",\"name\":\"n\"}}\n")).collect();
    let bulk = folder.write("bulk.jsonl", &lines);
    let ids: Vec<u64> = thread::scope(|scope| {
        let import = scope.spawn(|| folder.run(&["user", "import", &bulk], ""));
        let adding = [0, 1].map(|of| {
            let folder = &folder;
            scope.spawn(move || (0..EACH).map(|at| folder.add_user(&format!("@add{of}.{at}"))).collect::<Vec<_>>())
        });
        let signing_up = scope.spawn(|| (0..EACH).map(|at| serving.sign_up(&format!("@up{at}"))).collect::<Vec<_>>());
        let ran = import.join().unwrap();
        assert!(ran.is_success && ran.stderr == "5000 accounts were added\n", "{ran:?}");
        adding.into_iter().chain([signing_up]).flat_map(|ids| ids.join().unwrap()).collect()
    });
    assert_eq!(ids.iter().collect::<HashSet<_>>().len() as u64, 3 * EACH);
    for handle in ["@add0.0", "@add1.11", "@up11"] {
        assert_eq!(serving.log_in(handle), 201, "{handle}");
    }
    assert!(serving.who_is(&folder.token("@bulk4999")).is_some());
}

#[test]
fn commands_that_begin_together_on_no_folder_at_all_make_it_once() {
    let folder = Folder::new();
    let ids: HashSet<u64> = thread::scope(|scope| {
        let adding: Vec<_> = (0..6)
            .map(|at| (at, &folder))
            .map(|(at, folder)| scope.spawn(move || folder.add_user(&format!("@user{at}"))))
            .collect();
        adding.into_iter().map(|id| id.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 6);
}

#[test]
fn of_many_that_add_the_same_handle_one_does() {
    let folder = Folder::new();
    let successes: usize = thread::scope(|scope| {
        let folder = &folder;
        let adding: Vec<_> =
            (0..4).map(|_| scope.spawn(|| folder.run(&["user", "add", "@kim"], "correct horse\n"))).collect();
        let ran = adding.into_iter().map(|ran| ran.join().unwrap());
        ran.inspect(|ran| assert!(ran.is_success || ran.stderr == "talaria: this handle is taken\n", "{ran:?}"))
            .filter(|ran| ran.is_success)
            .count()
    });
    assert_eq!(successes, 1);
}

#[test]
fn ids_of_imports_at_once_never_meet() {
    let folder = Folder::new();
    let imports: Vec<_> = (0..3)
        .map(|of| {
            let lines: String =
                (0..6000).map(|at| format!("{{\"handle\":\"@u{of}.{at}\",\"name\":\"n\"}}\n")).collect();
            (folder.write(&format!("{of}.jsonl"), &lines), folder.path(&format!("{of}.tokens")))
        })
        .collect();
    let children: Vec<_> = imports
        .iter()
        .map(|(file, out)| folder.spawn(&["user", "import", file, "--tokens", out.to_str().unwrap()]))
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let mut ids = HashSet::new();
    for (_, out) in imports {
        let mut last = 0;
        for line in std::fs::read_to_string(out).unwrap().lines() {
            let id: u64 = line.split('\t').nth(1).unwrap().parse().unwrap();
            assert!(id > last && EventId(id).worker() == COMMAND_WORKER && ids.insert(id), "{line}");
            last = id;
        }
    }
    assert_eq!(ids.len(), 18_000);
}
