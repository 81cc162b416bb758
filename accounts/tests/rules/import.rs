//! Many accounts from JSON lines.

use std::io;

use talaria_accounts::{ImportError, Imported, Settings};
use talaria_core::Code;
use talaria_core::limits::IMPORT_LINE_BYTES_MAX;
use talaria_port::accounts::AccountStore as _;
use talaria_port::devices::DeviceStore as _;

use crate::world::{PASSWORD, World};

/// What an import did: how far it came, handle and token of each account in the order told, and how it ended.
struct Done {
    imported: Imported,
    made: Vec<(String, Option<String>)>,
    outcome: Result<(), ImportError>,
}

async fn import(world: &World, lines: impl AsRef<[u8]>, with_tokens: bool) -> Done {
    let mut made = Vec::new();
    let (imported, outcome) = world
        .accounts
        .import(lines.as_ref(), with_tokens, &mut |batch| {
            made.extend(
                batch
                    .iter()
                    .map(|one| (one.account.handle.to_string(), one.token.map(|token| token.reveal().to_owned()))),
            );
            Ok(())
        })
        .await;
    Done { imported, made, outcome }
}

/// Lines of bare accounts.
fn bare(ids: impl IntoIterator<Item = u64>) -> String {
    ids.into_iter().map(|id| format!("{{\"handle\":\"@user{id}\",\"name\":\"User {id}\"}}\n")).collect()
}

async fn is_there(world: &World, handle: &str) -> bool {
    world.accounts.resolve(handle).await.unwrap().is_some()
}

const HASH: &str = "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$acbZCckOfABB/s2U/eE8vrM+V9HWTIj4syKxzIwhax8";

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_line_makes_the_account_that_it_says() {
    let world = World::new().await;
    let lines = format!(
        "{{\"handle\":\"@kim\",\"name\":\"김민지 🎉\",\"password\":\"비밀번호입니다요\"}}\r\n\n  \n\
         {{\"handle\":\"@lee\",\"name\":\"Lee\",\"password_hash\":\"{HASH}\"}}\n\
         {{\"handle\":\"@park\",\"name\":\"Park\",\"password\":null}}"
    );
    let done = import(&world, lines, true).await;
    done.outcome.unwrap();
    assert_eq!(done.imported, Imported { made: 3, ..Imported::default() });
    assert_eq!(done.made.iter().map(|(handle, _)| handle.as_str()).collect::<Vec<_>>(), ["@kim", "@lee", "@park"]);
    let kim = world.accounts.log_in("@kim", "비밀번호입니다요", "phone").await.unwrap().account;
    assert_eq!(kim.name, "김민지 🎉");
    world.accounts.log_in("@lee", PASSWORD, "phone").await.unwrap();
    assert!(world.accounts.log_in("@park", "no password", "phone").await.is_err());
    for (handle, token) in done.made {
        let user = world.accounts.resolve(&handle).await.unwrap();
        assert_eq!(world.identify(&token.unwrap()).await.map(|found| found.user), user);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tokens_no_device_is_made() {
    let world = World::new().await;
    let done = import(&world, bare(1..=3), false).await;
    assert_eq!((done.imported.made, done.made.iter().filter(|(_, token)| token.is_some()).count()), (3, 0));
    let user = world.accounts.resolve("@user2").await.unwrap().unwrap();
    assert_eq!(world.store.devices(user).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_import_keeps_the_order_and_a_second_one_passes_over_what_is_there() {
    let world = World::new().await;
    let done = import(&world, bare(1..=2500), true).await;
    done.outcome.unwrap();
    let expected: Vec<_> = (1..=2500).map(|id| format!("@user{id}")).collect();
    assert!(done.made.iter().map(|(handle, _)| handle).eq(&expected));
    let again = import(&world, bare((1..=5).chain(2499..=2502)), true).await;
    again.outcome.unwrap();
    let expected = Imported { made: 2, taken: 7, taken_lines: vec![1, 2, 3, 4, 5, 6, 7] };
    assert_eq!(again.imported, expected);
    assert_eq!(again.made.iter().map(|(handle, _)| handle.as_str()).collect::<Vec<_>>(), ["@user2501", "@user2502"]);
    // What was there kept its token.
    let first = done.made[0].1.as_ref().unwrap();
    assert!(world.identify(first).await.is_some());
    let many = import(&world, bare(1..=2500), true).await.imported;
    assert_eq!((many.made, many.taken, many.taken_lines.len()), (0, 2500, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_comes_twice_is_made_once() {
    let world = World::new().await;
    let done = import(&world, bare([1, 2, 1, 3]), true).await;
    done.outcome.unwrap();
    assert_eq!(done.imported, Imported { made: 3, taken: 1, taken_lines: vec![3] });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_line_stops_it_by_number_and_what_is_before_it_is_made() {
    let secret = "a secret in the wrong place";
    let line = |rest: &str| format!("{{\"handle\":\"@last\",\"name\":\"Last\"{rest}}}");
    for (number, (bad, code)) in [
        ("not JSON".to_owned(), Code::RequestInvalid),
        (line(&format!(",\"password\":\"{secret}\",\"password_hash\":\"{HASH}\"")), Code::RequestInvalid),
        (line(&format!(",\"passwort\":\"{secret}\"")), Code::RequestInvalid),
        (line(",\"password\":\"short\""), Code::PasswordInvalid),
        (line(&format!(",\"password_hash\":\"{secret}\"")), Code::PasswordInvalid),
        (line(",\"password\":7"), Code::RequestInvalid),
        ("{\"handle\":\"last\",\"name\":\"Last\"}".to_owned(), Code::HandleInvalid),
        ("{\"handle\":\"@last\",\"name\":\"\"}".to_owned(), Code::RequestInvalid),
        ("{\"handle\":\"@last\"}".to_owned(), Code::RequestInvalid),
    ]
    .into_iter()
    .enumerate()
    {
        let world = World::new().await;
        let lines = format!("{}\n{bad}\n{}", bare(1..=1100), bare([2000]));
        let done = import(&world, lines, true).await;
        let error = done.outcome.unwrap_err();
        let text = error.to_string();
        let ImportError::Line { line, refusal } = error else { panic!("{number}: {text}") };
        assert_eq!((line, refusal.code), (1102, code), "{number}: {text}");
        assert!(text.starts_with("line 1102: ") && !text.contains(secret), "{text}");
        assert_eq!((done.imported.made, done.made.len()), (1100, 1100), "{number}");
        assert!(is_there(&world, "@user1100").await && !is_there(&world, "@user2000").await);
        assert!(!is_there(&world, "@last").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_stops_it_too() {
    let world = World::new().await;
    let too_long = format!("{{\"handle\":\"@long\",\"name\":\"{}\"}}", "n".repeat(IMPORT_LINE_BYTES_MAX));
    for (round, bad) in [too_long.as_bytes(), b"{\"handle\":\"@bytes\",\"name\":\"\xFF\"}"].into_iter().enumerate() {
        let lines = [bare([round as u64]).as_bytes(), bad, b"\n"].concat();
        let done = import(&world, lines, false).await;
        assert!(matches!(done.outcome.unwrap_err(), ImportError::Read { line: 2, .. }));
        assert_eq!(done.imported.made, 1);
    }
    let line = bare([9]);
    let of_length = |bytes: usize| format!("{}{line}", " ".repeat(bytes - line.len()));
    assert!(import(&world, of_length(IMPORT_LINE_BYTES_MAX + 1), false).await.outcome.is_err());
    assert!(import(&world, of_length(IMPORT_LINE_BYTES_MAX), false).await.outcome.is_ok());
    assert!(is_there(&world, "@user9").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_where_the_tokens_can_go_no_further() {
    let world = World::new().await;
    let mut batches = 0;
    let (imported, outcome) = world
        .accounts
        .import(bare(1..=3000).as_bytes(), true, &mut |_| {
            batches += 1;
            if batches < 2 { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        })
        .await;
    assert!(matches!(outcome.unwrap_err(), ImportError::Tokens(_)));
    assert!(imported.made < 3000 && !is_there(&world, "@user3000").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_hashed_beside_each_other_and_each_gets_its_own() {
    let world = World::with(Settings { hashes_at_once_max: 3, ..Settings::default() }).await;
    let lines: String = (1..=10)
        .map(|id| match id % 3 {
            0 => bare([id]),
            _ => format!("{{\"handle\":\"@user{id}\",\"name\":\"n\",\"password\":\"password of {id}\"}}\n"),
        })
        .collect();
    import(&world, lines, false).await.outcome.unwrap();
    for id in 1..=10 {
        let handle = format!("@user{id}");
        let has_password = world.store.by_handle(&handle.parse().unwrap()).await.unwrap().unwrap().1.is_some();
        assert_eq!(has_password, id % 3 != 0, "{id}");
        let fits = world.accounts.log_in(&handle, &format!("password of {id}"), "phone").await.is_ok();
        assert_eq!(fits, has_password, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_is_nothing_done() {
    let world = World::new().await;
    for lines in ["", "\n", "\n\r\n  \n"] {
        let done = import(&world, lines, true).await;
        done.outcome.unwrap();
        assert_eq!(done.imported, Imported::default());
    }
}
