//! Sign-up and log-in.

use talaria_core::limits::{DEVICES_PER_USER_MAX, LOG_IN_FAILURE_FORGOTTEN_S, LOG_IN_FAILURES_MAX};
use talaria_core::{Code, DeviceId};
use talaria_port::accounts::{Account, AccountStore as _, Device, NewAccount, PasswordHash};
use talaria_port::authenticate::Authenticate as _;
use talaria_port::devices::DeviceStore as _;

use crate::world::{PASSWORD, World};

async fn refusal(world: &World, handle: &str, password: &str) -> Code {
    world.accounts.log_in(handle, password, "phone").await.err().unwrap().code
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let world = World::new().await;
    world.user("@kim").await;
    assert!(world.accounts.log_in("@kim", PASSWORD, "phone").await.is_ok());
    let unknown = world.accounts.log_in("@lee", PASSWORD, "phone").await.err().unwrap();
    assert_eq!(unknown.code, Code::NotAuthenticated);
    let too_long = "c".repeat(10_000);
    for wrong in ["correct horse\0", "correct hors", "correct", "", "correct horse2", "Correct horse", &too_long] {
        assert_eq!(world.accounts.log_in("@kim", wrong, "phone").await.err().unwrap(), unknown, "{wrong:?}");
        world.accounts.log_in("@kim", PASSWORD, "phone").await.unwrap();
    }
    for no_handle in ["kim", "@KIM", "@kim\0", "", "@", "@kim "] {
        assert_eq!(world.accounts.log_in(no_handle, PASSWORD, "phone").await.err().unwrap(), unknown, "{no_handle:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_character_of_a_password_counts() {
    let world = World::new().await;
    let password = "비밀번호\0🔑 plus";
    world.accounts.sign_up("@kim", password, "Kim").await.unwrap();
    assert!(world.accounts.log_in("@kim", password, "phone").await.is_ok());
    for wrong in ["비밀번호", "비밀번호\0", "비밀번호\0🔑 plu", "비밀번호\0🔒 plus", "비밀번호🔑 plus"]
    {
        assert_eq!(refusal(&world, "@kim", wrong).await, Code::NotAuthenticated, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_out_of_bounds_is_refused_and_makes_nothing() {
    let world = World::new().await;
    world.user("@kim").await;
    for (handle, password, name, code) in [
        ("kim", PASSWORD, "Kim", Code::HandleInvalid),
        ("@Kim", PASSWORD, "Kim", Code::HandleInvalid),
        ("@lee", "1234567", "Lee", Code::PasswordInvalid),
        ("@lee", "", "Lee", Code::PasswordInvalid),
        ("@lee", PASSWORD, "", Code::RequestInvalid),
        ("@lee", PASSWORD, "a\u{1b}[2J", Code::RequestInvalid),
        ("@kim", PASSWORD, "Kim", Code::HandleTaken),
    ] {
        assert_eq!(world.accounts.sign_up(handle, password, name).await.unwrap_err().code, code, "{handle} {name}");
    }
    assert_eq!(world.accounts.resolve("@lee").await.unwrap(), None);
    assert_eq!(world.accounts.log_in("@kim", PASSWORD, "").await.err().unwrap().code, Code::RequestInvalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_stops_for_a_handle_alone_and_goes_on_slowly() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    world.user("@lee").await;
    let (access, device) = (world.access_token("@kim").await, world.device_token(&kim).await);
    for handle in ["@kim", "@nobody"] {
        for _ in 0..LOG_IN_FAILURES_MAX {
            assert_eq!(refusal(&world, handle, "wrong password").await, Code::NotAuthenticated);
        }
        // Whether it exists does not show here either, and the right password does not help.
        assert_eq!(refusal(&world, handle, PASSWORD).await, Code::RateLimited);
    }
    assert!(world.identify(&access).await.is_some() && world.identify(&device).await.is_some());
    assert!(world.accounts.log_in("@lee", PASSWORD, "phone").await.is_ok());
    world.clock.advance_ms(LOG_IN_FAILURE_FORGOTTEN_S * 1_000);
    assert_eq!(refusal(&world, "@kim", "wrong password").await, Code::NotAuthenticated);
    assert_eq!(refusal(&world, "@kim", PASSWORD).await, Code::RateLimited);
    world.clock.advance_ms(LOG_IN_FAILURE_FORGOTTEN_S * 1_000);
    assert!(world.accounts.log_in("@kim", PASSWORD, "phone").await.is_ok());
    // Cleared: all guesses are free again.
    for _ in 0..LOG_IN_FAILURES_MAX {
        assert_eq!(refusal(&world, "@kim", "wrong password").await, Code::NotAuthenticated);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_password_has_none_that_fits() {
    let world = World::new().await;
    let handle = "@lamp".parse().unwrap();
    let lamp = Account { handle, ..world.user("@kim").await };
    let lamp = Account { id: "77".parse().unwrap(), ..lamp };
    world.store.create(&[NewAccount { account: lamp, password: None, device: None }]).await.unwrap();
    for password in ["", "no password", PASSWORD] {
        assert_eq!(refusal(&world, "@lamp", password).await, Code::NotAuthenticated, "{password:?}");
    }
}

/// "correct horse" with costs that are not today's, as `argon2 somesaltsomesalt -id -t 3 -k 4096 -p 1 -e` of the reference implementation prints it.
const FOREIGN: &str =
    "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$acbZCckOfABB/s2U/eE8vrM+V9HWTIj4syKxzIwhax8";

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_hash_is_replaced_at_the_first_log_in_that_fits() {
    let world = World::new().await;
    let kim = Account { id: "77".parse().unwrap(), ..world.user("@lee").await };
    let kim = Account { handle: "@kim".parse().unwrap(), ..kim };
    let handle = kim.handle.clone();
    let new = NewAccount { account: kim, password: Some(PasswordHash::new(FOREIGN)), device: None };
    world.store.create(&[new]).await.unwrap();
    let hash = async || world.store.by_handle(&handle).await.unwrap().unwrap().1.unwrap();
    assert_eq!(refusal(&world, "@kim", "wrong password").await, Code::NotAuthenticated);
    assert_eq!(hash().await.reveal(), FOREIGN);
    for _ in 0..2 {
        assert!(world.accounts.log_in("@kim", PASSWORD, "phone").await.is_ok());
        assert!(hash().await.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
    assert_eq!(refusal(&world, "@kim", "wrong password").await, Code::NotAuthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_ins_beyond_the_bound_end_the_oldest_and_never_a_device_token() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    let (lamp, first) = (world.device_token(&kim).await, world.access_token("@kim").await);
    let second = world.access_token("@kim").await;
    let newer =
        Device { id: "9000000000000000000".parse().unwrap(), user: kim.id, name: "n".into(), created_unix_ms: 1 };
    for number in 3..DEVICES_PER_USER_MAX as u64 {
        let id = DeviceId::new(newer.id.get() + number).unwrap();
        assert!(world.store.add_device(&Device { id, ..newer.clone() }, None).await.unwrap());
    }
    assert!(world.identify(&first).await.is_some());
    world.access_token("@kim").await;
    world.accounts.revoked(0).await.unwrap();
    assert_eq!(world.identify(&first).await, None);
    assert!(world.identify(&second).await.is_some() && world.identify(&lamp).await.is_some());
    assert_eq!(world.store.devices(kim.id).await.unwrap().len(), DEVICES_PER_USER_MAX);
}

#[tokio::test(flavor = "multi_thread")]
async fn device_tokens_have_a_bound() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    for _ in 0..DEVICES_PER_USER_MAX {
        world.device_token(&kim).await;
    }
    let refusal = world.accounts.add_device_token(kim.id, "lamp").await.err().unwrap();
    assert_eq!(refusal.code, Code::TooManyDevices);
    let nobody = world.accounts.add_device_token("99".parse().unwrap(), "lamp").await.err().unwrap();
    assert_eq!(nobody.code, Code::UnknownUser);
}
