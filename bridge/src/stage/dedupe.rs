//! Was this stored before? (INV-2, PROTOCOL "Never twice")

use talaria_port::ingest::{Intake, Submission};

use crate::keys::{Keys, Place, intent_key, key_fingerprint};

/// What is known of a submission.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing: it is new.
    New,
    /// It was stored, or numbered, there.
    Repeat(Place),
    /// It comes from a connection that a later one has replaced.
    Stale,
}

/// Looks a submission up.
pub(crate) fn dedupe(keys: &Keys, submission: &Submission) -> Known {
    let place = match &submission.intake {
        Intake::Message { key: Some(key), .. } => {
            keys.by_key(submission.user, key_fingerprint(talaria_core::EventKind::Message, key))
        }
        Intake::Message { origin: Some(claim), .. } => {
            if keys.is_stale(submission.user, claim) {
                return Known::Stale;
            }
            keys.by_origin(submission.user, claim)
        }
        Intake::System { kind, intent, .. } => {
            keys.by_key(submission.user, key_fingerprint(*kind, &intent_key(*intent)))
        }
        Intake::Message { .. } | Intake::Typing | Intake::Read(_) => None,
    };
    place.map_or(Known::New, Known::Repeat)
}
