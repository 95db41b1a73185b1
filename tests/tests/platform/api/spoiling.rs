//! Operations that end sessions and accounts or delete things that the walk uses.

use wharf_openapi::Operation;

use super::actor::Actor;
use super::walk::Walk;

/// Each with its reason. They come last, in this order, and their callers are made for them.
pub const SPOILING: [(&str, &str); 17] = [
    ("fines_hide_all_fines", "hides what others look at"),
    ("fines_remove_all_cars", "hides what others look at"),
    (
        "signin_update_user",
        "changes names and passwords of users that the walk signs in",
    ),
    (
        "signin_update_caller",
        "a new password ends the caller's sessions",
    ),
    ("signin_change_password", "ends the caller's sessions"),
    ("signin_reset_password", "ends the caller's sessions"),
    ("signin_sign_out", "ends the caller's session"),
    ("signin_end_session", "may end the caller's session"),
    ("signin_end_all_sessions", "ends the caller's sessions"),
    ("signin_set_role", "takes rights from callers"),
    ("signin_set_roles", "takes rights from callers"),
    (
        "signin_revoke_second_factor",
        "ends the sessions of its user",
    ),
    ("signin_disable", "locks callers out"),
    (
        "signin_enable",
        "has something to do once users are disabled",
    ),
    ("signin_erase_caller", "the caller is gone"),
    ("signin_erase_user", "callers are gone"),
    ("signin_erase_all_users", "everyone is gone"),
];

pub fn is_spoiling(operation: &Operation<'_>) -> bool {
    SPOILING.iter().any(|(name, _)| operation.name == *name)
}

impl<'a> Walk<'a> {
    /// Admins act on the driver among the actors.
    pub fn spoil(&self, operation: &'a Operation<'a>, actors: &[Actor]) {
        let driver = &actors[1];
        let text = |path: &str, pointer: &str| {
            let shown = driver.shown(self.stack, path);
            let value = shown.pointer(pointer).unwrap();
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let id = match operation.name {
            "signin_end_session" => text("/auth/sessions", "/0/id"),
            _ => text("/auth/me", "/id"),
        };
        let pinned = [
            ("id", id),
            ("username", driver.login.clone()),
            ("user_id", text("/api/v1/users/me", "/id")),
            ("role", "10".to_owned()),
        ];
        // The admin acts on the driver, and asks first, because what the driver asks may end their own account.
        let actors: Vec<_> = actors.iter().rev().collect();
        self.ask(operation, &actors, &pinned);
    }
}
