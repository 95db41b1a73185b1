//! Memory for long responses of one component that their clients have not taken yet. A response for which there is no room
//! keeps the permit of its instance, so that slow clients cannot keep even more of them in memory. So that one client cannot
//! take all instances in this way, it is served nothing further while it has more than its part.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::http::client::network;
use crate::instances::Permit;

/// In frames of `MAX_FRAME_BYTES`, 64 MiB: four of the longest responses.
const MAX_FRAMES: usize = 1024;

/// What one client address may have: one of the longest responses.
const MAX_CLIENT_FRAMES: usize = MAX_FRAMES / 4;

#[derive(Default)]
pub struct Unsent(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    /// Without those of responses that keep a permit.
    total: usize,
    by_client: HashMap<IpAddr, usize>,
}

impl Unsent {
    /// Whether the client has more than its part. Components that call each other have no address and need no part.
    pub fn is_full_for(&self, client: IpAddr) -> bool {
        let counts = self.lock();
        let of_client = counts.by_client.get(&network(client));
        !client.is_unspecified() && of_client.is_some_and(|frames| *frames > MAX_CLIENT_FRAMES)
    }

    /// Counts the frames of a response until the result is dropped.
    pub fn hold(self: &Arc<Self>, client: IpAddr, frames: usize, permit: Arc<Permit>) -> Held {
        let client = network(client);
        let has_room = self.add(client, frames);
        Held {
            unsent: self.clone(),
            client,
            frames,
            permit: (!has_room).then_some(permit),
        }
    }

    /// Whether there was room.
    fn add(&self, client: IpAddr, frames: usize) -> bool {
        let mut counts = self.lock();
        *counts.by_client.entry(client).or_default() += frames;
        let has_room = counts.total + frames <= MAX_FRAMES;
        if has_room {
            counts.total += frames;
        }
        has_room
    }

    fn remove(&self, client: IpAddr, frames: usize, had_room: bool) {
        let mut counts = self.lock();
        if had_room {
            counts.total -= frames;
        }
        if let Some(of_client) = counts.by_client.get_mut(&client) {
            *of_client -= frames;
            if *of_client == 0 {
                counts.by_client.remove(&client);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A response that is not sent yet.
pub struct Held {
    unsent: Arc<Unsent>,
    client: IpAddr,
    frames: usize,
    /// If there was no room.
    permit: Option<Arc<Permit>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.unsent
            .remove(self.client, self.frames, self.permit.is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_a_part_and_all_clients_have_the_whole() {
        let unsent = Unsent::default();
        let [one, two] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
        assert!(unsent.add(one, MAX_CLIENT_FRAMES));
        assert!(!unsent.is_full_for(one));
        assert!(unsent.add(one, 1));
        assert!(unsent.is_full_for(one) && !unsent.is_full_for(two));

        assert!(unsent.add(two, MAX_FRAMES - MAX_CLIENT_FRAMES - 1));
        assert!(!unsent.add(two, 1), "there is no room");
        unsent.remove(two, 1, false);
        unsent.remove(one, 1, true);
        assert!(!unsent.is_full_for(one));
        assert!(unsent.add(two, 1), "there is room again");

        unsent.remove(one, MAX_CLIENT_FRAMES, true);
        unsent.remove(two, MAX_FRAMES - MAX_CLIENT_FRAMES, true);
        let counts = unsent.lock();
        assert!(counts.total == 0 && counts.by_client.is_empty());
    }

    #[test]
    fn components_that_call_each_other_need_no_part() {
        let unsent = Unsent::default();
        let component = IpAddr::from([0, 0, 0, 0]);
        assert!(unsent.add(component, MAX_FRAMES));
        assert!(!unsent.is_full_for(component));
    }
}
