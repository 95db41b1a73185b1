//! The home page: what this is and where to go, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use kit::web::{Schema, escape_html};
use serde::Serialize;

/// Where programs find the rest.
#[derive(Serialize, Schema)]
pub struct About {
    name: &'static str,
    version: &'static str,
    /// The page that shows every operation.
    documentation: &'static str,
    /// The API description, OpenAPI 3.1.
    openapi: &'static str,
    /// Answers 200 while the host serves.
    health: &'static str,
}

pub const ABOUT: About = About {
    name: "wharf",
    version: env!("CARGO_PKG_VERSION"),
    documentation: "/docs",
    openapi: "/openapi.json",
    health: "/.well-known/spin/health",
};

/// The home page as this build describes itself.
pub static PAGE: LazyLock<String> = LazyLock::new(|| {
    let groups = include_str!(concat!(env!("OUT_DIR"), "/groups.json"));
    page(&serde_json::from_str(groups).unwrap_or_default())
});

/// The home page with the number of operations of each group.
fn page(groups: &BTreeMap<String, u32>) -> String {
    let mut list = String::new();
    for (name, operations) in groups {
        let unit = if *operations == 1 {
            "operation"
        } else {
            "operations"
        };
        // Writing to a String does not fail.
        let _ = write!(
            list,
            "<li><a href=\"/docs#{}\"><b>{}</b> <span>{operations} {unit}</span></a></li>",
            anchor(name),
            escape_html(name),
        );
    }
    include_str!("pages/home.html")
        .replace("{version}", ABOUT.version)
        .replace("{groups}", &list)
}

/// The anchor of a group in the documentation, as `page.js` makes it too.
fn anchor(name: &str) -> String {
    let letters = name.chars().map(|it| match it {
        it if it.is_ascii_alphanumeric() => it.to_ascii_lowercase(),
        _ => '-',
    });
    "group-".chars().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups_are_escaped() {
        let groups = BTreeMap::from([("<script>\"A\" & 'b'".to_owned(), 1)]);
        let page = page(&groups);
        assert!(page.contains(
            "<a href=\"/docs#group--script--a-----b-\"><b>&lt;script&gt;&quot;A&quot; &amp; &#39;b&#39;</b> \
             <span>1 operation</span></a>"
        ));
    }

    #[test]
    fn the_page_lists_every_group_and_leaves_no_placeholder() {
        assert!(PAGE.contains("<b>Bookings</b> <span>2 operations</span>"));
        assert!(PAGE.contains("Parking &lt;places&gt; &amp; more"));
        assert!(PAGE.contains(ABOUT.version));
        assert!(!PAGE.contains('{'), "{}", *PAGE);
    }
}
