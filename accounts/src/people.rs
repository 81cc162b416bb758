//! Who exists, for the way of a message.

use async_trait::async_trait;
use talaria_core::{Handle, UserId};
use talaria_port::StoreError;
use talaria_port::people::People;

use crate::Accounts;

#[async_trait]
impl People for Accounts {
    fn cached(&self, handle: &Handle) -> Option<UserId> {
        self.caches().handles.get(handle)
    }

    async fn by_handle(&self, handle: &Handle) -> Result<Option<UserId>, StoreError> {
        self.user_of(handle).await
    }

    async fn exists(&self, user: UserId) -> Result<bool, StoreError> {
        Ok(self.store.account(user).await?.is_some())
    }
}
