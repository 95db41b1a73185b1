//! The Rust side of the WIT interfaces this crate answers, made by `bindgen!`. No behaviour.
//!
//! What blocks its caller in WIT (`open`, `query`, … of the older interfaces) still waits without holding a thread: `async`.
//! Resources are our own types and the same in every version of an interface, so the older versions only convert values.

wasmtime::component::bindgen!({
    inline: "
        package wharf:imports;
        world imports {
            import fermyon:spin/key-value@2.0.0;
            import fermyon:spin/postgres@2.0.0;
            import fermyon:spin/redis@2.0.0;
            import fermyon:spin/variables@2.0.0;
            import spin:key-value/key-value@3.0.0;
            import spin:postgres/postgres@3.0.0;
            import spin:postgres/postgres@4.2.0;
            import spin:redis/redis@3.0.0;
            import spin:variables/variables@3.0.0;
            import wasi:config/store@0.2.0-draft-2024-09-27;
        }
    ",
    path: [
        "../../wit/deps/fermyon-spin@2.0.0",
        "../../wit/deps/spin-key-value@3.0.0",
        "../../wit/deps/spin-postgres@3.0.0",
        "../../wit/deps/spin-postgres@4.2.0",
        "../../wit/deps/spin-redis@3.0.0",
        "../../wit/deps/spin-variables@3.0.0",
        "../../wit/deps/wasi-runtime-config-2024-09-27",
    ],
    imports: {
        "fermyon:spin/key-value": async,
        "fermyon:spin/postgres": async,
        "fermyon:spin/redis": async,
        "spin:key-value/key-value.[method]store.get-keys": async | store | trappable,
        "spin:postgres/postgres@3.0.0": async,
        "spin:postgres/postgres@4.2.0.[static]connection.open": async,
        "spin:postgres/postgres@4.2.0.[method]connection.query": async,
        "spin:postgres/postgres@4.2.0.[method]connection.execute": async,
        "spin:postgres/postgres@4.2.0.[method]connection-builder.build": async,
        "spin:postgres/postgres@4.2.0.[constructor]connection-builder": trappable,
    },
    with: {
        "fermyon:spin/key-value@2.0.0.store": crate::key_value::Store,
        "spin:key-value/key-value@3.0.0.store": crate::key_value::Store,
        "fermyon:spin/redis@2.0.0.connection": crate::redis::Connection,
        "spin:redis/redis@3.0.0.connection": crate::redis::Connection,
        "fermyon:spin/postgres@2.0.0.connection": crate::postgres::Connection,
        "spin:postgres/postgres@3.0.0.connection": crate::postgres::Connection,
        "spin:postgres/postgres@4.2.0.connection": crate::postgres::Connection,
        "spin:postgres/postgres@4.2.0.connection-builder": crate::postgres::ConnectionBuilder,
    },
});
