//! Passwords: argon2id, off the runtime and at most a few at a time, so that a flood of log-ins cannot take the memory nor the threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params};
use talaria_core::Code;
use talaria_core::limits::PASSWORDS_WAITING_MAX;
use talaria_port::Refusal;
use talaria_port::accounts::PasswordHash;
use tokio::sync::{Semaphore, oneshot};

use crate::token;

/// Of a hash that is taken over: a shorter one fits too many passwords.
const OUTPUT_BYTES_MIN: usize = 16;

pub(crate) struct Passwords {
    /// Who is hashed now.
    turns: Arc<Semaphore>,
    /// Who is hashed now or waits.
    places: Arc<Semaphore>,
    /// Threads of its own, as many as turns: each hash takes 19 MiB, and the allocator keeps for every thread what it ever used.
    work: Sender<Work>,
    /// What an unknown user's password is held against, so that both answers take the same work.
    decoy: PasswordHash,
}

type Work = Box<dyn FnOnce() + Send>;

impl Passwords {
    pub(crate) async fn new(at_once_max: usize) -> Result<Self, Refusal> {
        let at_once_max = at_once_max.max(1);
        let turns = Arc::new(Semaphore::new(at_once_max));
        let places = Arc::new(Semaphore::new(at_once_max + PASSWORDS_WAITING_MAX));
        let work = start_threads(at_once_max).map_err(|_| Refusal::from(Code::Internal))?;
        let this = Self { turns, places, work, decoy: PasswordHash::new("") };
        let decoy = this.hash("no password").await?;
        Ok(Self { decoy, ..this })
    }

    pub(crate) async fn hash(&self, password: &str) -> Result<PasswordHash, Refusal> {
        let (password, random) = (password.to_owned(), token::random()?);
        self.run(move || {
            let salt = SaltString::encode_b64(random.get(..16)?).ok()?;
            let hash = Argon2::default().hash_password(password.as_bytes(), &salt).ok()?;
            Some(PasswordHash::new(hash.to_string()))
        })
        .await?
        .ok_or_else(|| Code::Internal.into())
    }

    /// Whether the password fits; with no hash it is compared all the same and does not.
    pub(crate) async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, Refusal> {
        let is_known = hash.is_some();
        let (password, hash) = (password.to_owned(), hash.unwrap_or(&self.decoy).clone());
        let fits = self
            .run(move || {
                let Ok(hash) = password_hash::PasswordHash::new(hash.reveal()) else { return false };
                Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
            })
            .await?;
        Ok(fits && is_known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::from(Code::Unavailable))?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Refusal::from(Code::Unavailable))?;
        // Both go with the work: a caller that is dropped must not let another begin while the work goes on.
        let (tell, told) = oneshot::channel();
        let work = Box::new(move || {
            let result = work();
            drop((turn, place));
            // A caller that is gone needs no answer.
            let _ = tell.send(result);
        });
        self.work.send(work).map_err(|_| Refusal::from(Code::Internal))?;
        told.await.map_err(|_| Code::Internal.into())
    }
}

/// Threads that do what is sent, until the sender is dropped.
fn start_threads(count: usize) -> std::io::Result<Sender<Work>> {
    let (sender, receiver) = mpsc::channel::<Work>();
    let receiver = Arc::new(Mutex::new(receiver));
    for number in 0..count {
        let receiver = Arc::clone(&receiver);
        std::thread::Builder::new().name(format!("password-{number}")).spawn(move || {
            loop {
                let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(work) = next else { return };
                // Its caller sees a panic by the answer that does not come.
                let _ = catch_unwind(AssertUnwindSafe(work));
            }
        })?;
    }
    Ok(sender)
}

/// Whether an imported text is an argon2id hash with costs that a log-in can bear.
pub(crate) fn is_hash(text: &str) -> bool {
    let Some((algorithm, params)) = costs(text) else { return false };
    algorithm == Algorithm::Argon2id && params.m_cost() <= 256 * 1024 && params.t_cost() <= 16 && params.p_cost() <= 16
}

/// Whether it has the costs of today. One that has not takes another time than an unknown user's.
pub(crate) fn is_current(hash: &PasswordHash) -> bool {
    let costs = costs(hash.reveal());
    costs.is_some_and(|(algorithm, params)| {
        let default = Params::default();
        let of = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        algorithm == Algorithm::default() && of(&params) == of(&default)
    })
}

fn costs(text: &str) -> Option<(Algorithm, Params)> {
    let hash = password_hash::PasswordHash::new(text).ok()?;
    hash.hash.filter(|output| output.len() >= OUTPUT_BYTES_MIN)?;
    Some((Algorithm::try_from(hash.algorithm).ok()?, Params::try_from(&hash).ok()?))
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn every_character_counts_and_nothing_fits_no_hash() {
        run(async {
            let passwords = Passwords::new(1).await.unwrap();
            let hash = passwords.hash("pass\0word 🔑").await.unwrap();
            assert!(passwords.verify("pass\0word 🔑", Some(&hash)).await.unwrap());
            for wrong in ["", "pass", "pass\0", "pass\0word 🔑\0", "pass\0word 🔒", "PASS\0WORD 🔑"] {
                assert!(!passwords.verify(wrong, Some(&hash)).await.unwrap(), "{wrong:?}");
            }
            assert!(!passwords.verify("no password", None).await.unwrap(), "the decoy's own");
            assert!(!passwords.verify("", Some(&PasswordHash::new(""))).await.unwrap());
        });
    }

    #[test]
    fn the_decoy_costs_what_a_hash_costs() {
        run(async {
            let passwords = Passwords::new(1).await.unwrap();
            assert!(is_current(&passwords.decoy));
            assert!(is_current(&passwords.hash("correct horse").await.unwrap()));
            assert_ne!(passwords.hash("correct horse").await.unwrap(), passwords.hash("correct horse").await.unwrap());
        });
    }

    #[test]
    fn only_so_many_run_at_once_only_so_many_wait_and_the_rest_is_refused() {
        run(async {
            let passwords = Arc::new(Passwords::new(2).await.unwrap());
            let (begin, begun) = mpsc::channel();
            let (release, released) = mpsc::channel::<()>();
            let released = Arc::new(Mutex::new(released));
            let mut waiting = tokio::task::JoinSet::new();
            for _ in 0..2 + PASSWORDS_WAITING_MAX {
                let (passwords, begin, released) = (Arc::clone(&passwords), begin.clone(), Arc::clone(&released));
                waiting.spawn(async move {
                    let work = move || {
                        begin.send(()).unwrap();
                        // Ends with an error when the test lets all go.
                        let _ = released.lock().unwrap().recv();
                    };
                    passwords.run(work).await
                });
            }
            begun.recv().unwrap();
            begun.recv().unwrap();
            while passwords.places.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            let mut one_more = std::pin::pin!(passwords.hash("correct horse"));
            let Poll::Ready(answer) = one_more.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("it waits");
            };
            assert_eq!(answer.unwrap_err().code, Code::Unavailable);
            assert!(begun.try_recv().is_err(), "a third began");
            drop(release);
            assert!(waiting.join_all().await.iter().all(Result::is_ok));
            assert!(passwords.hash("correct horse").await.is_ok());
        });
    }

    #[test]
    fn a_caller_that_went_away_keeps_its_turn_until_its_work_is_done() {
        run(async {
            let passwords = Arc::new(Passwords::new(1).await.unwrap());
            let (begin, begun) = mpsc::channel();
            let (release, released) = mpsc::channel::<()>();
            let called = Arc::clone(&passwords);
            let caller = tokio::spawn(async move {
                let work = move || {
                    begin.send(()).unwrap();
                    let _ = released.recv();
                };
                called.run(work).await
            });
            begun.recv().unwrap();
            caller.abort();
            assert!(caller.await.unwrap_err().is_cancelled());
            assert_eq!(passwords.turns.available_permits(), 0);
            drop(release);
            assert!(passwords.hash("correct horse").await.is_ok());
        });
    }

    #[test]
    fn only_argon2id_within_bearable_costs_is_taken_over() {
        let with = |start: &str| format!("{start}$c29tZXNhbHRzb21l$FUxYR2zs+Vj1xRJSWPKJ3dSlmO0YGVfNsFLmdVyTnGw");
        assert!(is_hash(&with("$argon2id$v=19$m=4096,t=3,p=1")));
        assert!(!is_current(&PasswordHash::new(with("$argon2id$v=19$m=4096,t=3,p=1"))));
        for bad in [
            with("$argon2i$v=19$m=4096,t=3,p=1"),
            with("$argon2id$v=19$m=1048576,t=3,p=1"),
            with("$argon2id$v=19$m=4096,t=100,p=1"),
            with("$argon2id$v=19$m=4096,t=3,p=64"),
            "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21l".into(),
            "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21l$FUxYR2zs+Vg".into(),
            "$2b$12$abcdefghijklmnopqrstuv".into(),
            "correct horse".into(),
            String::new(),
        ] {
            assert!(!is_hash(&bad), "{bad}");
        }
    }
}
