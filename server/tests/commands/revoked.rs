//! What is revoked in the database by another process ends at the running server.

use std::io::Read as _;

use talaria_core::UserId;
use talaria_port::devices::DeviceStore as _;
use talaria_storage_sql::SqliteStore;

use crate::talaria::Folder;

/// CONNACK: accepted, and bad user name or password (3.1.1 table 3.1).
const ACCEPTED: u8 = 0;
const BAD_CREDENTIALS: u8 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_ends_its_live_sessions_and_opens_no_other() {
    let folder = Folder::new();
    let serving = folder.serve().await;
    let (kim, lee) = (folder.add_user("@kim"), folder.add_user("@lee"));
    let (of_kim, of_lee) = (folder.token("@kim"), folder.token("@lee"));
    let (mut session, code) = serving.connect("@kim", &of_kim);
    assert_eq!((code, serving.who_is(&of_kim)), (ACCEPTED, Some(kim)));
    let other_process = SqliteStore::open_beside(folder.data().join("talaria.db")).await.unwrap();
    assert!(other_process.revoke_user(UserId::new(kim).unwrap()).await.unwrap());
    // It ends by itself, when the server looks at the log of revocations.
    let mut rest = Vec::new();
    let _ = session.read_to_end(&mut rest);
    assert_eq!((serving.connect("@kim", &of_kim).1, serving.who_is(&of_kim)), (BAD_CREDENTIALS, None));
    assert_eq!((serving.connect("@lee", &of_lee).1, serving.who_is(&of_lee)), (ACCEPTED, Some(lee)));
    let again = folder.token("@kim");
    assert_eq!((serving.connect("@kim", &again).1, serving.who_is(&again)), (ACCEPTED, Some(kim)));
}
