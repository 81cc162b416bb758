//! Three clients that nobody here wrote chat with each other, on 3.1.1 and on 5.0.
#![allow(clippy::unwrap_used, reason = "a broken rule is told by a panic, also in functions that tests share")]

mod away;
mod chat;
mod resend;

use talaria_codec::Version;
use talaria_tests::stock::{Client, Login, Stock};
use talaria_tests::{Person, Server};

/// A server and one person a client.
struct Stage {
    server: Server,
    version: Version,
    people: [Person; 3],
}

impl Stage {
    fn new(version: Version) -> Self {
        let server = Server::fresh();
        let people = server.people(Stock::ALL.map(Stock::handle));
        Self { server, version, people }
    }

    fn person(&self, stock: Stock) -> &Person {
        let at = Stock::ALL.iter().position(|other| *other == stock).unwrap();
        &self.people[at]
    }

    /// Comes, or comes back.
    fn come(&self, stock: Stock) -> Box<dyn Client> {
        self.come_in(stock, self.version)
    }

    /// The same, in that version.
    fn come_in(&self, stock: Stock, version: Version) -> Box<dyn Client> {
        let (server, person) = (self.server.mqtt(), self.person(stock));
        stock.come(&Login { server, person, client_id: "session", version })
    }

    /// Everybody.
    fn all(&self) -> Vec<(Stock, Box<dyn Client>)> {
        Stock::ALL.into_iter().map(|stock| (stock, self.come(stock))).collect()
    }

    /// A channel of all three, made by the first.
    fn channel(&self) -> String {
        let [owner, others @ ..] = &self.people;
        self.server.channel(owner, &others.each_ref())
    }
}
