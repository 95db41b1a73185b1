//! Packs, their versions and links for friends.

mod team;
mod versions;

use std::fmt;

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::identity::{FORBIDDEN, Role};
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use self::versions::Version;
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Listed, Part, given};
use crate::page::{again, form_page, go_to, page};
use crate::visitor::{Anyone, Client, Me, Visitor};
use crate::words::Moment;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/packs", search_packs, |it| it)
        .get("/packs/mine", list_mine, |it| it)
        .get("/packs/new", ask_new, |it| it)
        .post("/packs/new", make, |it| it)
        .get("/packs/{id}", show_pack, |it| it)
        .get("/packs/{id}/change", ask_change, |it| it)
        .post("/packs/{id}/change", change, |it| it)
        .post("/packs/{id}/delete", delete, |it| it)
        .and(team::routes())
        .and(versions::routes())
}

#[derive(Debug, Deserialize)]
struct Pack {
    id: i64,
    name: String,
    /// Markdown.
    description: String,
    /// The same as HTML of which modpacks promises that it is safe in any page; with `?html=true`.
    description_html: Option<String>,
    authors: Vec<String>,
    visibility: String,
    owner_id: Uuid,
    latest_id: Option<i64>,
    latest_name: Option<String>,
    latest_mc_version: Option<String>,
    updated_at: Moment,
}

impl Pack {
    fn is_private(&self) -> bool {
        self.visibility == "private"
    }
}

/// What a visitor may do with a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Level {
    Reader,
    /// Changes it and makes versions.
    Maintainer,
    /// Also decides who sees it, and deletes it.
    Owner,
}

#[derive(Debug, Deserialize)]
struct Maintainer {
    login: String,
}

async fn find_level(client: &Client, me: Option<&Me>, pack: &Pack) -> Result<Level, Error> {
    let Some(me) = me else {
        return Ok(Level::Reader);
    };
    if pack.owner_id == me.user_id || me.roles.any(&[Role::Moderator, Role::Admin]) {
        return Ok(Level::Owner);
    }
    // Others than the team read an empty list.
    let team = find_maintainers(client, pack.id).await?;
    match team.is_empty() {
        true => Ok(Level::Reader),
        false => Ok(Level::Maintainer),
    }
}

async fn find_maintainers(client: &Client, pack: i64) -> Result<Vec<Maintainer>, Error> {
    client
        .get("modpacks", &format!("/modpacks/{pack}/maintainers"))
        .await
}

async fn find_pack(client: &Client, id: i64) -> Result<Pack, Error> {
    client
        .get("modpacks", &format!("/modpacks/{id}?html=true"))
        .await
}

/// The pack for a page of its team. The functions refuse what others send.
async fn find_own(visitor: &Visitor, id: i64) -> Result<(Pack, Level), Problem> {
    let pack = find_pack(visitor, id).await?;
    let level = find_level(visitor, Some(&visitor.me), &pack).await?;
    match level {
        Level::Reader => Err(FORBIDDEN),
        _ => Ok((pack, level)),
    }
}

/// Bytes as people read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Size(i64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        match units.into_iter().find(|it| self.0 >> it.0 > 0) {
            None => write!(f, "{} B", self.0),
            Some((bits, unit)) => {
                let tenths = (i128::from(self.0) * 10) >> bits;
                write!(f, "{}.{} {unit}", tenths / 10, tenths % 10)
            }
        }
    }
}

#[derive(Deserialize, Schema)]
struct Asked {
    q: Option<String>,
    mc_version: Option<String>,
    loader: Option<String>,
}

impl Asked {
    fn filters(&self) -> [(&str, &str); 3] {
        given([
            ("q", &self.q),
            ("mc_version", &self.mc_version),
            ("loader", &self.loader),
        ])
    }
}

#[derive(Template)]
#[template(path = "packs/search.html")]
struct Search {
    asked: Asked,
    packs: Vec<Pack>,
    next: Option<String>,
    refusal: Option<String>,
    is_signed_in: bool,
}

impl Search {
    fn asks_for(&self, loader: &str) -> bool {
        self.asked.loader.as_deref() == Some(loader)
    }
}

async fn search_packs(
    anyone: Anyone,
    Query(asked): Query<Asked>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let search = part.query(asked.filters().into_iter().chain([LIMIT]));
    let found = anyone
        .list("modpacks", &format!("/modpacks?{search}"))
        .await;
    let (found, refusal) = match found {
        Ok(found) => (found, None),
        Err(refusal) => (Listed::EMPTY, Some(refusal.into_text()?)),
    };
    let content = Search {
        next: found.next.map(|it| it.query(asked.filters())),
        asked,
        packs: found.rows,
        refusal,
        is_signed_in: anyone.me.is_some(),
    };
    form_page(
        "Modpacks",
        anyone.me.as_ref(),
        &content,
        content.refusal.is_some(),
    )
}

#[derive(Debug, Deserialize)]
struct Usage {
    stored: Size,
    reserved: Size,
    quota: Size,
}

#[derive(Template)]
#[template(path = "packs/mine.html")]
struct Mine {
    packs: Vec<Pack>,
    next: Option<Part>,
    usage: Usage,
}

async fn list_mine(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let owner = visitor.me.user_id.to_string();
    let search = part.query([("owner_id", &*owner), LIMIT]);
    let found = visitor
        .list("modpacks", &format!("/modpacks?{search}"))
        .await?;
    let content = Mine {
        packs: found.rows,
        next: found.next,
        usage: visitor.get("modpacks", "/files/usage").await?,
    };
    page("Your packs", &visitor.me, &content)
}

#[derive(Template)]
#[template(path = "packs/new.html")]
struct NewPack {
    form: Fields,
    refusal: Option<String>,
}

async fn ask_new(visitor: Visitor) -> Result<Response, Problem> {
    let form = Fields::fresh().with("visibility", "private");
    let content = NewPack {
        form,
        refusal: None,
    };
    page("A new pack", &visitor.me, &content)
}

async fn make(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let body = about(&form);
    let made: Result<Pack, _> = visitor
        .send(
            Method::POST,
            "modpacks",
            "/modpacks",
            form.text("key"),
            &body,
        )
        .await;
    match made {
        Ok(pack) => Ok(go_to(&format!("/packs/{}", pack.id))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let content = NewPack {
                form: anew(&form, &ABOUT),
                refusal,
            };
            again("A new pack", &visitor.me, &content)
        }
    }
}

/// The fields of a pack.
const ABOUT: [&str; 4] = ["name", "description", "authors", "visibility"];

/// What was filled in, for another try, which is another request.
fn anew(form: &Fields, names: &[&str]) -> Fields {
    names.iter().fold(Fields::fresh(), |anew, name| {
        anew.with_some(name, form.optional(name))
    })
}

/// What a form says of a pack. Who does not decide who sees it has no such field.
fn about(form: &Fields) -> Value {
    let mut about = json!({
        "name": form.text("name"),
        "description": lines(form.text("description")),
        "authors": form.text("authors").lines().map(str::trim).filter(|it| !it.is_empty()).collect::<Vec<_>>(),
    });
    if let (Some(visibility), Some(about)) = (form.optional("visibility"), about.as_object_mut()) {
        about.insert("visibility".to_owned(), visibility.into());
    }
    about
}

/// A text as it was typed: browsers end each line with two characters.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[derive(Template)]
#[template(path = "packs/pack.html")]
struct PackPage {
    pack: Pack,
    is_team: bool,
    /// The visitor may do what its owner may, but is another.
    is_of_another: bool,
    versions: Vec<Version>,
    next: Option<Part>,
}

async fn show_pack(
    anyone: Anyone,
    Path(id): Path<i64>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let pack = find_pack(&anyone, id).await?;
    let level = find_level(&anyone, anyone.me.as_ref(), &pack).await?;
    let asked = part.query([("limit", "20")]);
    let versions = anyone
        .list("modpacks", &format!("/modpacks/{id}/versions?{asked}"))
        .await?;
    let content = PackPage {
        is_team: level > Level::Reader,
        is_of_another: level == Level::Owner
            && anyone
                .me
                .as_ref()
                .is_none_or(|it| it.user_id != pack.owner_id),
        versions: versions.rows,
        next: versions.next,
        pack,
    };
    page(&content.pack.name, anyone.me.as_ref(), &content)
}

#[derive(Template)]
#[template(path = "packs/change.html")]
struct Change {
    pack: Pack,
    is_owner: bool,
    form: Fields,
    refusal: Option<String>,
}

async fn ask_change(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    show_change(&visitor, id, None, None).await
}

async fn show_change(
    visitor: &Visitor,
    id: i64,
    form: Option<Fields>,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let (pack, level) = find_own(visitor, id).await?;
    let stored = || {
        Fields::default()
            .with("name", &pack.name)
            .with("description", &pack.description)
            .with("authors", pack.authors.join("\n"))
            .with("visibility", &pack.visibility)
    };
    let content = Change {
        form: form.unwrap_or_else(stored),
        is_owner: level == Level::Owner,
        pack,
        refusal,
    };
    let title = format!("Change {}", content.pack.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

async fn change(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let (path, body) = (format!("/modpacks/{id}"), about(&form));
    let changed = visitor
        .change(Method::PATCH, "modpacks", &path, &body)
        .await;
    match changed {
        Ok(()) => Ok(go_to(&format!("/packs/{id}"))),
        Err(refusal) => show_change(&visitor, id, Some(form), Some(refusal.into_text()?)).await,
    }
}

async fn delete(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let pack = find_pack(&visitor, id).await?;
    if form.text("name") != pack.name {
        let refusal = "Write the name of the pack as it is, to delete it.".to_owned();
        return show_change(&visitor, id, None, Some(refusal)).await;
    }
    let path = format!("/modpacks/{id}");
    match visitor.act(Method::DELETE, "modpacks", &path).await {
        Ok(()) => Ok(go_to("/packs/mine")),
        Err(refusal) => show_change(&visitor, id, None, Some(refusal.into_text()?)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_in_the_largest_unit_that_fits() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (i64::MAX, "8589934591.9 GiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    #[test]
    fn a_form_without_visibility_leaves_it() {
        let form = Fields::default()
            .with("name", "Sky")
            .with("description", "a\r\nb")
            .with("authors", "Ann B\r\n\r\n Cy ");
        let body = json!({ "name": "Sky", "description": "a\nb", "authors": ["Ann B", "Cy"] });
        assert_eq!(about(&form), body);
    }
}
