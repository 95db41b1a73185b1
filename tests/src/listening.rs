//! A Redis channel that is listened to.

use std::time::{Duration, Instant};

pub struct Listening {
    connection: redis::Connection,
    channel: String,
}

impl Listening {
    /// Hears what is published from now on.
    pub(crate) fn start(mut connection: redis::Connection, channel: &str) -> Self {
        connection
            .send_packed_command(&redis::cmd("SUBSCRIBE").arg(channel).get_packed_command())
            .expect("to subscribe");
        let confirmed = connection.recv_response().expect("a confirmation");
        assert!(
            format!("{confirmed:?}").contains("subscribe"),
            "{confirmed:?}"
        );
        Self {
            connection,
            channel: channel.to_owned(),
        }
    }

    /// The next message, if one comes in time.
    pub fn next(&mut self, within: Duration) -> Option<String> {
        self.connection
            .set_read_timeout(Some(within))
            .expect("a timeout");
        let pushed = self.connection.recv_response().ok()?;
        let (kind, channel, payload): (String, String, String) =
            redis::from_redis_value(pushed).expect("a message of text");
        assert_eq!((kind.as_str(), &channel), ("message", &self.channel));
        Some(payload)
    }

    /// The next message for which `is_it` holds; others are skipped.
    pub fn find(&mut self, within: Duration, is_it: impl Fn(&str) -> bool) -> Option<String> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.next(left.max(Duration::from_millis(1)))?;
            if is_it(&message) {
                return Some(message);
            }
        }
    }
}
