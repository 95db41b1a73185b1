//! Clones that share a build folder: the sources that `infra/prepare` makes count as new, by their age.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use wharf_tests::{Folder, repository};

const RULE: &str = "components/lockers/src/a rule.rs";
const BINDINGS: &str = "components/lockers/src/lib.rs";
const TESTS: &str = "components/lockers/src/tests.rs";
const STATEMENT: &str = "components/lockers/src/sql/find.sql";
const INTERFACE: &str = "wit/lockers.wit";
const DATA: &str = ".wharf/data";

const FILES: [(&str, &str); 10] = [
    (RULE, "fn rule() {}"),
    (
        BINDINGS,
        r#"kit::bindings!("lockers", ["../../wit/lockers.wit"]);"#,
    ),
    (TESTS, r#"const HERE: &str = env!("CARGO_MANIFEST_DIR");"#),
    (STATEMENT, "SELECT 1"),
    (INTERFACE, "package wharf:lockers;"),
    (DATA, "1"),
    ("docs/events.json", "{}"),
    ("host/tests/guests/wit/shop.wit", "package test:shop;"),
    ("tests/src/lib.rs", ""),
    ("infra/api/src/lib.rs", ""),
];

fn hours_ago(hours: u64) -> SystemTime {
    SystemTime::now() - Duration::from_secs(hours * 3600)
}

fn set_time(clone: &Path, file: &str, time: SystemTime) {
    let file = File::options().append(true).open(clone.join(file)).unwrap();
    file.set_modified(time).unwrap();
}

fn set_times(clone: &Path, time: SystemTime) {
    for (file, _) in FILES {
        set_time(clone, file, time);
    }
}

fn time(clone: &Path, file: &str) -> SystemTime {
    fs::metadata(clone.join(file)).unwrap().modified().unwrap()
}

fn make_clone(clone: &Path) {
    for (file, text) in FILES {
        let file = clone.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    for file in ["infra/prepare", "rust-toolchain.toml"] {
        fs::copy(repository().join(file), clone.join(file)).unwrap();
    }
}

fn prepare(clone: &Path, build_folder: &Path) {
    let output = Command::new("bash")
        .arg(clone.join("infra/prepare"))
        .env("CARGO_TARGET_DIR", build_folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_clone_takes_over_the_build_of_another_for_the_sources_that_are_the_same() {
    let folder = Folder::new("clones");
    let [first, second, built] =
        ["first clone", "second", "built"].map(|name| folder.path().join(name));
    make_clone(&first);
    prepare(&first, &built);
    let of_first = hours_ago(2);
    set_times(&first, of_first);

    make_clone(&second);
    fs::write(second.join(STATEMENT), "SELECT 2").unwrap();
    let of_second = hours_ago(1);
    set_times(&second, of_second);
    prepare(&second, &built);
    for same in [RULE, BINDINGS, INTERFACE] {
        assert_eq!(time(&second, same), of_first, "{same}");
    }
    for new in [STATEMENT, TESTS] {
        assert!(time(&second, new) > of_second, "{new}");
    }
    assert_eq!(time(&second, DATA), of_second, "no source");

    // Cargo looks at this file in the first clone.
    let edited = SystemTime::now() + Duration::from_secs(60);
    set_time(&second, INTERFACE, edited);
    prepare(&second, &built);
    assert!(time(&second, BINDINGS) > of_second);
    assert_eq!(time(&second, RULE), of_first);
}
