//! Accounts as those who route messages see them.

use talaria_accounts::Accounts;
use talaria_core::{Handle, UserId};
use talaria_port::people::People as _;
use talaria_storage_contract::relational::people::FreshPeople;

use crate::world::World;

impl FreshPeople for World {
    type People = Accounts;

    fn people(&self) -> &Accounts {
        &self.accounts
    }

    async fn add(&self, _: UserId, handle: Handle) -> UserId {
        self.user(&handle.to_string()).await.id
    }
}

async fn make() -> World {
    World::new().await
}

talaria_storage_contract::people_suite!(make);

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_is_known_without_io_once_it_was_asked_for() {
    let world = World::new().await;
    let kim = world.user("@kim").await;
    let (other, _) = world.another().await;
    assert_eq!(other.cached(&kim.handle), None);
    assert_eq!(other.by_handle(&kim.handle).await.unwrap(), Some(kim.id));
    assert_eq!(other.cached(&kim.handle), Some(kim.id));
}
