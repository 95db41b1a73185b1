//! Host values and their sources.

use std::thread;

use wharf_manifest::manifest::HostValue;
use wharf_stores::{Addresses, S3Address, SharedSecret, Values};

use crate::data_folder::DataFolder;

fn s3(access_key: &str, secret_key: &str) -> S3Address {
    S3Address {
        endpoint: "http://127.0.0.1:9000".to_owned(),
        access_key: access_key.to_owned(),
        secret_key: secret_key.to_owned(),
        bucket: "wharf".to_owned(),
        region: "us-east-1".to_owned(),
    }
}

fn addresses() -> Addresses {
    Addresses {
        postgres_url: Some(
            "postgres://wharf:secret@127.0.0.1:5433/app?connect_timeout=3".to_owned(),
        ),
        redis_url: Some("redis://127.0.0.1:6380".to_owned()),
        redis_logins: [(
            "till".to_owned(),
            "redis://wharf_till:secret@127.0.0.1:6380".to_owned(),
        )]
        .into(),
        s3: Some(s3("key", "secret")),
        s3_keys: [("till".to_owned(), s3("till's key", "till's secret"))].into(),
    }
}

fn resolve(values: &Values, variable: &str, source: &str) -> String {
    let source: HostValue = source.parse().unwrap();
    values
        .resolve(variable, &source, &addresses(), "http://127.0.0.1:3000")
        .unwrap()
}

#[test]
fn every_source_has_a_value() {
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
    assert_eq!(
        resolve(&values, "till_redis_url", "redis:till"),
        "redis://wharf_till:secret@127.0.0.1:6380"
    );
    assert_eq!(
        resolve(&values, "redis_host", "redis-host"),
        "127.0.0.1:6380"
    );
    assert_eq!(
        resolve(&values, "redis_origin", "redis-origin"),
        "redis://127.0.0.1:6380"
    );
    assert_eq!(resolve(&values, "bucket", "s3:bucket"), "wharf");
    for (source, value) in [
        ("s3:access_key", "key"),
        ("s3:secret_key", "secret"),
        ("s3:access_key:till", "till's key"),
        ("s3:secret_key:till", "till's secret"),
    ] {
        assert_eq!(resolve(&values, "key", source), value, "{source}");
    }
    assert_eq!(
        resolve(&values, "public_url", "listen"),
        "http://127.0.0.1:3000"
    );
    assert_eq!(resolve(&values, "admin_password", "random:24").len(), 24);
    assert!(resolve(&values, "key", "ed25519:private").contains("BEGIN PRIVATE KEY"));
}

#[test]
fn generated_values_are_stable_and_differ_by_variable() {
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
fn addresses_of_external_stores_are_those_that_were_given() {
    let addresses = Addresses {
        redis_url: Some("rediss://:secret@cache.example".to_owned()),
        s3: Some(s3("key", "secret")),
        ..Addresses::default()
    };
    let values = Values::of_deployment([]);
    let resolve = |source: &str| {
        let source = source.parse().unwrap();
        values.resolve("store", &source, &addresses, "").unwrap()
    };
    assert_eq!(resolve("redis-origin"), "rediss://cache.example:6379");
    // Their logins and keys are the operator's: without one of its own each function has the one that is given for all.
    assert_eq!(resolve("redis:till"), "rediss://:secret@cache.example");
    assert_eq!(resolve("s3:access_key:till"), "key");
    assert_eq!(resolve("s3:secret_key:till"), "secret");
}

#[test]
fn values_of_a_deployment_derive_from_the_given_secrets() {
    let one = Values::of_deployment([]);
    let pem = resolve(&one, "key", "ed25519:private");
    let other = Values::of_deployment([
        SharedSecret::SigningKey { pem: pem.clone() },
        SharedSecret::RolePassword {
            schema: "till".to_owned(),
            password: "given".to_owned(),
        },
    ]);
    assert_eq!(resolve(&other, "key", "ed25519:private"), pem);
    assert_eq!(
        resolve(&other, "keys", "ed25519:jwks"),
        resolve(&one, "keys", "ed25519:jwks")
    );
    assert_eq!(
        resolve(&other, "till_database_url", "postgres:till"),
        "postgres://wharf_till:given@127.0.0.1:5433/app?connect_timeout=3"
    );
    assert_ne!(
        resolve(&other, "a", "random:32"),
        resolve(&one, "a", "random:32")
    );
}

#[test]
fn values_generated_at_the_same_time_are_all_stored() {
    let folder = DataFolder::new();
    let names: Vec<_> = (0..16).map(|number| format!("v{number}")).collect();
    let generated: Vec<_> = thread::scope(|scope| {
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
    let stored: Vec<_> = names
        .iter()
        .map(|name| resolve(&values, name, "random:16"))
        .collect();
    assert_eq!(stored, generated);
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
    let first = key_ids();
    values.rotate_signing_key().unwrap();
    let second = key_ids();
    values.rotate_signing_key().unwrap();
    let third = key_ids();
    assert_eq!((first.len(), second.len(), third.len()), (1, 2, 3));
    assert_eq!((&second[1..], &third[1..]), (&first[..], &second[..]));
    assert!(!second.contains(&third[0]) && second[0] != first[0]);

    // A key older than any token is no longer published, and the next rotation deletes it.
    let file = folder.path().join("values.json");
    let stored = || std::fs::read_to_string(&file).unwrap();
    let aged: serde_json::Map<_, _> = serde_json::from_str(&stored()).unwrap();
    let aged: serde_json::Map<_, _> = aged
        .into_iter()
        .enumerate()
        .map(
            |(number, (name, key))| match name.strip_prefix("ed25519:retired:") {
                Some(_) => (format!("ed25519:retired:{number}"), key),
                None => (name, key),
            },
        )
        .collect();
    std::fs::write(&file, serde_json::to_string(&aged).unwrap()).unwrap();
    assert_eq!(key_ids(), third[..1]);
    values.rotate_signing_key().unwrap();
    assert_eq!(key_ids()[1..], third[..1]);
    assert_eq!(stored().matches("ed25519:retired:").count(), 1);
}

#[test]
fn an_error_names_the_variable_whose_value_is_unknown() {
    let folder = DataFolder::new();
    let values = Values::open(folder.path()).unwrap();
    let error = |source: &str, addresses: &Addresses| {
        let source = source.parse().unwrap();
        values
            .resolve("till_database_url", &source, addresses, "")
            .unwrap_err()
            .to_string()
    };
    // The passwords of an external server are unknown.
    assert!(error("postgres:till", &addresses()).contains("set variable till_database_url"));
    assert!(error("redis", &Addresses::default()).contains("till_database_url"));
}
