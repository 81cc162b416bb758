//! Rules of [`People`], whoever keeps them.

use talaria_core::{Handle, UserId};
use talaria_port::people::People;

use super::{handle, user};

/// People that users can be added to.
pub trait FreshPeople: Send {
    /// Who answers.
    type People: People;

    /// The one who answers.
    fn people(&self) -> &Self::People;

    /// Makes a user; the id may be one of its own.
    fn add(&self, id: UserId, handle: Handle) -> impl Future<Output = UserId> + Send;
}

/// A user is found by handle and exists; another handle and another id are nobody's.
pub async fn a_user_is_found_by_handle<F: FreshPeople>(fresh: F) {
    let mut users = Vec::new();
    for (id, called) in [(1, "@kim"), (2, "@lee"), (3, "@kim2")] {
        users.push((fresh.add(user(id), handle(called)).await, handle(called)));
    }
    for (id, called) in users {
        assert_eq!(fresh.people().by_handle(&called).await.unwrap(), Some(id));
        assert!(fresh.people().exists(id).await.unwrap());
    }
    assert_eq!(fresh.people().by_handle(&handle("@park")).await.unwrap(), None);
    assert!(!fresh.people().exists(user(99)).await.unwrap());
}

/// Who was asked for in vain and is made afterwards is found: a miss is not remembered.
pub async fn a_miss_is_not_remembered<F: FreshPeople>(fresh: F) {
    for _ in 0..2 {
        assert_eq!(fresh.people().by_handle(&handle("@kim")).await.unwrap(), None);
        assert_eq!(fresh.people().cached(&handle("@kim")), None);
    }
    let kim = fresh.add(user(1), handle("@kim")).await;
    assert_eq!(fresh.people().by_handle(&handle("@kim")).await.unwrap(), Some(kim));
    assert!(fresh.people().exists(kim).await.unwrap());
}

/// What is known without IO is what the store says.
pub async fn what_is_cached_is_true<F: FreshPeople>(fresh: F) {
    let kim = fresh.add(user(1), handle("@kim")).await;
    for called in ["@kim", "@lee"] {
        let called = handle(called);
        for _ in 0..3 {
            if let Some(cached) = fresh.people().cached(&called) {
                assert_eq!((cached, called.as_str()), (kim, "kim"));
            }
            fresh.people().by_handle(&called).await.unwrap();
        }
    }
}

/// The rules of people.
#[macro_export]
macro_rules! people_suite {
    ($make:path) => {
        $crate::relational_rules!($make, people: a_user_is_found_by_handle, a_miss_is_not_remembered,
            what_is_cached_is_true);
    };
}
