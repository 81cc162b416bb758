//! What must hold at the end of a round, from the clients' point of view and from the store's. What can be seen at once is checked
//! where it happens, in `client/answers.rs`.

mod memberships;
mod sessions;
mod stored;

use crate::world::World;

use memberships::Memberships;

impl World {
    /// The first promise that was broken.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Some(store) = self.store() else { return Err("there is no process".into()) };
        stored::check(store, &self.conversations, &self.ledger)?;
        let memberships = Memberships::read(store, &self.conversations)?;
        if let Some(node) = &self.node {
            memberships.check_relational(store, &node.disk.channels, &self.channels, &self.users)?;
        }
        memberships.check_senders(store, &self.conversations)?;
        for client in &self.clients {
            sessions::check(client, store, &self.conversations, &memberships)
                .map_err(|what| format!("client {} of user {}: {what}", client.index, client.user))?;
        }
        Ok(())
    }
}
