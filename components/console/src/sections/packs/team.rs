//! Who sees a pack and who changes it: friends with a link, users and roles that it is shared with, its maintainers.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::identity::Role;
use kit::web::{Dialect, Path, Problem, Routes};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Level, Pack, Usage, anew, find_maintainers, find_own, find_pack};
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::Moment;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/packs/{id}/links", list_links, |it| it)
        .post("/packs/{id}/links", make_link, |it| it)
        .post("/packs/{id}/links/{link}/revoke", revoke_link, |it| it)
        .get("/packs/{id}/people", list_people, |it| it)
        .post("/packs/{id}/maintainers", set_maintainers, |it| it)
        .post("/packs/{id}/shares", set_shares, |it| it)
        .post("/packs/{id}/quota", set_quota, |it| it)
}

#[derive(Debug, Deserialize)]
struct Link {
    id: i64,
    label: String,
    created_at: Moment,
    expires_at: Option<Moment>,
    revoked_at: Option<Moment>,
}

impl Link {
    fn state(&self) -> String {
        match (self.revoked_at, self.expires_at) {
            (Some(at), _) => format!("revoked {at}"),
            (None, Some(at)) if at.0 <= kit::now() => format!("expired {at}"),
            (None, Some(at)) => format!("until {at}"),
            (None, None) => "until it is revoked".to_owned(),
        }
    }

    fn is_open(&self) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|it| it.0 > kit::now())
    }
}

#[derive(Template)]
#[template(path = "packs/links.html")]
struct Links {
    pack: Pack,
    links: Vec<Link>,
    /// The address of the link that was just made. It is shown this once.
    made: Option<String>,
    form: Fields,
    refusal: Option<String>,
}

async fn list_links(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    show_links(&visitor, id, None, Fields::default(), None).await
}

async fn show_links(
    visitor: &Visitor,
    id: i64,
    made: Option<String>,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let (pack, _) = find_own(visitor, id).await?;
    let links = visitor
        .get("modpacks", &format!("/modpacks/{id}/links"))
        .await?;
    let content = Links {
        pack,
        links,
        made,
        form,
        refusal,
    };
    let title = format!("Links to {}", content.pack.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

/// Answers with the page itself: the secret of the link is told once, and must be in no address.
async fn make_link(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    match send_link(&visitor, id, &form).await {
        Ok(url) => show_links(&visitor, id, Some(url), Fields::default(), None).await,
        Err(refusal) => show_links(&visitor, id, None, form, Some(refusal.into_text()?)).await,
    }
}

async fn send_link(visitor: &Visitor, pack: i64, form: &Fields) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Made {
        url: String,
    }
    let body = json!({
        "label": form.text("label"),
        "expires_at": form.moment("expires_at", &TimeZone::UTC)?,
    });
    let path = format!("/modpacks/{pack}/links");
    let made: Made = visitor
        .send(Method::POST, "modpacks", &path, "", &body)
        .await?;
    Ok(made.url)
}

async fn revoke_link(
    visitor: Visitor,
    Path((id, link)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    let path = format!("/modpacks/{id}/links/{link}");
    match visitor.act(Method::DELETE, "modpacks", &path).await {
        Ok(()) => Ok(go_to(&format!("/packs/{id}/links"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show_links(&visitor, id, None, Fields::default(), refusal).await
        }
    }
}

#[derive(Debug, Deserialize)]
struct Share {
    login: Option<String>,
    role: Option<String>,
}

/// Roles that a pack may be shared with. `user` is everyone who is signed in.
const ROLES: [&str; 8] = [
    "user",
    "driver",
    "owner",
    "controller",
    "zone_admin",
    "customer",
    "moderator",
    "admin",
];

#[derive(Template)]
#[template(path = "packs/people.html")]
struct People {
    pack: Pack,
    is_owner: bool,
    is_admin: bool,
    form: Fields,
    refusal: Option<String>,
}

impl People {
    fn roles(&self) -> [&'static str; 8] {
        ROLES
    }
}

async fn list_people(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    show_people(&visitor, id, Fields::default(), None).await
}

/// What a refused form holds stays; the other forms show what is stored.
async fn show_people(
    visitor: &Visitor,
    id: i64,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let (pack, level) = find_own(visitor, id).await?;
    let form = match form.optional("form") {
        Some("maintainers") => with_shares(form, visitor, id).await?,
        Some("shares") => with_maintainers(form, visitor, id).await?,
        _ => with_shares(with_maintainers(form, visitor, id).await?, visitor, id).await?,
    };
    let content = People {
        pack,
        is_owner: level == Level::Owner,
        is_admin: visitor.me.is(Role::Admin),
        form,
        refusal,
    };
    let title = format!("People of {}", content.pack.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

async fn with_maintainers(form: Fields, visitor: &Visitor, pack: i64) -> Result<Fields, Error> {
    let team = find_maintainers(visitor, pack).await?;
    let logins: Vec<_> = team.into_iter().map(|it| it.login).collect();
    Ok(form.with("maintainers", logins.join("\n")))
}

async fn with_shares(form: Fields, visitor: &Visitor, pack: i64) -> Result<Fields, Error> {
    let path = format!("/modpacks/{pack}/shares");
    let shares: Vec<Share> = visitor.get("modpacks", &path).await?;
    let logins: Vec<_> = shares.iter().filter_map(|it| it.login.as_deref()).collect();
    let form = form.with("users", logins.join("\n"));
    let roles = shares.iter().filter_map(|it| it.role.as_ref());
    Ok(roles.fold(form, |form, role| form.with("role", role)))
}

/// Logins, which hold no blanks.
fn logins(text: &str) -> Vec<&str> {
    text.split(|it: char| it.is_whitespace() || it == ',')
        .filter(|it| !it.is_empty())
        .collect()
}

async fn set_maintainers(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let body = json!({ "users": logins(form.text("maintainers")) });
    let path = format!("/modpacks/{id}/maintainers");
    put_people(&visitor, id, &path, &body, form).await
}

async fn set_shares(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let roles: Vec<_> = form.all("role").collect();
    let body = json!({ "users": logins(form.text("users")), "roles": roles });
    let path = format!("/modpacks/{id}/shares");
    put_people(&visitor, id, &path, &body, form).await
}

async fn put_people(
    visitor: &Visitor,
    id: i64,
    path: &str,
    body: &Value,
    form: Fields,
) -> Result<Response, Problem> {
    let put = visitor.change(Method::PUT, "modpacks", path, body).await;
    match put {
        Ok(()) => Ok(go_to(&format!("/packs/{id}/people"))),
        Err(refusal) => show_people(visitor, id, form, Some(refusal.into_text()?)).await,
    }
}

#[derive(Template)]
#[template(path = "packs/quota.html")]
struct Quota {
    pack: Pack,
    usage: Usage,
}

/// Answers with the page itself: an admin reads the usage of another user only here.
async fn set_quota(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    match send_quota(&visitor, id, &form).await {
        Ok(content) => page("The quota was set", &visitor.me, &content),
        Err(refusal) => {
            let form = anew(&form, &["form", "quota"]);
            show_people(&visitor, id, form, Some(refusal.into_text()?)).await
        }
    }
}

async fn send_quota(visitor: &Visitor, id: i64, form: &Fields) -> Result<Quota, Error> {
    let pack = find_pack(visitor, id).await?;
    let bytes = form
        .number("quota")?
        .and_then(|it| it.checked_mul(1 << 20))
        .ok_or_else(|| Error::refused("Say how many MiB."))?;
    let path = format!("/files/usage/{}", pack.owner_id);
    let usage = visitor
        .send(
            Method::PUT,
            "modpacks",
            &path,
            "",
            &json!({ "quota": bytes }),
        )
        .await?;
    Ok(Quota { pack, usage })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_stand_on_lines_or_between_commas() {
        assert_eq!(logins("ann, bob\r\n\r\ncy "), ["ann", "bob", "cy"]);
        assert!(logins(" ").is_empty());
    }
}
