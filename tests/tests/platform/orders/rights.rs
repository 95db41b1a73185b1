//! Rights: each role against each act of each operation.

mod acts;

use std::collections::BTreeSet;

use serde_json::json;
use wharf_tests::described::OPERATIONS;
use wharf_tests::{Stack, User, unique};

use super::{hire, id_of, open_shop};
use acts::{OPEN, Scene};

const ROLES: [&str; 8] = [
    "customer", "stranger", "kiosk", "kitchen", "counter", "manager", "admin", "guest",
];

fn users(stack: &Stack, scene: &Scene) -> Vec<User> {
    let of_role = |role: &&str| match *role {
        "customer" => scene.customer.clone(),
        // Has every role, but in another shop.
        "stranger" => {
            let shop = open_shop(stack);
            let id = id_of(&shop.manager);
            for role in ["kiosk", "kitchen", "counter"] {
                let path = format!("/shops/{}/staff/{id}/{role}", shop.id);
                shop.manager.put(&path).send().expect(204);
            }
            shop.manager
        }
        "admin" => User::admin(stack),
        "guest" => {
            let mut guest = scene.customer.clone();
            guest.token.clear();
            guest
        }
        role => hire(stack, scene.shop.id, role),
    };
    ROLES.iter().map(of_role).collect()
}

#[test]
fn a_member_of_staff_lists_the_shops_where_they_work() {
    let stack = Stack::shared();
    let [first, second] = [(); 2].map(|()| open_shop(&stack));
    let cook = hire(&stack, first.id, "kitchen");
    let shops_of = |user: &User| {
        let listed = user.get("/shops?mine=true").send().expect(200).json();
        let shops = listed.as_array().unwrap();
        let ids = shops.iter().map(|it| it["id"].as_i64().unwrap());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(shops_of(&cook), [first.id]);
    let again = format!("/shops/{}/staff/{}/counter", first.id, id_of(&cook));
    User::admin(&stack).put(&again).send().expect(204);
    assert_eq!(shops_of(&cook), [first.id]);
    assert_eq!(shops_of(&second.manager), [second.id]);
    assert_eq!(shops_of(&User::driver(&stack)), [0_i64; 0]);
    stack.get("/shops?mine=true").send().problem(401);
    let all = stack.get("/shops?limit=100").send().expect(200).json();
    assert!(all.as_array().unwrap().len() >= 2);
}

#[test]
fn the_time_zone_of_a_shop_is_one_that_there_is() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let shop = format!("/shops/{}", open_shop(&stack).id);
    for zone in ["Nowhere/City", "FOO3BAR", "", "EST"] {
        let body = json!({ "name": unique("Shop"), "time_zone": zone });
        let refused = admin.post("/shops").json(&body).send();
        assert_eq!(refused.problem(422)["code"], "unknown-time-zone", "{zone}");
        let body = json!({ "time_zone": zone });
        admin.patch(&shop).json(&body).send().problem(422);
    }
    let body = json!({ "time_zone": "Europe/Lisbon" });
    admin.patch(&shop).json(&body).send().expect(200);
}

#[test]
fn each_role_has_exactly_the_rights_of_the_table() {
    let stack = Stack::shared();
    let scene = Scene {
        shop: open_shop(&stack),
        customer: User::driver(&stack),
    };
    let users = users(&stack, &scene);
    for act in acts::all() {
        let what = act.what;
        for (role, user) in ROLES.iter().zip(&users) {
            let answer = (act.carry_out)(&scene, user);
            if act.allowed.contains(role) {
                assert!(answer.status() < 300, "{role} may {what}: {answer}");
            } else if *role == "guest" {
                assert_eq!(answer.status(), 401, "a guest may not {what}: {answer}");
            } else {
                assert!(
                    [403, 404].contains(&answer.status()),
                    "{role} may not {what}: {answer}"
                );
            }
        }
    }
}

#[test]
fn every_operation_has_an_act_or_is_open_to_all() {
    let judged: BTreeSet<_> = acts::all().map(|it| it.operation).chain(OPEN).collect();
    let operations = OPERATIONS
        .iter()
        // `/category` is another spelling of `/categories`.
        .filter(|it| it.component == "orders" && !it.path.starts_with("/category"));
    let described: BTreeSet<_> = operations
        .map(|it| format!("{} {}", it.method, it.path))
        .collect();
    let judged: BTreeSet<_> = judged.into_iter().map(str::to_owned).collect();
    assert_eq!(judged, described);
}

#[test]
fn a_role_that_was_taken_away_is_gone() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let kitchen = hire(&stack, shop.id, "kitchen");
    let path = format!("/shops/{}/staff", shop.id);
    let other = format!("{path}/{}/kiosk", id_of(&kitchen));
    User::admin(&stack).put(&other).send().expect(204);
    let staff = shop.manager.get(&path).send().expect(200).json();
    assert_eq!(staff.as_array().unwrap().len(), 3);
    let one = format!("{path}/{}/kitchen", id_of(&kitchen));
    kitchen.delete(&one).send().problem(403);
    shop.manager.delete(&one).send().expect(204);
    kitchen
        .get(&format!("/kitchen?shop_id={}", shop.id))
        .send()
        .problem(403);
    let left = "SELECT string_agg(role, ' ') FROM orders.staff WHERE user_id::text = $1";
    let left = stack.sql().query_one(left, &[&id_of(&kitchen)]).unwrap();
    assert_eq!(left.get::<_, &str>(0), "kiosk");
    shop.manager
        .put(&format!("{path}/{}/chef", id_of(&kitchen)))
        .send()
        .problem(404);
}
