//! `examples/hello`, as a newcomer starts it: a host of its own, with stores of its own.

use std::time::Duration;

use serde_json::json;
use wharf_launch::{Log, built_wharf, launch, link_cache, repository, up};
use wharf_tests::{Folder, Request, eventually};

const STARTS_WITHIN: Duration = Duration::from_secs(120);

#[test]
fn the_smallest_function_greets_and_hears_of_it() {
    let folder = Folder::new("hello");
    let data = folder.path().join("data");
    link_cache(&data, &repository().join("target/wharf-tests/cache")).unwrap();
    let mut command = up(&built_wharf(), "127.0.0.1:0");
    command
        .args(["--volatile", "--from"])
        .arg(repository().join("examples/hello/spin.toml"))
        .arg("--data-dir")
        .arg(&data)
        .current_dir(folder.path());
    let log = Log::new(&folder.path().join("host.log"));
    let host = launch(command, &log, STARTS_WITHIN).unwrap_or_else(|failure| panic!("{failure}"));
    let request = |method: &str, path: &str| Request::new(host.address(), method, path);

    let greeting = json!({ "name": " Ana " });
    let created = request("POST", "/greetings").json(&greeting).send();
    let created = created.expect(201);
    assert_eq!(created.json()["text"], "Hello, Ana");
    let location = created.header("location").unwrap().to_owned();
    eventually("the greeting is heard", Duration::from_secs(20), || {
        request("GET", &location).send().json()["is_heard"] == true
    });
    let nameless = json!({ "name": "" });
    let refused = request("POST", "/greetings").json(&nameless).send();
    assert_eq!(refused.problem(422)["code"], "invalid-name");
}
