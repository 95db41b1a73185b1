//! Uploads in parts over a connection that breaks.
//!
//! `TEST_UPLOAD_BYTES=2147483648 RUST_TEST_NOCAPTURE=1 infra/test modpacks::uploads::a_broken_connection` sends 2 GiB.

use std::env;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wharf_tests::{Stack, User, unique};

use super::*;

const MIB: usize = 1 << 20;

/// The bytes of one part, which differ from those of any other.
fn part_of(seed: &str, number: usize, size: usize) -> Vec<u8> {
    let line = format!("{seed} {number:08} ");
    line.bytes().cycle().take(size).collect()
}

/// Sends half a part and hangs up.
fn send_half(url: &str, bytes: &[u8]) {
    let rest = url.strip_prefix("http://").unwrap();
    let (origin, path) = rest.split_at(rest.find('/').unwrap());
    let mut line = TcpStream::connect(origin).unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: {origin}\r\ncontent-length: {}\r\n\r\n",
        bytes.len()
    );
    line.write_all(head.as_bytes()).unwrap();
    line.write_all(&bytes[..bytes.len() / 2]).unwrap();
    line.shutdown(Shutdown::Write).unwrap();
    // The part has not arrived, with any answer.
    let _ = line.read_to_end(&mut Vec::new());
}

#[test]
fn a_broken_connection_costs_one_part() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let chosen = env::var("TEST_UPLOAD_BYTES").ok();
    let size: usize = chosen.map_or(40 * MIB, |it| it.parse().unwrap());
    // Every user has room for the small file; the large one needs a quota from an admin.
    let quota = json!({ "quota": 2 * size });
    let path = format!("/files/usage/{}", user_id(&owner));
    User::admin(stack)
        .put(&path)
        .json(&quota)
        .send()
        .expect(200);
    let pack = create_pack(&owner, "public");
    let version = create_draft(&owner, pack, "1");
    let plan = begin(
        &owner,
        pack,
        version,
        "mods/large.jar",
        &json!({ "size": size }),
    );
    let file = number(&plan["file"]["id"]);
    let part_size = usize::try_from(number(&plan["part_size"])).unwrap();
    let parts = plan["parts"].as_array().unwrap();
    let seed = unique("part");
    let bytes_of = |part: &Value| {
        let number = usize::try_from(number(&part["number"])).unwrap();
        let size = usize::try_from(super::number(&part["size"])).unwrap();
        part_of(&seed, number, size)
    };
    let put = |part: &Value| {
        at_s3("PUT", part["url"].as_str().unwrap())
            .body("application/octet-stream", bytes_of(part))
            .send()
            .expect(200)
    };
    let begun = Instant::now();
    // The connection breaks in the second part; the last one arrives before it.
    put(&parts[0]);
    put(parts.last().unwrap());
    send_half(parts[1]["url"].as_str().unwrap(), &bytes_of(&parts[1]));
    let refused = complete(&owner, file).problem(409);
    assert_eq!(refused["code"], "upload-incomplete", "{refused}");

    let left = owner
        .get(&format!("/files/{file}/upload"))
        .send()
        .expect(200)
        .json();
    assert_eq!(left["arrived"], 2, "{left}");
    let missing = left["parts"].as_array().unwrap();
    assert_eq!(missing.len(), parts.len() - 2);
    assert_eq!(missing[0]["number"], 2);
    missing.iter().for_each(|it| drop(put(it)));
    let sent = begun.elapsed();

    let mut digest = Sha256::new();
    parts.iter().for_each(|it| digest.update(bytes_of(it)));
    let announced = json!({ "sha256": hex(&digest.finalize()) });
    let begun = Instant::now();
    let path = format!("/files/{file}/complete");
    owner.post(&path).json(&announced).send().expect(200);
    let patience = SOON + Duration::from_secs((size / (4 * MIB)) as u64);
    let path = format!("/files/{file}");
    let shown = eventually_some("the file is settled", patience, || {
        let shown = owner.get(&path).send().expect(200).json();
        let is_settled = ["ready", "failed"].contains(&shown["status"].as_str()?);
        is_settled.then_some(shown)
    });
    assert_eq!(shown["status"], "ready", "{shown}");
    let rate = |seconds: f64| size as f64 / MIB as f64 / seconds;
    println!(
        "{} MiB: sent at {:.0} MiB/s, verified at {:.0} MiB/s",
        size / MIB,
        rate(sent.as_secs_f64()),
        rate(begun.elapsed().as_secs_f64())
    );

    publish(&owner, pack, version).expect(200);
    let download = stack
        .get(&format!("/files/{file}/download"))
        .send()
        .expect(302);
    let url = download.header("location").unwrap();
    // At the interrupted part, and at the end.
    for start in [part_size - 9, 2 * part_size - 9, size - 18] {
        let range = format!("bytes={start}-{}", start + 17);
        let got = at_s3("GET", url).header("range", &range).send().expect(206);
        let mut expected = Vec::new();
        for at in start..start + 18 {
            let whole = &parts[at / part_size];
            expected.push(bytes_of_at(&seed, number(&whole["number"]), at % part_size));
        }
        assert_eq!(got.bytes(), expected, "{range}");
    }
}

/// One byte of a part.
fn bytes_of_at(seed: &str, number: i64, at: usize) -> u8 {
    let line = format!("{seed} {number:08} ");
    line.as_bytes()[at % line.len()]
}
