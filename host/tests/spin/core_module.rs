//! Core modules are made into components when they are loaded.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_core_module_serves() {
    let module = std::fs::read(stage::guests().join("guest_module.wasm")).unwrap();
    assert_eq!(&module[..8], b"\0asm\x01\0\0\0", "a core module");
    let host = Host::start(
        "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"module\"\n\
         [component.module]\nsource = \"{guests}/guest_module.wasm\"",
    );
    let answer = host.get("/a?b=c").await;
    assert_eq!(
        (answer.status(), answer.text()),
        (200, "0.2 /a?b=c\n".into())
    );
}

#[test]
fn a_core_module_that_describes_no_component_is_refused() {
    let folder = stage::folder(
        "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"empty\"\n[component.empty]\nsource = \"empty.wasm\"",
    );
    std::fs::write(folder.path().join("empty.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let output = stage::wharf(folder.path())
        .args(["up", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("neither describes a component nor"), "{said}");
}
