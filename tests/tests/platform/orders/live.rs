//! Streams of orders: each change is sent, and the number of streams is bounded.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use wharf_tests::{Options, Stack, User, eventually, eventually_some};

use super::{SOON, Shop, id, open_shop, step};

/// Places of `orders-live` in spin.toml.
const PLACES: usize = 128;

const STEPS: [&str; 5] = [
    "created",
    "paid",
    "preparing",
    "ready_for_pickup",
    "delivered",
];

struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Opens a stream; answers its status and its bytes.
    fn open(stack: &Stack, path: &str) -> (u16, Self) {
        let mut stream = TcpStream::connect(stack.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let head = "host: wharf\r\naccept: text/event-stream";
        write!(stream, "GET {path} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
        let mut opened = Self(BufReader::new(stream));
        let status = opened.line().unwrap()[9..12].parse().unwrap();
        (status, opened)
    }

    /// `None` at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).expect("a byte in time");
        (read > 0).then_some(line)
    }

    /// The next status of the order; `None` when there is no more. Its payment may change before.
    fn status_after(&mut self, before: &str) -> Option<String> {
        loop {
            let line = self.line()?;
            if let Some(data) = line.strip_prefix("data: ") {
                let event: Value = serde_json::from_str(data).unwrap();
                let status = event["status"].as_str().unwrap();
                if status != before {
                    return Some(status.to_owned());
                }
            }
            if line == "0\r\n" {
                return None;
            }
        }
    }
}

/// An order that waits for its money, and the path of its stream.
fn watched(shop: &Shop, customer: &User) -> (i64, String) {
    let product = shop.product(json!({}));
    let order = shop.order(customer, product, 1, "counter");
    let order = order.expect(200).json();
    let link = order["tracking_link"].as_str().unwrap();
    (id(&order), format!("{link}/live"))
}

#[test]
fn a_stream_sends_each_change_and_ends_with_the_last() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let (order, path) = watched(&shop, &customer);
    let (status, mut stream) = Stream::open(&stack, &path);
    assert_eq!(status, 200);
    let mut before = "";
    for (place, status) in STEPS.into_iter().enumerate() {
        if place > 0 {
            step(&shop.manager, order, status).expect(200);
        }
        assert_eq!(stream.status_after(before).as_deref(), Some(status));
        before = status;
    }
    assert_eq!(stream.status_after(before), None);

    let events = |path: &str| customer.get(path).header("accept", "text/event-stream");
    let own = format!("/orders/{order}/tracking/live");
    let all = events(&own).send().expect(200);
    let etag = all.text().lines().next().unwrap()["id: ".len()..].to_owned();
    for path in [&own, &path] {
        let known = events(path).header("last-event-id", &etag).send();
        known.expect(204);
    }
}

#[test]
fn only_users_who_may_see_an_order_may_watch_it() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let (order, _) = watched(&shop, &User::driver(&stack));
    let own = format!("/orders/{order}/tracking/live");
    let events = "text/event-stream";
    let stranger = User::driver(&stack);
    stranger
        .get(&own)
        .header("accept", events)
        .send()
        .problem(404);
    stack.get(&own).header("accept", events).send().problem(401);
    let wrong = format!("/orders/follow/{}/live", uuid::Uuid::new_v4());
    stack
        .get(&wrong)
        .header("accept", events)
        .send()
        .problem(404);
    shop.manager.get(&own).send().problem(406);
}

#[test]
fn streams_take_no_instances_of_orders_and_free_their_places() {
    let stack = Options::default().start();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let (order, path) = watched(&shop, &customer);
    let mut watchers: Vec<Stream> = (0..PLACES)
        .map(|_| {
            // An instance that starts takes one stream at a time.
            let opened = || Some(Stream::open(&stack, &path)).filter(|it| it.0 == 200);
            let mut stream = eventually_some("a place", SOON, opened).1;
            assert_eq!(stream.status_after("").unwrap(), "created");
            stream
        })
        .collect();
    assert_eq!(Stream::open(&stack, &path).0, 503);
    step(&shop.manager, order, "paid").expect(200);
    for watcher in &mut watchers {
        assert_eq!(watcher.status_after("created").unwrap(), "paid");
    }
    drop(watchers);
    eventually("a place is free again", SOON, || {
        Stream::open(&stack, &path).0 == 200
    });
}
