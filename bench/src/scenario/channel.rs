//! 10 groups of 100 members; one member of each publishes, all of them receive and acknowledge.

use anyhow::Result;

use super::{ARRIVAL_LIMIT, PAYLOAD_BYTES, Scale, Values, cost};
use crate::client::crowd::{Member, arrive};
use crate::client::fleet::Fleet;
use crate::client::load::Publisher;
use crate::client::wire::PublishTemplate;
use crate::figure::Figure;
use crate::server::Running;

const GROUPS: usize = 10;
/// Members of a group, the one that publishes among them.
const MEMBERS: usize = 100;
const WINDOW: u16 = 16;

/// Cost and rate of a delivery, with 16 publishes in flight and with one.
pub(crate) fn run(server: &dyn Running, scale: &Scale) -> Result<Values> {
    let mut fleet = Fleet::new(server.address())?;
    let publishers = join(&mut fleet, server)?;
    let full = cost::measure(&mut fleet, server.pid(), &publishers, WINDOW, scale)?;
    let one = cost::measure(&mut fleet, server.pid(), &publishers, 1, scale)?;
    Ok(vec![
        (Figure::ChannelCpu, full.per_delivery_us()),
        (Figure::ChannelRate, full.rate()),
        (Figure::ChannelOneCpu, one.per_delivery_us()),
        (Figure::ChannelOneRate, one.rate()),
    ])
}

fn join(fleet: &mut Fleet, server: &dyn Running) -> Result<Vec<Publisher>> {
    let mut members: Vec<Member> = (0..GROUPS).map(|group| server.publisher(group * MEMBERS)).collect();
    let mut publishers = Vec::with_capacity(GROUPS);
    for group in 0..GROUPS {
        let accounts: Vec<usize> = (group * MEMBERS..(group + 1) * MEMBERS).collect();
        let made = server.make_group(&accounts)?;
        publishers.push(Publisher {
            connection: fleet.len() + group,
            template: PublishTemplate::new(&made.topic, PAYLOAD_BYTES),
            receivers: made.receivers.len() as u64,
        });
        members.extend(made.receivers);
    }
    arrive(fleet, &members, ARRIVAL_LIMIT)?;
    Ok(publishers)
}
