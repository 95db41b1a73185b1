//! A line between the host and a store, which can be cut, stalled and mended.
//!
//! It passes the bytes of the store's protocol on without reading them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::background::runtime;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// Connections are closed, new ones are closed at once.
    Cut,
    /// Connections stay open and no byte arrives, as in a network that drops packets.
    Stalled,
}

pub struct Cable {
    near: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

impl Cable {
    /// A line to `far`, whole.
    pub fn to(far: SocketAddr) -> Self {
        let state = Arc::new(watch::Sender::new(State::Whole));
        let listener = runtime()
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("a free port");
        let near = listener.local_addr().expect("its address");
        let states = Arc::clone(&state);
        runtime().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, far, states.subscribe()));
            }
        });
        Self { near, state }
    }

    /// Where the host connects.
    pub fn near(&self) -> SocketAddr {
        self.near
    }

    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }

    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn carry(mut near: TcpStream, far: SocketAddr, mut state: watch::Receiver<State>) {
    let mut far_stream = None;
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Cut => return,
            State::Stalled => {
                if state.changed().await.is_err() {
                    return;
                }
            }
            State::Whole => {
                let far = match &mut far_stream {
                    Some(stream) => stream,
                    None => match TcpStream::connect(far).await {
                        Ok(stream) => far_stream.insert(stream),
                        Err(_) => return,
                    },
                };
                tokio::select! {
                    _ = copy_bidirectional(&mut near, far) => return,
                    changed = state.changed() => if changed.is_err() { return },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::time::Duration;

    use super::*;

    /// Answers every byte with the same byte.
    fn echo() -> SocketAddr {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).is_ok() {
                        let _ = stream.write_all(&byte);
                    }
                });
            }
        });
        at
    }

    fn dial(cable: &Cable) -> std::net::TcpStream {
        let stream = std::net::TcpStream::connect(cable.near()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        stream
    }

    fn comes_back(stream: &mut std::net::TcpStream) -> bool {
        let mut byte = [0];
        stream.write_all(b"x").is_ok() && stream.read_exact(&mut byte).is_ok()
    }

    #[test]
    fn a_cable_carries_except_while_it_is_cut() {
        let cable = Cable::to(echo());
        let mut line = dial(&cable);
        assert!(comes_back(&mut line));
        cable.cut();
        assert!(!comes_back(&mut line));
        assert!(!comes_back(&mut dial(&cable)));
        cable.mend();
        assert!(comes_back(&mut dial(&cable)));
    }

    #[test]
    fn a_stalled_cable_keeps_connections_open_and_silent() {
        let cable = Cable::to(echo());
        let mut line = dial(&cable);
        assert!(comes_back(&mut line));
        cable.stall();
        assert!(!comes_back(&mut line));
        cable.mend();
        // Bytes written meanwhile arrive now.
        assert!(line.read_exact(&mut [0]).is_ok());
        assert!(comes_back(&mut line));
    }
}
