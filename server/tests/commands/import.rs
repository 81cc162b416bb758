//! `talaria user import`.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use talaria_accounts::{Accounts, CommandIds, Settings};
use talaria_storage_memory::SystemClock;
use talaria_storage_sql::SqliteStore;

use crate::talaria::Folder;

fn lines(handles: impl IntoIterator<Item = u64>) -> String {
    handles.into_iter().map(|at| format!("{{\"handle\":\"@user{at}\",\"name\":\"User {at}\"}}\n")).collect()
}

/// Handle to id and token, of the whole lines of a file.
fn tokens(path: &Path) -> HashMap<String, (String, String)> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let parts = |line: &str| {
        let parts: Vec<_> = line.split('\t').map(str::to_owned).collect();
        let [handle, id, token] = parts.try_into().unwrap();
        (handle, (id, token))
    };
    whole.lines().map(parts).collect()
}

/// The accounts as a server would open them.
async fn accounts(folder: &Folder) -> Arc<Accounts> {
    let store = Arc::new(SqliteStore::open(folder.data().join("talaria.db")).await.unwrap());
    let clock = Arc::new(SystemClock::new());
    let ids = Arc::new(CommandIds::open(store.clone(), clock.clone()).await.unwrap());
    Accounts::open(store, ids, clock, Settings::default()).await.unwrap()
}

async fn assert_good(accounts: &Accounts, tokens: &HashMap<String, (String, String)>) {
    for (handle, (id, token)) in tokens {
        let found = accounts.identify(token.as_bytes()).await.unwrap().map(|found| found.user.to_string());
        assert_eq!(found.as_ref(), Some(id), "{handle}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_writes_handle_id_and_a_good_token_a_line_for_its_owner_alone() {
    let folder = Folder::new();
    let (file, out) = (folder.write("users.jsonl", &lines(0..1500)), folder.path("tokens"));
    let ran = folder.run(&["user", "import", &file, "--tokens", out.to_str().unwrap()], "");
    assert!(ran.is_success && ran.stdout.is_empty() && ran.stderr == "1500 accounts were added\n", "{ran:?}");
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(folder.data()).unwrap().permissions().mode() & 0o777, 0o700);
    let written = fs::read_to_string(&out).unwrap();
    let handles: Vec<_> = written.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    assert!(handles.into_iter().eq((0..1500).map(|at| format!("@user{at}"))));
    assert_good(&*accounts(&folder).await, &tokens(&out)).await;
}

#[test]
fn a_file_of_tokens_is_never_written_over() {
    let folder = Folder::new();
    let file = folder.write("users.jsonl", &lines(0..3));
    let out = folder.write("tokens", "of yesterday\n");
    let ran = folder.run(&["user", "import", &file, "--tokens", &out], "");
    assert!(!ran.is_success && ran.stderr.contains("tokens cannot be made"), "{ran:?}");
    assert_eq!(fs::read_to_string(&out).unwrap(), "of yesterday\n");
    assert!(!folder.data().exists(), "nothing was imported");
}

#[test]
fn a_wrong_line_is_told_and_what_was_before_it_is_there() {
    let folder = Folder::new();
    let text = format!("{}{{\"handle\":\"@bad\",\"nam\":\"a secret\"}}\n{}", lines(0..3), lines(4..6));
    let (file, out) = (folder.write("users.jsonl", &text), folder.path("tokens"));
    let ran = folder.run(&["user", "import", &file, "--tokens", out.to_str().unwrap()], "");
    assert!(!ran.is_success && !ran.stderr.contains("a secret"), "{ran:?}");
    let told = "3 accounts were added\ntalaria: ";
    assert!(ran.stderr.starts_with(told) && ran.stderr.contains("was not imported to its end: line 4: "), "{ran:?}");
    assert_eq!(tokens(&out).len(), 3);
    let mended = folder.write("users.jsonl", &lines(0..6));
    let again = folder.run(&["user", "import", &mended], "");
    let told = "3 accounts were added\n3 handles were taken already and stay as they are: lines 1, 2, 3\n";
    assert!(again.is_success && again.stderr == told, "{again:?}");
}

#[test]
fn an_import_that_made_nothing_leaves_no_file_in_the_way() {
    let folder = Folder::new();
    let (file, out) = (folder.write("users.jsonl", "no JSON\n"), folder.path("tokens"));
    let ran = folder.run(&["user", "import", &file, "--tokens", out.to_str().unwrap()], "");
    assert!(!ran.is_success && !out.exists(), "{ran:?}");
    let missing = folder.run(&["user", "import", "missing.jsonl"], "");
    assert!(!missing.is_success && missing.stderr.contains("missing.jsonl cannot be read"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_killed_halfway_keeps_what_it_told_and_can_be_run_again() {
    const ACCOUNTS: u64 = 20_000;
    let folder = Folder::new();
    let file = folder.write("users.jsonl", &lines(0..ACCOUNTS));
    let first = folder.path("first");
    let mut killed = folder.spawn(&["user", "import", &file, "--tokens", first.to_str().unwrap()]);
    while tokens(&first).len() < 2000 {
        assert!(killed.try_wait().unwrap().is_none(), "it was over before it could be killed");
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let before = tokens(&first);
    assert!((2000..ACCOUNTS as usize).contains(&before.len()), "{}", before.len());
    let second = folder.path("second");
    let ran = folder.run(&["user", "import", &file, "--tokens", second.to_str().unwrap()], "");
    assert!(ran.is_success, "{ran:?}");
    let accounts = accounts(&folder).await;
    assert_good(&accounts, &before).await;
    let after = tokens(&second);
    assert_good(&accounts, &after).await;
    assert!(after.keys().all(|handle| !before.contains_key(handle)));
    // At most the batch that was being told when it was killed has tokens that nobody knows.
    let untold = ACCOUNTS as usize - before.len() - after.len();
    assert!(untold <= 1000, "{untold}");
    assert!(accounts.resolve(&format!("@user{}", ACCOUNTS - 1)).await.unwrap().is_some());
}
