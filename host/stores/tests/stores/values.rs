//! Sources and the values they stand for.

use std::thread;

use wharf_manifest::manifest::HostValue;
use wharf_stores::{Addresses, S3Address, Values};

use crate::data_folder::DataFolder;

fn addresses() -> Addresses {
    Addresses {
        postgres_url: Some(
            "postgres://wharf:secret@127.0.0.1:5433/app?connect_timeout=3".to_owned(),
        ),
        redis_url: Some("redis://127.0.0.1:6380".to_owned()),
        s3: Some(S3Address {
            endpoint: "http://127.0.0.1:9000".to_owned(),
            access_key: "key".to_owned(),
            secret_key: "secret".to_owned(),
            bucket: "wharf".to_owned(),
            region: "us-east-1".to_owned(),
        }),
    }
}

fn resolve(values: &Values, variable: &str, source: &str) -> String {
    let source: HostValue = source.parse().unwrap();
    values
        .resolve(variable, &source, &addresses(), "http://127.0.0.1:3000")
        .unwrap()
}

#[test]
fn every_source_has_its_value() {
    let folder = DataFolder::new();
    let values = Values::open(folder.path()).unwrap();
    let password = values.role_password("till").unwrap();
    assert_eq!(
        resolve(&values, "till_database_url", "postgres:till"),
        format!("postgres://wharf_till:{password}@127.0.0.1:5433/app?connect_timeout=3")
    );
    assert_eq!(
        resolve(&values, "redis_url", "redis"),
        "redis://127.0.0.1:6380"
    );
    assert_eq!(resolve(&values, "bucket", "s3:bucket"), "wharf");
    assert_eq!(
        resolve(&values, "public_url", "listen"),
        "http://127.0.0.1:3000"
    );
    assert_eq!(resolve(&values, "admin_password", "random:24").len(), 24);
    assert!(resolve(&values, "key", "ed25519:private").contains("BEGIN PRIVATE KEY"));
}

#[test]
fn generated_values_stay_the_same_and_differ_by_variable() {
    let folder = DataFolder::new();
    let values = Values::open(folder.path()).unwrap();
    let first = resolve(&values, "a", "random:32");
    let key = resolve(&values, "key", "ed25519:private");
    let later = Values::open(folder.path()).unwrap();
    assert_eq!(resolve(&later, "a", "random:32"), first);
    assert_ne!(resolve(&later, "b", "random:32"), first);
    assert_eq!(resolve(&later, "key", "ed25519:private"), key);
}

#[test]
fn values_made_at_the_same_time_are_all_kept() {
    let folder = DataFolder::new();
    let names: Vec<_> = (0..16).map(|number| format!("v{number}")).collect();
    let made: Vec<_> = thread::scope(|scope| {
        let makers: Vec<_> = names
            .iter()
            .map(|name| {
                scope.spawn(|| resolve(&Values::open(folder.path()).unwrap(), name, "random:16"))
            })
            .collect();
        makers
            .into_iter()
            .map(|maker| maker.join().unwrap())
            .collect()
    });
    let values = Values::open(folder.path()).unwrap();
    let kept: Vec<_> = names
        .iter()
        .map(|name| resolve(&values, name, "random:16"))
        .collect();
    assert_eq!(kept, made);
}

#[test]
fn a_rotated_key_stays_published_beside_the_new_one() {
    let folder = DataFolder::new();
    let values = Values::open(folder.path()).unwrap();
    let key_ids = || -> Vec<String> {
        let jwks: serde_json::Value = serde_json::from_str(&values.jwks().unwrap()).unwrap();
        let keys = jwks["keys"].as_array().unwrap();
        keys.iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = key_ids();
    values.rotate_signing_key().unwrap();
    let after = key_ids();
    assert_eq!((before.len(), after.len()), (1, 2));
    assert_eq!(after[1], before[0]);
    assert_ne!(after[0], before[0]);
}

#[test]
fn what_cannot_be_known_is_asked_for_by_the_name_of_the_variable() {
    let folder = DataFolder::new();
    let values = Values::open(folder.path()).unwrap();
    let ask = |source: &str, addresses: &Addresses| {
        let source = source.parse().unwrap();
        values
            .resolve("till_database_url", &source, addresses, "")
            .unwrap_err()
            .to_string()
    };
    // An external server whose roles somebody else made.
    assert!(ask("postgres:till", &addresses()).contains("give variable till_database_url"));
    assert!(ask("redis", &Addresses::default()).contains("till_database_url"));
}
