//! A listener of the previous generation: `fermyon:spin/inbound-redis`, which has no version and no `async`.

mod bindings {
    use super::Elder;
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
            world elder { export inbound-redis; }
        ",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
    export!(Elder);
}

use bindings::exports::fermyon::spin::inbound_redis::{Error, Guest, Payload};

struct Elder;

impl Guest for Elder {
    fn handle_message(message: Payload) -> Result<(), Error> {
        let message = String::from_utf8_lossy(&message);
        if message == "fail" {
            return Err(Error::Error);
        }
        println!("heard {message}");
        Ok(())
    }
}
