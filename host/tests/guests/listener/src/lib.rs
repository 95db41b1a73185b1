//! Receives Redis messages and prints them to stdout; some messages make it misbehave.

use std::time::Duration;

use bytes::Bytes;
use spin_sdk::redis_subscriber;

#[redis_subscriber]
async fn handle(message: Bytes) -> Result<(), String> {
    match message.as_ref() {
        b"trap" => panic!("asked to trap"),
        b"fail" => return Err("asked to fail".to_owned()),
        b"slow" => spin_sdk::time::sleep(Duration::from_millis(500)).await,
        // For a component that is always slow.
        b"tick" if std::env::var("IS_SLOW").is_ok() => {
            spin_sdk::time::sleep(Duration::from_secs(60)).await;
        }
        b"loop" => loop {
            std::hint::spin_loop();
        },
        b"hoard" => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 1 << 20]);
            }
        }
        _ => {}
    }
    println!("heard {}", String::from_utf8_lossy(&message));
    Ok(())
}
