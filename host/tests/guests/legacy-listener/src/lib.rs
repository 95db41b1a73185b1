//! A listener with the older interface `fermyon:spin/inbound-redis`, which is unversioned and synchronous.

mod bindings {
    use super::LegacyListener;
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        inline: "
            package fermyon:spin;
            interface redis-types {
                type payload = list<u8>;
                enum error { success, error }
            }
            interface inbound-redis {
                use redis-types.{payload, error};
                handle-message: func(message: payload) -> result<_, error>;
            }
            world legacy-listener { export inbound-redis; }
        ",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
    export!(LegacyListener);
}

use bindings::exports::fermyon::spin::inbound_redis::{Error, Guest, Payload};

struct LegacyListener;

impl Guest for LegacyListener {
    fn handle_message(message: Payload) -> Result<(), Error> {
        let message = String::from_utf8_lossy(&message);
        if message == "fail" {
            return Err(Error::Error);
        }
        println!("heard {message}");
        Ok(())
    }
}
