//! How a host stops.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use stage::{Host, folder, until, wharf};
use wasm_encoder::{
    CodeSection, ComponentBuilder, Function, FunctionSection, Module, TypeSection, ValType,
};

const SLEEPER: &str = r#"
[[trigger.http]]
route = "/..."
component = "acts"
[component.acts]
source = "{guests}/guest_acts.wasm"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_lets_requests_finish_and_refuses_new_ones() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let mut host = Host::start(SLEEPER);
        let running = async {
            let asked = Instant::now();
            let answer = host.get("/sleep?1000").await;
            assert!(asked.elapsed() >= Duration::from_secs(1));
            answer
        };
        let stopping = async {
            until("the request runs", async || {
                host.metric(r#"wharf_instances{component="acts"}"#).await == 1.0
            })
            .await;
            host.signal(signal);
            until("new connections are refused", async || {
                std::net::TcpStream::connect(host.address()).is_err()
            })
            .await;
        };
        let (answer, ()) = tokio::join!(running, stopping);
        assert_eq!(answer.text(), "slept\n");
        assert!(host.ended().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_check_fails_before_connections_are_refused() {
    let mut host = Host::start_with(SLEEPER, &["--stop-delay-ms", "2000"]);
    let health = "/.well-known/spin/health";
    assert_eq!(host.get(health).await.text(), "OK");
    host.signal(libc::SIGTERM);
    until("the health check fails", async || {
        host.get(health).await.status() == 503
    })
    .await;
    assert_eq!(host.get(health).await.refusal(), "stopping");
    assert_eq!(host.get("/hello").await.text(), "hello\n");
    assert!(host.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_what_runs_on_after_a_response() {
    let later = SLEEPER
        .replace("component = \"acts\"", "component = \"whole\"")
        .replace("acts", "whole");
    let mut host = Host::start(&later);
    assert_eq!(host.get("/later").await.text(), "begun\n");
    host.signal(libc::SIGTERM);
    assert!(host.ended().await.success());
    assert_eq!(host.log("whole_stdout.txt"), "later\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_host_at_once() {
    let mut host = Host::start(SLEEPER);
    let address = host.address();
    let request = std::thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut stream, b"GET /sleep?8000 HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut answer);
        answer
    });
    until("the request runs", async || {
        host.metric(r#"wharf_instances{component="acts"}"#).await == 1.0
    })
    .await;
    let asked = Instant::now();
    host.signal(libc::SIGTERM);
    until("new connections are refused", async || {
        std::net::TcpStream::connect(host.address()).is_err()
    })
    .await;
    host.signal(libc::SIGTERM);
    let status = host.ended().await;
    assert!(
        status.code() == Some(1) || status.signal().is_some(),
        "{status}"
    );
    assert!(asked.elapsed() < Duration::from_secs(4));
    assert_eq!(request.join().unwrap(), b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_do_not_delay_the_stop() {
    let mut host = Host::start(SLEEPER);
    let mut idle = std::net::TcpStream::connect(host.address()).unwrap();
    std::io::Write::write_all(&mut idle, b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    std::io::Read::read_exact(&mut idle, &mut answer).unwrap();
    let asked = Instant::now();
    host.signal(libc::SIGTERM);
    assert!(host.ended().await.success());
    assert!(asked.elapsed() < Duration::from_secs(3));
}

/// Sends SIGTERM and waits for the end of the process.
async fn stop(child: &mut Child) -> ExitStatus {
    let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let asked = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(asked.elapsed() < Duration::from_secs(8), "it does not end");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether the process with the id in `file` is running, and not a zombie.
fn is_running(file: &Path) -> bool {
    let pid = fs::read_to_string(file).unwrap_or_default();
    let status = fs::read_to_string(format!("/proc/{}/status", pid.trim()));
    status.is_ok_and(|status| !pid.is_empty() && !status.contains("State:\tZ"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_build_and_its_child_processes() {
    let manifest = r#"
[[trigger.http]]
route = "/..."
component = "slow"
[component.slow]
source = "slow.wasm"
build = { command = "sleep 600 & echo $! > sleeper; wait" }
"#;
    for (args, code) in [(&["build"][..], 4), (&["up", "--build"], 0)] {
        let folder = folder(manifest);
        let sleeper = folder.path().join("sleeper");
        let mut host = wharf(folder.path()).args(args).spawn().unwrap();
        until("it builds", async || is_running(&sleeper)).await;
        assert_eq!(stop(&mut host).await.code(), Some(code), "{args:?}");
        until("the build is gone", async || !is_running(&sleeper)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_ends_when_the_host_is_killed() {
    let manifest = r#"
[[trigger.http]]
route = "/..."
component = "slow"
[component.slow]
source = "slow.wasm"
build = { command = "echo $$ > sleeper; exec sleep 600" }
"#;
    let folder = folder(manifest);
    let sleeper = folder.path().join("sleeper");
    let mut host = wharf(folder.path()).arg("build").spawn().unwrap();
    until("it builds", async || is_running(&sleeper)).await;
    host.kill().unwrap();
    host.wait().unwrap();
    until("the build is gone", async || !is_running(&sleeper)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_start_during_compilation() {
    let folder = folder(
        r#"
[[trigger.http]]
route = "/..."
component = "large"
[component.large]
source = "large.wasm"
"#,
    );
    fs::write(folder.path().join("large.wasm"), slow_to_compile()).unwrap();
    let mut host = wharf(folder.path())
        .args(["up", "--listen", "127.0.0.1:0", "--data-dir", "data"])
        .spawn()
        .unwrap();
    let cache = folder.path().join("data/cache");
    until("it compiles", async || cache.exists()).await;
    assert!(stop(&mut host).await.success());
}

/// A component that takes minutes to compile.
fn slow_to_compile() -> Vec<u8> {
    const FUNCTIONS: u32 = 400;
    let mut types = TypeSection::new();
    types.ty().function([ValType::I64], [ValType::I64]);
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    for number in 0..FUNCTIONS {
        functions.function(0);
        let mut function = Function::new([]);
        let mut body = function.instructions();
        for factor in 0..20_000 {
            body.local_get(0)
                .i64_const(factor + i64::from(number))
                .i64_mul()
                .i64_popcnt()
                .local_set(0);
        }
        body.local_get(0).end();
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    let mut component = ComponentBuilder::default();
    component.core_module(None, &module);
    component.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_start_during_migration() {
    let manifest = r#"
[application.tool.wharf]
migrations = "migrations"
[application.tool.wharf.variables]
url = "postgres:till"
redis_url = "redis"
[variables]
url = { required = true }
redis_url = { required = true }
[[trigger.http]]
route = "/..."
component = "acts"
[component.acts]
source = "{guests}/guest_acts.wasm"
"#;
    let folder = folder(manifest);
    let till = folder.path().join("migrations/till");
    fs::create_dir_all(&till).unwrap();
    fs::write(till.join("0001_slow.sql"), "SELECT pg_sleep(600)").unwrap();
    let said = folder.path().join("said");
    let mut host = wharf(folder.path())
        .args(["up", "--listen", "127.0.0.1:0", "--volatile"])
        .stderr(fs::File::create(&said).unwrap())
        .spawn()
        .unwrap();
    until("it migrates", async || {
        fs::read_to_string(&said).unwrap().contains("0001_slow.sql")
    })
    .await;
    let data = folder.path().join(".wharf");
    let lock =
        fs::read_to_string(store_folder(&data).join("postgres/data/postmaster.pid")).unwrap();
    let postmaster = folder.path().join("postmaster");
    fs::write(&postmaster, lock.lines().next().unwrap()).unwrap();
    assert!(is_running(&postmaster));
    assert!(stop(&mut host).await.success());
    until("PostgreSQL is gone", async || !is_running(&postmaster)).await;
    wharf_stores::Stores::discard(&data).unwrap();
}

/// The folder of the stores: as root they cannot use a data folder that is closed to their own user.
fn store_folder(data: &Path) -> std::path::PathBuf {
    let elsewhere = fs::read_to_string(data.join("elsewhere"));
    elsewhere.map_or(data.to_owned(), |path| path.trim().into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_infra_up_and_its_child_processes() {
    let folder = tempfile::tempdir().unwrap();
    let (cargo, sleeper) = (folder.path().join("cargo"), folder.path().join("sleeper"));
    let script = format!(
        "#!/bin/sh\nsleep 600 & echo $! > {}; wait\n",
        sleeper.display()
    );
    fs::write(&cargo, script).unwrap();
    fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut up = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/up"))
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("it builds", async || is_running(&sleeper)).await;
    assert_eq!(stop(&mut up).await.code(), Some(143));
    until("the build is gone", async || !is_running(&sleeper)).await;
}
