//! Rules of [`SigningKeyStore`].

use talaria_port::signing_keys::{SigningKey, SigningKeyStore};

use super::{Fresh, assert_conflict};

fn key(id: &str, created_unix_ms: u64) -> SigningKey {
    let mut secret = [0xA5; 32];
    secret[0] = 0;
    secret[1] = id.len() as u8;
    SigningKey { id: id.into(), secret, created_unix_ms }
}

async fn ids(store: &impl SigningKeyStore) -> Vec<String> {
    store.signing_keys().await.unwrap().into_iter().map(|key| key.id).collect()
}

/// Keys come newest first, of one moment by id, with every field, after reopening too.
pub async fn keys_come_newest_first<F: Fresh<Store: SigningKeyStore>>(mut fresh: F) {
    assert_eq!(fresh.store().signing_keys().await.unwrap(), []);
    let keys = [key("c", 5), key("longer", 9), key("b", 5), key("a", 1)];
    for key in &keys {
        fresh.store().add_signing_key(key).await.unwrap();
    }
    let [c, longer, b, a] = keys;
    for _ in 0..2 {
        let expected = [&longer, &b, &c, &a].map(Clone::clone);
        assert_eq!(fresh.store().signing_keys().await.unwrap(), expected);
        fresh.reopen().await;
    }
}

/// An id is given to one key for ever.
pub async fn a_key_is_never_overwritten<F: Fresh<Store: SigningKeyStore>>(fresh: F) {
    fresh.store().add_signing_key(&key("a", 1)).await.unwrap();
    assert_conflict(fresh.beside().await.add_signing_key(&key("a", 2)).await);
    assert_eq!(fresh.store().signing_keys().await.unwrap(), [key("a", 1)]);
}

/// Old keys go, the newest never.
pub async fn the_newest_key_is_never_retired<F: Fresh<Store: SigningKeyStore>>(mut fresh: F) {
    let store = fresh.store();
    for (id, created) in [("a", 1), ("b", 5), ("c", 9)] {
        store.add_signing_key(&key(id, created)).await.unwrap();
    }
    assert_eq!(store.retire_signing_keys(1).await.unwrap(), 0);
    assert_eq!(store.retire_signing_keys(5).await.unwrap(), 1);
    assert_eq!(ids(&**store).await, ["c", "b"]);
    assert_eq!(store.retire_signing_keys(1000).await.unwrap(), 1);
    assert_eq!(store.retire_signing_keys(1000).await.unwrap(), 0);
    fresh.reopen().await;
    assert_eq!(ids(&**fresh.store()).await, ["c"]);
}

/// The rules of signing keys.
#[macro_export]
macro_rules! signing_key_store_suite {
    ($make:path) => {
        $crate::relational_rules!($make, signing_keys: keys_come_newest_first, a_key_is_never_overwritten,
            the_newest_key_is_never_retired);
    };
}
