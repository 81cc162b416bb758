//! The load client: many MQTT connections in one thread over one epoll set.
//!
//! Start with [`fleet::Fleet`], which owns the sockets; [`crowd`] brings connections up, [`load`] and [`paced`] are
//! the two ways of publishing. It knows nothing of which server it talks to.

pub(crate) mod connection;
pub(crate) mod crowd;
pub(crate) mod fleet;
pub(crate) mod load;
pub(crate) mod paced;
pub(crate) mod wire;
