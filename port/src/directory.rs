//! Who is connected where, in this process.

use talaria_core::UserId;

use crate::deliver::Address;

/// Live sessions of users. A lookup costs the same however many users there are.
pub trait Directory: Send + Sync {
    /// Enters a session. Every lookup that begins after this returns finds it (D4, D12).
    fn register(&self, user: UserId, address: Address);

    /// Takes it out; one that is not there is no error.
    fn unregister(&self, user: UserId, address: Address);

    /// Adds the sessions of `user` to `into`. May name some that are gone, never lacks one.
    fn addresses(&self, user: UserId, into: &mut Vec<Address>);

    /// Adds the sessions of all of `users`, in their order.
    fn addresses_of(&self, users: &[UserId], into: &mut Vec<Address>) {
        for user in users {
            self.addresses(*user, into);
        }
    }
}

/// Who holds a session name, (user, client id), right now (INV-6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The connection's generation, from the id clock: the later of two claims wins.
    pub generation: u64,
    /// Where the connection is.
    pub address: Address,
}

/// What became of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claimed {
    /// Nobody held it.
    Free,
    /// That one held it and must be closed; until then it may still write its mark.
    From(Claim),
    /// A later claim holds it; this one has lost.
    Lost,
    /// The user has as many live sessions as allowed.
    TooMany,
}

/// The claims of live sessions.
pub trait Claims: Send + Sync {
    /// Claims the name.
    fn claim(&self, user: UserId, client_id: &str, claim: Claim) -> Claimed;

    /// Gives it back, if this generation still holds it.
    fn release(&self, user: UserId, client_id: &str, generation: u64);

    /// Whether somebody holds the name.
    fn is_held(&self, user: UserId, client_id: &str) -> bool;

    /// Every live session of a user, for revocation.
    fn held_by(&self, user: UserId) -> Vec<Claim>;
}
