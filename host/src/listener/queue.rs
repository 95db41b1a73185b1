//! Messages that wait for one component, as many as there is room for. Where the manifest says that
//! equal messages are one, a message like one that already waits is as good as delivered: whoever is
//! handed the first looks after the second was sent.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

pub type Message = Arc<[u8]>;

pub struct Queue {
    room: mpsc::Sender<Message>,
    /// What waits, where equal messages are one.
    waiting: Option<Mutex<HashSet<Message>>>,
}

impl Queue {
    pub fn new(room: usize, merges_equal: bool) -> (Self, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel(room);
        let queue = Self {
            room: sender,
            waiting: merges_equal.then(Mutex::default),
        };
        (queue, receiver)
    }

    /// Says whether the message, or one like it, waits now.
    pub fn offer(&self, message: Message) -> bool {
        if !self.begins_to_wait(&message) {
            return true;
        }
        let has_room = self.room.try_send(message.clone()).is_ok();
        if !has_room {
            self.is_taken(&message);
        }
        has_room
    }

    /// Said of a received message before it is handled: one like it is another from now on.
    pub fn is_taken(&self, message: &Message) {
        if let Some(waiting) = &self.waiting {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.remove(message);
        }
    }

    fn begins_to_wait(&self, message: &Message) -> bool {
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
    fn messages_wait_while_there_is_room() {
        let (queue, mut waiting) = Queue::new(2, false);
        assert!(queue.offer(message("a")) && queue.offer(message("a")));
        assert!(!queue.offer(message("b")));
        assert_eq!(waiting.try_recv().unwrap(), message("a"));
        assert!(queue.offer(message("b")));
    }

    #[test]
    fn equal_messages_are_one_until_it_is_handled() {
        let (queue, mut waiting) = Queue::new(2, true);
        for _ in 0..100 {
            assert!(queue.offer(message("wake")));
        }
        assert!(queue.offer(message("tick")));
        assert!(!queue.offer(message("more")), "there is room for two");

        let taken = waiting.try_recv().unwrap();
        assert!(queue.offer(message("wake")), "it has not been handled yet");
        queue.is_taken(&taken);
        assert!(queue.offer(message("wake")));
        let rest: Vec<Message> = std::iter::from_fn(|| waiting.try_recv().ok()).collect();
        assert_eq!(rest, [message("tick"), message("wake")]);
    }

    #[test]
    fn a_message_without_room_can_come_again() {
        let (queue, mut waiting) = Queue::new(1, true);
        assert!(queue.offer(message("a")));
        assert!(!queue.offer(message("b")));
        queue.is_taken(&waiting.try_recv().unwrap());
        assert!(queue.offer(message("b")));
    }
}
