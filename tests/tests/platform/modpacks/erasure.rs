//! Erased users leave no pack, and no name in the packs of others.

use serde_json::json;
use wharf_tests::{Stack, User, eventually};

use super::*;

#[test]
fn erasing_an_owner_deletes_their_packs() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (pack, _, file, bytes) = published(&owner, "public");
    stack
        .get(&format!("/files/{file}/download"))
        .send()
        .expect(302);
    owner.delete("/auth/me").send().expect(204);
    eventually("the pack is gone", SOON, || {
        stack.get(&format!("/modpacks/{pack}")).send().status() == 404
    });
    stack
        .get(&format!("/files/{file}/download"))
        .send()
        .problem(404);
    let refs = "SELECT refs FROM modpacks.blob WHERE sha256 = $1";
    let refs: i64 = stack
        .sql()
        .query_one(refs, &[&sha256(&bytes)])
        .unwrap()
        .get(0);
    assert_eq!(refs, 0);
}

#[test]
fn no_pack_names_an_erased_user() {
    let stack = &Stack::shared();
    let (owner, gone) = (User::driver(stack), User::driver(stack));
    let (pack, _, file, _) = published(&owner, "private");
    create_pack(&gone, "public");
    let named = json!({ "users": [gone.login], "restricted": true });
    for list in [
        format!("/modpacks/{pack}/maintainers"),
        format!("/modpacks/{pack}/shares"),
        format!("/files/{file}/access"),
    ] {
        owner.put(&list).json(&named).send().expect(204);
    }
    let named = "SELECT (SELECT count(*) FROM modpacks.maintainer WHERE user_id = who)
            + (SELECT count(*) FROM modpacks.pack_share WHERE user_id = who)
            + (SELECT count(*) FROM modpacks.file_share WHERE user_id = who)
            + (SELECT count(*) FROM modpacks.pack WHERE owner = who AND name <> 'erased')
        FROM (SELECT $1::text::uuid) AS the (who)";
    let id = user_id(&gone);
    let mut sql = stack.sql();
    let mut count = || sql.query_one(named, &[&id]).unwrap().get::<_, i64>(0);
    assert_eq!(count(), 4);
    gone.delete("/auth/me").send().expect(204);
    eventually("nothing names them", SOON, || count() == 0);
}
