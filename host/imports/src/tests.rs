//! Tests every interface through WIT with a real guest. The capabilities' own tests run below WIT.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use futures::FutureExt;
use futures::future::BoxFuture;
use wasmtime::component::{Component, Linker, ResourceTable, TypedFunc};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wharf_manifest::egress::{AllowedHosts, BlockedNetworks};

use crate::http::{LocalDispatch, LocalTarget};
use crate::testing::{self, wait_until};
use crate::{
    Budget, Grants, Imports, ImportsCtx, ImportsCtxView, ImportsView, key_value, postgres,
};

struct Guest {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    imports: ImportsCtx,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: self.imports.http_hooks(),
        }
    }
}

impl ImportsView for Guest {
    fn imports(&mut self) -> ImportsCtxView<'_> {
        ImportsCtxView {
            ctx: &mut self.imports,
            table: &mut self.table,
        }
    }
}

struct NoLocalTarget;

impl LocalDispatch for NoLocalTarget {
    fn dispatch(
        &self,
        _: LocalTarget,
        _: ::http::Request<WasiBody>,
    ) -> BoxFuture<'static, Result<::http::Response<WasiBody>, Error>> {
        std::future::ready(Err(Error::DestinationNotFound)).boxed()
    }
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        Engine::new(&config).unwrap()
    })
}

/// Builds the component `guest-caller`.
fn build_caller() -> &'static Component {
    static CALLER: OnceLock<Component> = OnceLock::new();
    CALLER.get_or_init(|| {
        let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/guests");
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "--package", "guest-caller"])
            .args(["--target", "wasm32-wasip2", "--target-dir"])
            .arg(&target)
            .current_dir(guests)
            // With it, as `infra/test --times` runs tests, cargo would build all of them anew.
            .env_remove("RUSTC_BOOTSTRAP")
            .status();
        assert!(built.unwrap().success());
        let wasm = target.join("wasm32-wasip2/release/guest_caller.wasm");
        Component::from_file(engine(), wasm).unwrap()
    })
}

fn grant(allowed: &str) -> Arc<Imports> {
    let store =
        key_value::Store::redis(&format!("redis://127.0.0.1:{}/9", testing::shared_redis()));
    let variables = [("greeting".to_owned(), "olá".to_owned())];
    let imports = Imports::new(Grants {
        budget: Budget::new(16, 256 << 20, None),
        component: "caller".to_owned(),
        allowed_hosts: AllowedHosts::parse(&[allowed.to_owned()]).unwrap(),
        blocked_networks: BlockedNetworks::default(),
        variables: Arc::new(std::collections::BTreeMap::from(variables)),
        dependency_variables: Vec::new(),
        key_value_stores: [("default".to_owned(), store.unwrap())].into(),
        sqlite_databases: [].into(),
        postgres: postgres::Settings::default(),
        local: Arc::new(NoLocalTarget),
        stderr: Arc::new(|_| ()),
    });
    Arc::new(imports.unwrap())
}

/// Calls a fresh instance of the guest and returns its answer. The outer `Err` is a trap.
async fn call(
    imports: &Arc<Imports>,
    case: &str,
    argument: &str,
) -> wasmtime::Result<Result<String, String>> {
    let mut linker = Linker::<Guest>::new(engine());
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    crate::add_to_linker(&mut linker)?;
    let guest = Guest {
        table: ResourceTable::new(),
        wasi: WasiCtx::builder().build(),
        http: WasiHttpCtx::new(),
        imports: ImportsCtx::new(imports),
    };
    let mut store = Store::new(engine(), guest);
    let instance = linker.instantiate_async(&mut store, build_caller()).await?;
    type Call = TypedFunc<(String, String), (Result<String, String>,)>;
    let function: Call = instance.get_typed_func(&mut store, "call")?;
    let arguments = (case.to_owned(), argument.to_owned());
    let (answer,) = store
        .run_concurrent(async |accessor| function.call_concurrent(accessor, arguments).await)
        .await??;
    Ok(answer)
}

async fn call_granted(case: &str, argument: &str) -> Result<String, String> {
    call(&grant("*://*:*"), case, argument).await.unwrap()
}

fn postgres_url() -> String {
    let port = testing::shared_postgres();
    format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable")
}

fn redis_url() -> String {
    format!("redis://127.0.0.1:{}", testing::shared_redis())
}

#[tokio::test]
async fn variables_are_read_through_all_three_interfaces() {
    for case in ["variable", "variable 2"] {
        assert_eq!(call_granted(case, "greeting").await, Ok("olá".to_owned()));
        let missing = call_granted(case, "missing").await.unwrap_err();
        assert!(missing.contains("Undefined"), "{missing}");
        let unclean = call_granted(case, "Not-A-Name").await.unwrap_err();
        assert!(unclean.contains("InvalidName"), "{unclean}");
    }
    let config = call_granted("config", "greeting").await.unwrap();
    assert_eq!(config, r#"(Ok(Some("olá")), Ok([("greeting", "olá")]))"#);
    let config = call_granted("config", "missing").await.unwrap();
    assert!(config.starts_with("(Ok(None),"), "{config}");
}

#[tokio::test]
async fn postgres_works_through_every_version_of_its_interface() {
    let url = postgres_url();
    for (case, expected) in [
        (
            "postgres",
            r#"(3, "t", [[DbValue::Str("a"), DbValue::Int32(42)]])"#,
        ),
        ("postgres blocking", "(1, [[DbValue::Int64(7)]])"),
        (
            "postgres 3",
            "[[DbValue::Date((2026, 11, 21)), DbValue::Unsupported]]",
        ),
        (
            "postgres 2",
            "([[DbValue::Str(\"a\"), DbValue::Unsupported]], \
             Err(Error::ValueConversionFailed(\"Postgres does not support unsigned integers\")))",
        ),
        ("postgres builder", "(true, 1, 1)"),
        ("postgres large", "(20000, 200010000)"),
        ("postgres first row", "(Some(\"DbValue::Int32(1)\"), 1)"),
        ("postgres broken row", "(true, \"22012\")"),
    ] {
        assert_eq!(
            call_granted(case, &url).await.as_deref(),
            Ok(expected),
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_transaction_of_a_guest_that_traps_is_rolled_back() {
    let imports = grant("*://*:*");
    let connection = imports.postgres.open(&postgres_url(), None).await.unwrap();
    connection
        .execute("CREATE TABLE trapped (id int4)", &[])
        .await
        .unwrap();
    assert!(
        call(&imports, "postgres trap", &postgres_url())
            .await
            .is_err()
    );
    let open = "SELECT FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' \
                AND query LIKE '%INTO trapped%'";
    wait_until("the transaction is over", async || {
        connection.execute(open, &[]).await.unwrap() == 0
    })
    .await;
    let rows = connection
        .execute("SELECT FROM trapped", &[])
        .await
        .unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn redis_works_through_both_versions_of_its_interface() {
    for (case, expected) in [
        (
            "redis",
            "(42, Some([52, 50]), [\"a\"], 1, [RedisResult::Binary([104, 105])], 1)",
        ),
        ("redis 2", "(42, [RedisResult::Binary([55])], 1)"),
    ] {
        assert_eq!(
            call_granted(case, &redis_url()).await.as_deref(),
            Ok(expected),
            "{case}"
        );
    }
}

#[tokio::test]
async fn key_value_stores_open_only_by_granted_labels() {
    let first = call_granted("key-value", "default").await;
    assert_eq!(first.as_deref(), Ok("([\"a\"], Some([1]), true)"));
    let second = call_granted("key-value 2", "default").await;
    assert_eq!(second.as_deref(), Ok("([\"b\"], Some([2]), false)"));
    for case in ["key-value", "key-value 2"] {
        let denied = call_granted(case, "secrets").await.unwrap_err();
        assert!(denied.contains("AccessDenied"), "{denied}");
    }
}

#[tokio::test]
async fn every_way_to_open_a_connection_checks_the_grant() {
    let imports = grant("http://localhost");
    for case in [
        "postgres",
        "postgres blocking",
        "postgres 3",
        "postgres 2",
        "postgres builder",
    ] {
        let denied = call(&imports, case, &postgres_url())
            .await
            .unwrap()
            .unwrap_err();
        let expected = format!(
            "ConnectionFailed(\"address postgres://127.0.0.1:{} is not permitted\")",
            testing::shared_postgres()
        );
        assert!(denied.contains(&expected), "{case}: {denied}");
    }
    for case in ["redis", "redis 2"] {
        let denied = call(&imports, case, &redis_url())
            .await
            .unwrap()
            .unwrap_err();
        assert!(denied.contains("InvalidAddress"), "{case}: {denied}");
    }
}

#[tokio::test]
async fn a_guest_looks_up_names_within_the_limit_of_its_component() {
    for case in ["look-up", "look-up 2"] {
        let imports = grant("tcp://127.0.0.1:9");
        let look_up = async |name: &str| call(&imports, case, name).await.unwrap();
        for name in ["localhost", "127.0.0.1", "::1"] {
            assert_eq!(look_up(name).await, Ok("true".to_owned()), "{case} {name}");
        }
        assert!(look_up("two words").await.is_err(), "{case}");
        // Whatever asks for a permit is refused from here on. An address is not looked up.
        imports.egress.look_ups.close();
        assert!(look_up("localhost").await.is_err(), "{case}");
        assert_eq!(look_up("127.0.0.1").await, Ok("true".to_owned()), "{case}");

        let without_sockets = grant("http://*:*");
        let refused = call(&without_sockets, case, "localhost").await.unwrap();
        assert!(refused.is_err(), "{case}");
    }
}
