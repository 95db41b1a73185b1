//! The queue of messages for one component, bounded by the memory that they take. Where the manifest merges equal
//! messages, a message that equals a waiting one is dropped as delivered: the waiting one is handled after the second
//! was sent.

use std::collections::HashSet;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

pub type Message = Arc<[u8]>;

/// What a waiting message takes beside its bytes.
const OVERHEAD: usize = 64;

pub struct Queue {
    sender: mpsc::UnboundedSender<Message>,
    /// Bytes that there is room for.
    room: AtomicUsize,
    /// The waiting messages, where equal ones are merged.
    waiting: Option<Mutex<HashSet<Message>>>,
}

impl Queue {
    pub fn new(max_bytes: usize, merges_equal: bool) -> (Self, mpsc::UnboundedReceiver<Message>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let queue = Self {
            sender,
            room: AtomicUsize::new(max_bytes),
            waiting: merges_equal.then(Mutex::default),
        };
        (queue, receiver)
    }

    /// Returns whether the message, or an equal one, is waiting now.
    pub fn offer(&self, message: Message) -> bool {
        if !self.mark_waiting(&message) {
            return true;
        }
        let needed = message.len() + OVERHEAD;
        let take = |room: usize| room.checked_sub(needed);
        let is_queued = self.room.fetch_update(Relaxed, Relaxed, take).is_ok()
            && self.sender.send(message.clone()).is_ok();
        if !is_queued {
            self.forget(&message);
        }
        is_queued
    }

    /// Call before a received message is handled: equal messages are queued again from then on.
    pub fn mark_taken(&self, message: &Message) {
        self.room.fetch_add(message.len() + OVERHEAD, Relaxed);
        self.forget(message);
    }

    fn forget(&self, message: &Message) {
        if let Some(waiting) = &self.waiting {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.remove(message);
        }
    }

    fn mark_waiting(&self, message: &Message) -> bool {
        self.waiting.as_ref().is_none_or(|waiting| {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.insert(message.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        text.as_bytes().into()
    }

    #[test]
    fn messages_are_queued_while_there_is_room() {
        let (queue, mut waiting) = Queue::new(2 * (OVERHEAD + 1), false);
        assert!(queue.offer(message("a")) && queue.offer(message("a")));
        assert!(!queue.offer(message("b")));
        let taken = waiting.try_recv().unwrap();
        assert_eq!(taken, message("a"));
        queue.mark_taken(&taken);
        assert!(queue.offer(message("b")));
    }

    #[test]
    fn many_small_messages_with_data_wait() {
        let (queue, _waiting) = Queue::new(64 * 1024 * 1024, false);
        assert!((0..100_000).all(|number| queue.offer(message(&number.to_string()))));
    }

    #[test]
    fn equal_messages_are_merged_until_one_is_handled() {
        let (queue, mut waiting) = Queue::new(2 * (OVERHEAD + 4), true);
        for _ in 0..100 {
            assert!(queue.offer(message("wake")));
        }
        assert!(queue.offer(message("tick")));
        assert!(!queue.offer(message("more")), "there is room for two");

        let taken = waiting.try_recv().unwrap();
        assert!(queue.offer(message("wake")), "it has not been handled yet");
        queue.mark_taken(&taken);
        assert!(queue.offer(message("wake")));
        let rest: Vec<Message> = std::iter::from_fn(|| waiting.try_recv().ok()).collect();
        assert_eq!(rest, [message("tick"), message("wake")]);
    }

    #[test]
    fn a_dropped_message_can_be_offered_again() {
        let (queue, mut waiting) = Queue::new(OVERHEAD + 1, true);
        assert!(queue.offer(message("a")));
        assert!(!queue.offer(message("b")));
        queue.mark_taken(&waiting.try_recv().unwrap());
        assert!(queue.offer(message("b")));
    }
}
