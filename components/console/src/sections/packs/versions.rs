//! Versions of a pack: what is in them, and how their team makes, changes, publishes and withdraws them.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Level, Pack, Size, anew, find_level, find_own, find_pack, lines};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{form_page, go_to};
use crate::visitor::{Anyone, Client, Me, Visitor};
use crate::words::Moment;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/packs/{id}/versions/new", ask_draft, |it| it)
        .post("/packs/{id}/versions/new", make_draft, |it| it)
        .get("/packs/{id}/versions/{version}", show_version, |it| it)
        .post("/packs/{id}/latest", follow_newest, |it| it)
        .post("/packs/{id}/versions/{version}/change", change, |it| it)
        .post("/packs/{id}/versions/{version}/publish", publish, |it| it)
        .post("/packs/{id}/versions/{version}/yank", yank, |it| it)
        .post("/packs/{id}/versions/{version}/latest", set_latest, |it| it)
        .post("/packs/{id}/versions/{version}/delete", delete, |it| it)
        .post("/packs/{id}/versions/{version}/files", add_file, |it| it)
        .post(
            "/packs/{id}/versions/{version}/files/{file}/delete",
            delete_file,
            |it| it,
        )
}

#[derive(Debug, Deserialize)]
pub(super) struct Version {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) channel: String,
    pub(super) mc_version: String,
    loader: Option<String>,
    loader_version: Option<String>,
    /// Markdown.
    changelog: String,
    /// The same as HTML of which modpacks promises that it is safe in any page; with `?html=true`.
    changelog_html: Option<String>,
    dependencies: Vec<Dependency>,
    pub(super) status: String,
    pub(super) file_count: i64,
    pub(super) total_size: Size,
    pub(super) published_at: Option<Moment>,
}

impl Version {
    fn is(&self, status: &str) -> bool {
        self.status == status
    }

    /// The state, as the buttons of the page call it.
    pub(super) fn state(&self) -> &str {
        match &*self.status {
            "yanked" => "withdrawn",
            status => status,
        }
    }

    pub(super) fn needs(&self) -> String {
        let part = |it: &Option<String>| it.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
        let (loader, version) = (part(&self.loader), part(&self.loader_version));
        match loader.is_empty() {
            true => self.mc_version.clone(),
            false => format!("{},{loader}{version}", self.mc_version),
        }
    }
}

/// A pack here, or a project of another platform.
#[derive(Debug, Deserialize)]
struct Dependency {
    kind: String,
    pack_id: Option<i64>,
    pack_name: Option<String>,
    version_id: Option<i64>,
    min_version_id: Option<i64>,
    max_version_id: Option<i64>,
    platform: Option<String>,
    project: Option<String>,
    version_range: Option<String>,
}

impl Dependency {
    /// Which of its versions fit.
    fn range(&self) -> String {
        let id = |word: &str, it: Option<i64>| it.map(|it| format!("{word} {it}"));
        let ends = [
            id("version", self.version_id),
            id("from version", self.min_version_id),
            id("to version", self.max_version_id),
            self.version_range.clone(),
        ];
        match ends.into_iter().flatten().collect::<Vec<_>>() {
            ends if ends.is_empty() => "any version".to_owned(),
            ends => ends.join(" "),
        }
    }
}

#[derive(Debug, Deserialize)]
struct File {
    id: i64,
    path: String,
    size: Size,
    status: String,
    failure: Option<String>,
    side: String,
    optional: bool,
    keep: bool,
    restricted: bool,
    sha256: Option<String>,
    /// Where another server has the bytes.
    source: Option<String>,
}

impl File {
    fn is_ready(&self) -> bool {
        self.status == "ready"
    }

    fn about(&self) -> String {
        let facts = [
            (self.optional, "optional"),
            (self.keep, "the player's own copy stays"),
            (self.restricted, "restricted"),
            (self.source.is_some(), "from another server"),
        ];
        let facts = facts.into_iter().filter(|it| it.0).map(|it| it.1);
        facts.collect::<Vec<_>>().join(", ")
    }
}

/// Files of a page. A version has up to 10000.
const FILES: usize = 200;

#[derive(Template)]
#[template(path = "packs/version.html")]
struct VersionPage {
    pack: Pack,
    version: Version,
    files: Vec<File>,
    /// How many files come before and in all, and where the list goes on.
    first: usize,
    count: usize,
    next: Option<usize>,
    is_team: bool,
    form: Fields,
    refusal: Option<String>,
}

impl VersionPage {
    fn path(&self) -> String {
        format!(
            "/console/packs/{}/versions/{}",
            self.pack.id, self.version.id
        )
    }

    /// Where programs find the version.
    fn address(&self) -> String {
        format!("/modpacks/{}/versions/{}", self.pack.id, self.version.id)
    }

    fn is_latest(&self) -> bool {
        self.pack.latest_id == Some(self.version.id)
    }

    fn is_draft(&self) -> bool {
        self.version.is("draft")
    }
}

async fn show_version(
    anyone: Anyone,
    Path(at): Path<(i64, i64)>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let offset = part.offset.and_then(|it| it.parse().ok());
    show(
        &anyone,
        anyone.me.as_ref(),
        at,
        offset.unwrap_or_default(),
        None,
        None,
    )
    .await
}

async fn show(
    client: &Client,
    me: Option<&Me>,
    (id, version): (i64, i64),
    first: usize,
    form: Option<Fields>,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let pack = find_pack(client, id).await?;
    let level = find_level(client, me, &pack).await?;
    let version = find_version(client, id, version).await?;
    let path = format!("/modpacks/{id}/versions/{}/files", version.id);
    let files: Vec<File> = client.get("modpacks", &path).await?;
    let count = files.len();
    let after = first.saturating_add(FILES);
    let content = VersionPage {
        form: form.unwrap_or_else(|| stored(&version)),
        files: files.into_iter().skip(first).take(FILES).collect(),
        first,
        count,
        next: Some(after).filter(|it| *it < count),
        is_team: level > Level::Reader,
        pack,
        version,
        refusal,
    };
    let title = format!("{} {}", content.pack.name, content.version.name);
    form_page(&title, me, &content, content.refusal.is_some())
}

async fn find_version(client: &Client, pack: i64, id: i64) -> Result<Version, Error> {
    client
        .get(
            "modpacks",
            &format!("/modpacks/{pack}/versions/{id}?html=true"),
        )
        .await
}

/// A form that holds what a version is.
fn stored(version: &Version) -> Fields {
    Fields::fresh()
        .with("name", &version.name)
        .with("channel", &version.channel)
        .with("mc_version", &version.mc_version)
        .with_some("loader", version.loader.as_ref())
        .with_some("loader_version", version.loader_version.as_ref())
        .with("changelog", &version.changelog)
}

const ABOUT: [&str; 7] = [
    "name",
    "channel",
    "mc_version",
    "loader",
    "loader_version",
    "changelog",
    "based_on",
];

#[derive(Template)]
#[template(path = "packs/draft.html")]
struct Draft {
    pack: Pack,
    /// The name of the version whose files the draft begins with.
    based_on: Option<String>,
    form: Fields,
    refusal: Option<String>,
}

/// A draft begins with what the latest version has, if there is one.
async fn ask_draft(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let (pack, _) = find_own(&visitor, id).await?;
    let form = match pack.latest_id {
        None => Fields::fresh().with("channel", "release"),
        Some(latest) => {
            let latest = find_version(&visitor, id, latest).await?;
            anew(
                &stored(&latest),
                &["channel", "mc_version", "loader", "loader_version"],
            )
            .with("based_on", latest.id)
        }
    };
    show_draft(&visitor, pack, form, None).await
}

async fn show_draft(
    visitor: &Visitor,
    pack: Pack,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let based_on = form.number("based_on").unwrap_or_default();
    let based_on = match based_on {
        Some(version) => Some(find_version(visitor, pack.id, version).await?.name),
        None => None,
    };
    let content = Draft {
        pack,
        based_on,
        form,
        refusal,
    };
    let title = format!("A new version of {}", content.pack.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

async fn make_draft(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    match send_draft(&visitor, id, &form).await {
        Ok(version) => Ok(go_to(&format!("/packs/{id}/versions/{version}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let (pack, _) = find_own(&visitor, id).await?;
            show_draft(&visitor, pack, anew(&form, &ABOUT), refusal).await
        }
    }
}

async fn send_draft(visitor: &Visitor, pack: i64, form: &Fields) -> Result<i64, Error> {
    let mut body = about(form);
    if let (Some(version), Some(body)) = (form.number("based_on")?, body.as_object_mut()) {
        body.insert("based_on".to_owned(), version.into());
    }
    let (path, key) = (format!("/modpacks/{pack}/versions"), form.text("key"));
    let made: Version = visitor
        .send(Method::POST, "modpacks", &path, key, &body)
        .await?;
    Ok(made.id)
}

fn about(form: &Fields) -> Value {
    json!({
        "name": form.text("name"),
        "channel": form.optional("channel").unwrap_or("release"),
        "mc_version": form.text("mc_version"),
        "loader": form.optional("loader"),
        "loader_version": form.optional("loader_version"),
        "changelog": lines(form.text("changelog")),
    })
}

async fn change(
    visitor: Visitor,
    Path((id, version)): Path<(i64, i64)>,
    form: Fields,
) -> Result<Response, Problem> {
    let path = format!("/modpacks/{id}/versions/{version}");
    let changed = visitor
        .change(Method::PATCH, "modpacks", &path, &about(&form))
        .await;
    done(&visitor, (id, version), Some(form), changed).await
}

async fn publish(visitor: Visitor, Path(at): Path<(i64, i64)>) -> Result<Response, Problem> {
    act(&visitor, at, "publish").await
}

async fn yank(visitor: Visitor, Path(at): Path<(i64, i64)>) -> Result<Response, Problem> {
    act(&visitor, at, "yank").await
}

async fn act(visitor: &Visitor, at: (i64, i64), verb: &str) -> Result<Response, Problem> {
    let path = format!("/modpacks/{}/versions/{}/{verb}", at.0, at.1);
    let acted = visitor.act(Method::POST, "modpacks", &path).await;
    done(visitor, at, None, acted).await
}

async fn set_latest(visitor: Visitor, Path(at): Path<(i64, i64)>) -> Result<Response, Problem> {
    let (path, body) = (
        format!("/modpacks/{}/latest", at.0),
        json!({ "version_id": at.1 }),
    );
    let set = visitor.change(Method::PUT, "modpacks", &path, &body).await;
    done(&visitor, at, None, set).await
}

/// Undoes that a version was made the latest.
async fn follow_newest(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let path = format!("/modpacks/{id}/latest");
    visitor
        .change(Method::PUT, "modpacks", &path, &json!({}))
        .await?;
    Ok(go_to(&format!("/packs/{id}")))
}

async fn delete(visitor: Visitor, Path(at): Path<(i64, i64)>) -> Result<Response, Problem> {
    let path = format!("/modpacks/{}/versions/{}", at.0, at.1);
    match visitor.act(Method::DELETE, "modpacks", &path).await {
        Ok(()) => Ok(go_to(&format!("/packs/{}", at.0))),
        Err(refusal) => done(&visitor, at, None, Err(refusal)).await,
    }
}

async fn add_file(
    visitor: Visitor,
    Path(at): Path<(i64, i64)>,
    form: Fields,
) -> Result<Response, Problem> {
    let added = send_file(&visitor, at, &form).await;
    let filled = match &added {
        Ok(()) => None,
        // What the version is stands in the other form of the page.
        Err(_) => Some(with_file(
            stored(&find_version(&visitor, at.0, at.1).await?),
            &form,
        )),
    };
    done(&visitor, at, filled, added).await
}

fn with_file(stored: Fields, form: &Fields) -> Fields {
    ["file_id", "path", "side"]
        .iter()
        .fold(stored, |stored, name| {
            stored.with_some(name, form.optional(name))
        })
}

async fn send_file(visitor: &Visitor, at: (i64, i64), form: &Fields) -> Result<(), Error> {
    let body = json!({
        "file_id": form.number("file_id")?,
        "path": form.text("path"),
        "side": form.optional("side"),
    });
    let path = format!("/modpacks/{}/versions/{}/files", at.0, at.1);
    visitor.change(Method::PUT, "modpacks", &path, &body).await
}

async fn delete_file(
    visitor: Visitor,
    Path((id, version, file)): Path<(i64, i64, i64)>,
) -> Result<Response, Problem> {
    let path = format!("/files/{file}");
    let deleted = visitor.act(Method::DELETE, "modpacks", &path).await;
    done(&visitor, (id, version), None, deleted).await
}

async fn done(
    visitor: &Visitor,
    at: (i64, i64),
    form: Option<Fields>,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/packs/{}/versions/{}", at.0, at.1))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(visitor, Some(&visitor.me), at, 0, form, refusal).await
        }
    }
}
