//! Sharing: owners give and take access, each with effect from the next request.

use serde_json::{Value, json};
use wharf_tests::{Stack, User};

use super::*;

#[test]
fn revoking_counts_from_the_next_request() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let friend = User::driver(stack);
    let (pack, _, file, _) = published(&owner, "private");
    let shares = format!("/modpacks/{pack}/shares");
    let share = |users: Value| {
        owner
            .put(&shares)
            .json(&json!({ "users": users }))
            .send()
            .expect(204)
    };
    let download = || {
        friend
            .get(&format!("/files/{file}/download"))
            .send()
            .status()
    };
    assert_eq!(download(), 404);
    share(json!([friend.login]));
    assert_eq!(download(), 302);
    share(json!([]));
    assert_eq!(download(), 404);
}

#[test]
fn only_owners_decide_who_sees_and_who_maintains() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let maintainer = User::driver(stack);
    let (pack, version, ..) = published(&owner, "private");
    let team = json!({ "users": [maintainer.login] });
    let to = |end: &str| format!("/modpacks/{pack}{end}");
    owner
        .put(&to("/maintainers"))
        .json(&team)
        .send()
        .expect(204);
    maintainer
        .patch(&to(""))
        .json(&json!({ "description": "Mine" }))
        .send()
        .expect(200);
    let public = json!({ "visibility": "public" });
    maintainer.patch(&to("")).json(&public).send().problem(403);
    maintainer
        .put(&to("/maintainers"))
        .json(&team)
        .send()
        .problem(403);
    maintainer
        .put(&to("/shares"))
        .json(&json!({ "users": [] }))
        .send()
        .problem(403);
    maintainer.delete(&to("")).send().problem(403);
    let draft = create_draft(&maintainer, pack, "2.0");
    publish(&maintainer, pack, draft).expect(200);
    let deleted = maintainer.delete(&format!("/modpacks/{pack}/versions/{version}"));
    deleted.send().expect(204);
    let moderator = with_role(stack, &User::driver(stack), "moderator");
    moderator.patch(&to("")).json(&public).send().expect(200);
    moderator.delete(&to("")).send().expect(204);
    owner.get(&to("")).send().problem(404);
}
