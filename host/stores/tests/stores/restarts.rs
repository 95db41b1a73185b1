//! Data and addresses survive an orderly stop, a killed child and a killed host.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use wharf_stores::{Error, Options, Stores, Wanted, find_abandoned_folders};

use crate::data_folder::{
    DataFolder, ask_redis, ask_redis_at, connect, connect_as_owner, kill, start, wait_until,
};
use crate::host::Host;

#[tokio::test]
async fn a_second_start_is_quick_and_has_the_same_data_and_addresses() {
    let folder = DataFolder::new();
    let options = Options {
        redis: Wanted::Embedded,
        durable: true,
        ..folder.postgres()
    };
    let stores = start(options.clone()).await;
    connect_as_owner(&stores)
        .await
        .batch_execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
        .await
        .unwrap();
    assert_eq!(ask_redis(&stores, "SET kept 7"), "OK");
    let first = stores.addresses().clone();
    stores.stop().await;
    assert_eq!((folder.postmaster(), folder.redis_pid()), (None, None));

    let began = Instant::now();
    let stores = start(options).await;
    let took = began.elapsed();
    assert_eq!(stores.addresses(), &first);
    let kept = connect_as_owner(&stores)
        .await
        .query_one("SELECT id FROM kept", &[])
        .await
        .unwrap();
    assert_eq!(kept.get::<_, i32>(0), 7);
    assert_eq!(ask_redis(&stores, "GET kept"), "7");
    stores.stop().await;
    println!("second start: {took:?}");
    // The goal is 300 ms; a loaded machine needs more.
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn a_killed_postmaster_is_restarted_with_all_committed_data() {
    let folder = DataFolder::new();
    let stores = start(folder.postgres()).await;
    connect_as_owner(&stores)
        .await
        .batch_execute("CREATE TABLE kept AS SELECT 7 AS id")
        .await
        .unwrap();
    let killed = folder.postmaster().unwrap();
    kill(killed);
    wait_until("another postmaster runs", || {
        folder.postmaster().is_some_and(|pid| pid != killed)
    })
    .await;
    let kept = connect_as_owner(&stores)
        .await
        .query_one("SELECT id FROM kept", &[])
        .await
        .unwrap();
    assert_eq!(kept.get::<_, i32>(0), 7);
    stores.stop().await;
}

#[tokio::test]
async fn a_killed_redis_is_restarted_with_all_acknowledged_data() {
    let folder = DataFolder::new();
    let stores = start(folder.redis()).await;
    assert_eq!(ask_redis(&stores, "SET kept 7"), "OK");
    kill(folder.redis_pid().unwrap());
    wait_until("Redis answers again", || {
        ask_redis(&stores, "GET kept") == "7"
    })
    .await;
    stores.stop().await;
}

#[tokio::test]
async fn a_login_of_redis_has_its_own_rights_in_an_old_data_folder_and_after_a_kill() {
    let folder = DataFolder::new();
    // Written before there were logins.
    let stores = start(folder.redis()).await;
    assert_eq!(ask_redis(&stores, "SET mark 7"), "OK");
    stores.stop().await;

    let rules = "%R~mark ~till:* &till +get +set +publish".to_owned();
    let options = Options {
        redis_logins: BTreeMap::from([("till".to_owned(), rules)]),
        ..folder.redis()
    };
    let stores = start(options.clone()).await;
    let address = stores.addresses().redis_logins["till"].clone();
    let has_its_rights = || {
        for (command, answer) in [
            ("GET mark", "7"),
            ("SET till:1 x", "OK"),
            ("PUBLISH till x", "0"),
        ] {
            assert_eq!(ask_redis_at(&address, command), answer, "{command}");
        }
        for command in [
            "SET mark 8",
            "GET other",
            "DEL till:1",
            "PUBLISH other x",
            "SUBSCRIBE till",
            "KEYS *",
            "FLUSHALL",
            "CONFIG GET requirepass",
            "ACL LIST",
        ] {
            let refused = ask_redis_at(&address, command);
            assert!(refused.starts_with("NOPERM"), "{command}: {refused}");
        }
    };
    has_its_rights();
    kill(folder.redis_pid().unwrap());
    wait_until("Redis answers again", || {
        ask_redis(&stores, "GET mark") == "7"
    })
    .await;
    has_its_rights();
    stores.stop().await;

    let stores = start(options).await;
    assert_eq!(stores.addresses().redis_logins["till"], address);
    has_its_rights();
    stores.stop().await;
    // Only the owner's login is left when the manifest lists no other.
    let stores = start(folder.redis()).await;
    let refused = ask_redis_at(&address, "GET mark");
    assert!(refused.starts_with("NOAUTH"), "{refused}");
    stores.stop().await;
}

#[tokio::test]
async fn a_rule_that_redis_does_not_know_is_named_when_it_does_not_start() {
    let folder = DataFolder::new();
    // One is refused when Redis reads its settings, as `%R~` is before version 7, the other when it sets up the login.
    for rule in ["%X~till:*", "+nonsense"] {
        let options = Options {
            redis_logins: BTreeMap::from([("till".to_owned(), rule.to_owned())]),
            ..folder.redis()
        };
        let refused = Stores::start(options, |_| {}).await.unwrap_err();
        assert!(refused.to_string().contains(rule), "{refused}");
    }
}

#[tokio::test]
async fn a_second_host_on_the_same_data_folder_is_refused() {
    let folder = DataFolder::new();
    let stores = start(folder.redis()).await;
    let refused = Stores::start(folder.redis(), |_| {}).await.unwrap_err();
    assert!(
        matches!(refused, Error::InUse { pid: Some(_), .. }),
        "{refused}"
    );
    assert!(Stores::discard(folder.path()).is_err());
    assert_eq!(ask_redis(&stores, "PING"), "PONG");
    stores.stop().await;
}

#[tokio::test]
async fn a_store_gets_another_port_if_its_own_is_taken() {
    let folder = DataFolder::new();
    let stores = start(folder.redis()).await;
    let first = url::Url::parse(stores.addresses().redis_url.as_ref().unwrap()).unwrap();
    stores.stop().await;
    let _taken = std::net::TcpListener::bind(("127.0.0.1", first.port().unwrap())).unwrap();
    let stores = start(folder.redis()).await;
    assert_ne!(
        stores.addresses().redis_url.as_deref(),
        Some(first.as_str())
    );
    assert_eq!(ask_redis(&stores, "PING"), "PONG");
    stores.stop().await;
}

#[tokio::test]
async fn a_data_folder_in_a_private_home_works() {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = home.path().join("data");
    let folder = DataFolder::new();
    let options = Options {
        data_dir: data_dir.clone(),
        ..folder.postgres()
    };
    let stores = start(options.clone()).await;
    connect_as_owner(&stores)
        .await
        .batch_execute("CREATE TABLE kept (id int)")
        .await
        .unwrap();
    stores.stop().await;
    let stores = start(options).await;
    connect_as_owner(&stores)
        .await
        .batch_execute("SELECT id FROM kept")
        .await
        .unwrap();
    stores.stop().await;
    let elsewhere = fs::read_to_string(data_dir.join("elsewhere")).ok();
    assert_eq!(elsewhere.is_some(), rustix::process::geteuid().is_root());
    if let Some(elsewhere) = &elsewhere {
        let elsewhere = Path::new(elsewhere.trim());
        assert!(
            !find_abandoned_folders()
                .iter()
                .any(|folder| folder == elsewhere)
        );
    }
    Stores::discard(&data_dir).unwrap();
    assert!(elsewhere.is_none_or(|elsewhere| !fs::exists(elsewhere.trim()).unwrap()));
}

#[tokio::test]
async fn an_interrupted_first_start_is_repeated() {
    let folder = DataFolder::new();
    // The rest of an initdb that was killed.
    let unfinished = folder.path().join("postgres/data.init");
    fs::create_dir_all(&unfinished).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();
    let stores = start(folder.postgres()).await;
    connect_as_owner(&stores)
        .await
        .batch_execute("SELECT 1")
        .await
        .unwrap();
    stores.stop().await;
}

#[tokio::test]
async fn a_stale_lock_is_removed_even_if_another_process_has_its_process_id() {
    let folder = DataFolder::new();
    start(folder.postgres()).await.stop().await;
    let data = folder.child_files().join("postgres/data");
    // With the same user, so that PostgreSQL could mistake it for a postmaster.
    let user = fs::metadata(&data).unwrap().uid();
    let mut other_process = Command::new("sleep").arg("60").uid(user).spawn().unwrap();
    let lock = data.join("postmaster.pid");
    fs::write(&lock, format!("{}\n", other_process.id())).unwrap();
    let stores = start(folder.postgres()).await;
    connect_as_owner(&stores)
        .await
        .batch_execute("SELECT 1")
        .await
        .unwrap();
    stores.stop().await;
    other_process.kill().unwrap();
    other_process.wait().unwrap();
}

#[tokio::test]
async fn a_lost_password_is_reported_before_the_start() {
    let folder = DataFolder::new();
    // A cluster whose password is unknown. Only this file is read.
    let data = folder.path().join("postgres/data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("PG_VERSION"), "15\n").unwrap();
    let refused = Stores::start(folder.postgres(), |_| {})
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("values.json"), "{refused}");
}

#[tokio::test]
async fn only_the_owner_may_read_generated_values() {
    let folder = DataFolder::new();
    start(folder.redis()).await.stop().await;
    let mode = fs::metadata(folder.path().join("values.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn an_external_store_keeps_its_address_and_nothing_is_started() {
    let folder = DataFolder::new();
    let url = "postgres://me:secret@db.example/app".to_owned();
    let stores = start(Options {
        postgres: Wanted::External(url.clone()),
        ..folder.postgres()
    })
    .await;
    assert_eq!(stores.addresses().postgres_url, Some(url));
    assert_eq!(stores.addresses().redis_url, None);
    assert!(!folder.path().exists());
}

#[tokio::test]
async fn after_a_killed_host_all_children_end_and_the_next_start_works() {
    let folder = DataFolder::new();
    let host = Host::start(&Options {
        redis: Wanted::Embedded,
        ..folder.postgres()
    });
    let postgres_url = host.addresses().postgres_url.unwrap();
    let client = connect(&postgres_url).await;
    client
        .batch_execute("CREATE TABLE kept AS SELECT 7 AS id")
        .await
        .unwrap();
    // A busy session does not notice by itself that its postmaster has ended.
    let busy = tokio::spawn(async move {
        client
            .batch_execute("SELECT count(*) FROM generate_series(1, 1e12::bigint)")
            .await
    });
    let (postmaster, redis_pid) = (folder.postmaster().unwrap(), folder.redis_pid().unwrap());
    host.kill();

    // At once, while the old processes are still ending.
    let stores = start(Options {
        redis: Wanted::Embedded,
        ..folder.postgres()
    })
    .await;
    assert_eq!(stores.addresses().postgres_url, Some(postgres_url));
    assert!(busy.await.unwrap().is_err());
    for pid in [postmaster, redis_pid] {
        wait_until("the old process is gone", || !is_running(pid)).await;
    }
    let kept = connect_as_owner(&stores)
        .await
        .query_one("SELECT id FROM kept", &[])
        .await
        .unwrap();
    assert_eq!(kept.get::<_, i32>(0), 7);
    assert_eq!(ask_redis(&stores, "PING"), "PONG");
    stores.stop().await;
}

/// Whether the process runs and is not a zombie.
fn is_running(pid: u32) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok()
}
