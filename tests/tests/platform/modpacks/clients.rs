//! curl, an ordinary client, sends and fetches files at the addresses of the platform.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use wharf_tests::{Folder, Stack, User};

use super::*;

/// What curl prints, or its exit code: 22 for an answer of 400 and above.
fn curl(folder: &Path, arguments: &[&str]) -> Result<String, Option<i32>> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--max-time", "120"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("curl is needed");
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(output.status.code()),
    }
}

#[test]
fn curl_sends_the_parts_of_a_file_and_fetches_it_whole_in_parts_and_by_its_name() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1");
    let folder = Folder::new("curl");
    let folder = folder.path();
    let bytes = content((17 << 20) + 5);
    let size = json!({ "size": bytes.len() });
    let plan = begin(&owner, pack, version, "mods/large mod.jar", &size);
    let parts = plan["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    let part_size = usize::try_from(number(&plan["part_size"])).unwrap();
    for (part, bytes) in parts.iter().zip(bytes.chunks(part_size)) {
        fs::write(folder.join("part"), bytes).unwrap();
        // It waits for "100 Continue" first.
        curl(
            folder,
            &["--upload-file", "part", part["url"].as_str().unwrap()],
        )
        .unwrap();
    }
    // An address is good for its own part: for no other size, and not to read.
    let last = parts[1]["url"].as_str().unwrap();
    fs::write(folder.join("other"), b"other bytes").unwrap();
    assert_eq!(
        curl(folder, &["--upload-file", "other", last]),
        Err(Some(22))
    );
    assert_eq!(curl(folder, &[last]), Err(Some(22)));
    let file = number(&plan["file"]["id"]);
    complete(&owner, file).expect(200);
    assert_eq!(settled(&owner, file)["sha256"], sha256(&bytes));
    publish(&owner, pack, version).expect(200);

    // A redirect to S3 is followed without the token, which belongs to the platform.
    let address = format!("http://{}/files/{file}/download", stack.address());
    let token = format!("authorization: Bearer {}", owner.token);
    let fetch = |more: &[&str]| {
        let mut arguments = vec!["--location", "--header", token.as_str()];
        arguments.extend(more);
        arguments.push(address.as_str());
        curl(folder, &arguments)
    };
    assert_eq!(curl(folder, &["--location", &address]), Err(Some(22)));
    fetch(&["--remote-name", "--remote-header-name"]).unwrap();
    assert_eq!(fs::read(folder.join("large mod.jar")).unwrap(), bytes);
    // Bytes that curl has already are not fetched again.
    fs::write(folder.join("rest"), &bytes[..bytes.len() - 9]).unwrap();
    let fetched = fetch(&[
        "--continue-at",
        "-",
        "--output",
        "rest",
        "--write-out",
        "%{http_code} %{size_download}",
    ]);
    assert_eq!(fetched.unwrap(), "206 9");
    assert_eq!(fs::read(folder.join("rest")).unwrap(), bytes);
    let tagged = |flag, output| {
        fetch(&[
            flag,
            "tag",
            "--output",
            output,
            "--write-out",
            "%{http_code}",
        ])
        .unwrap()
    };
    assert_eq!(tagged("--etag-save", "first"), "200");
    assert_eq!(tagged("--etag-compare", "second"), "304");
}
