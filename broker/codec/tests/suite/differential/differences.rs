use talaria_codec::{Packet, Rule};
pub(super) fn accepted_by_theirs_alone(rule: Rule) -> bool {
    let _ = rule;
    false
}
pub(super) fn accepted_by_ours_alone(_packet: &Packet<'_>, _bytes: &[u8]) -> bool {
    false
}
