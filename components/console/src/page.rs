//! The frame of every page.

use askama::Template;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use kit::identity::Role;
use kit::web::Problem;

use crate::visitor::Me;

/// The path below which all pages are.
pub const PREFIX: &str = "/console";

/// A page runs nothing, is in no frame, and sends its forms to us alone. The referrer is sent to us, because a browser that
/// sends none does not name the origin of a form either.
const HEADERS: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

#[derive(Template)]
#[template(path = "frame.html")]
struct Frame<'a> {
    title: &'a str,
    me: Option<&'a Me>,
    sections: Vec<&'static Section>,
    content: String,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused<'a> {
    problem: &'a Problem,
}

/// A part of the console, as the menu and the first page name it.
pub struct Section {
    pub path: &'static str,
    pub name: &'static str,
    pub about: &'static str,
    /// Whom it is for; everybody when empty.
    roles: &'static [Role],
}

const SECTIONS: &[Section] = &[
    Section {
        path: "/console/parking",
        name: "Parking",
        about: "Find a place by city, name or time, and book it.",
        roles: &[],
    },
    Section {
        path: "/console/bookings",
        name: "Bookings",
        about: "What you booked: move its end, or cancel it.",
        roles: &[],
    },
    Section {
        path: "/console/places",
        name: "Places",
        about: "The parking places that you offer, their rules, and who booked them.",
        roles: &[Role::Owner, Role::Admin],
    },
    Section {
        path: "/console/wallet",
        name: "Wallet",
        about: "Your money: fill it, send it, take it out, and see where it went.",
        roles: &[],
    },
    Section {
        path: "/console/cars",
        name: "Cars and fines",
        about: "Your cars, parking tickets and fines: buy, extend, pay, appeal.",
        roles: &[],
    },
    Section {
        path: "/console/control",
        name: "Control",
        about: "Zones and their staff; check a plate, issue a fine, decide appeals.",
        roles: &[Role::Controller, Role::ZoneAdmin, Role::Admin],
    },
    Section {
        path: "/console/shops",
        name: "Shops",
        about: "Menus and your orders.",
        roles: &[],
    },
    Section {
        path: "/console/kitchen",
        name: "Kitchen",
        about: "For staff of a shop: orders to prepare and hand over, the menu.",
        roles: &[],
    },
    Section {
        path: "/console/packs",
        name: "Modpacks",
        about: "Packs, their versions and links for friends.",
        roles: &[],
    },
    Section {
        path: "/console/people",
        name: "People",
        about: "Accounts, their roles and sessions.",
        roles: &[Role::Admin],
    },
    Section {
        path: "/console/treasury",
        name: "Treasury",
        about: "Approvals, payouts, promo codes, and money that is stuck.",
        roles: &[Role::Admin],
    },
    Section {
        path: "/console/operations",
        name: "Operations",
        about: "Events that could not be delivered, and webhooks.",
        roles: &[Role::Admin],
    },
];

/// The parts that are for a visitor.
pub fn sections_for(me: Option<&Me>) -> Vec<&'static Section> {
    let Some(me) = me else {
        return Vec::new();
    };
    let is_for = |it: &&Section| it.roles.is_empty() || me.roles.any(it.roles);
    SECTIONS.iter().filter(is_for).collect()
}

/// A page with that content.
pub fn page<'a>(
    title: &str,
    me: impl Into<Option<&'a Me>>,
    content: &impl Template,
) -> Result<Response, Problem> {
    let me = me.into();
    let content = content.render().map_err(|it| Problem::internal(&it))?;
    let frame = Frame {
        title,
        me,
        sections: sections_for(me),
        content,
    };
    let html = frame.render().map_err(|it| Problem::internal(&it))?;
    Ok((HEADERS, Html(html)).into_response())
}

/// A form that was refused, as a page: 422, with what was filled in.
pub fn again<'a>(
    title: &str,
    me: impl Into<Option<&'a Me>>,
    content: &impl Template,
) -> Result<Response, Problem> {
    let page = page(title, me, content)?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// A page with a form, which may have been refused.
pub fn form_page<'a>(
    title: &str,
    me: impl Into<Option<&'a Me>>,
    content: &impl Template,
    is_refused: bool,
) -> Result<Response, Problem> {
    match is_refused {
        true => again(title, me, content),
        false => page(title, me, content),
    }
}

/// Leads from a form to the page that shows what it did.
pub fn go_to(path: &str) -> Response {
    Redirect::to(&format!("{PREFIX}{path}")).into_response()
}

/// The page of a refusal.
pub fn refused(problem: &Problem) -> Response {
    let content = Refused { problem }.render();
    let frame = Frame {
        title: problem.title(),
        me: None,
        sections: Vec::new(),
        content: content.unwrap_or_default(),
    };
    (HEADERS, Html(frame.render().unwrap_or_default())).into_response()
}
