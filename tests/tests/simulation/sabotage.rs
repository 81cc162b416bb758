//! Deliberate breaches of what is promised: the checks have to see each of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use talaria_port::ingest::{Ingest, Intake, ReplyTo, Submission};

/// What is broken on purpose, once in a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sabotage {
    /// A client acknowledges a delivery and never looks at it.
    DropsADelivery,
    /// A client gets two deliveries of one conversation in the wrong order.
    SwapsDeliveries,
    /// A client gets what another user was sent.
    LeaksADelivery,
    /// A message enters the pipeline a second time.
    StoresTwice,
    /// A resend is not known for one.
    ForgetsResends,
    /// A crash takes a round with it that was acknowledged.
    LosesARound,
}

/// The submission at which it happens, counted in a process.
const AT: usize = 5;

/// The pipeline's entrance, broken.
pub(crate) struct SabotagedIngest {
    inner: Arc<dyn Ingest>,
    sabotage: Sabotage,
    messages: AtomicUsize,
}

impl SabotagedIngest {
    pub(crate) fn new(inner: Arc<dyn Ingest>, sabotage: Sabotage) -> Self {
        Self { inner, sabotage, messages: AtomicUsize::new(0) }
    }

    /// What is submitted beside it.
    fn disturb(&self, submission: &mut Submission) -> Option<Submission> {
        let Intake::Message { body, key, origin } = &mut submission.intake else { return None };
        match self.sabotage {
            Sabotage::ForgetsResends => {
                *origin = None;
                None
            }
            Sabotage::StoresTwice if self.messages.fetch_add(1, Ordering::Relaxed) == AT && key.is_none() => {
                let intake = Intake::Message { body: body.clone(), key: None, origin: None };
                // Nobody listens to that mailbox.
                let reply = ReplyTo { mailbox: u16::MAX, ticket: 0 };
                let Submission { user, conversation, rollbacks, .. } = *submission;
                Some(Submission { reply, user, conversation, intake, rollbacks })
            }
            _ => None,
        }
    }
}

impl Ingest for SabotagedIngest {
    fn submit(&self, submissions: &mut Vec<Submission>) {
        let mut all = Vec::with_capacity(submissions.len());
        for mut submission in submissions.drain(..) {
            let second = self.disturb(&mut submission);
            all.push(submission);
            all.extend(second);
        }
        self.inner.submit(&mut all);
    }
}
