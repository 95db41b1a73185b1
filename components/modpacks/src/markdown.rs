//! Markdown of authors as HTML that is safe in any page. No I/O in this file.
//!
//! The Markdown stays the source, and the HTML is made when a client asks for it. Only elements that the renderer makes
//! are in it: HTML in the Markdown is dropped, links lead only to web pages and mail addresses, and an image is replaced by
//! its description, because its server would see the readers.

use kit::web::escape_html;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Schemes that a link may have. Other links, and those without a scheme, are left out, and their text stays.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

pub fn to_html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    // The open links, and whether each of them is shown.
    let mut links = Vec::new();
    let events = Parser::new_ext(markdown, options).filter_map(|event| match event {
        Event::Html(_) | Event::InlineHtml(_) => None,
        Event::Start(Tag::HtmlBlock | Tag::Image { .. })
        | Event::End(TagEnd::HtmlBlock | TagEnd::Image) => None,
        Event::Start(Tag::Link { dest_url, .. }) => {
            let is_shown = is_safe(&dest_url);
            links.push(is_shown);
            is_shown.then(|| Event::InlineHtml(opening(&dest_url)))
        }
        Event::End(TagEnd::Link) => {
            let is_shown = links.pop().unwrap_or_default();
            is_shown.then_some(Event::InlineHtml(CowStr::Borrowed("</a>")))
        }
        event => Some(event),
    });
    let mut text = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut text, events);
    text
}

fn opening(address: &str) -> CowStr<'static> {
    let address = escape_html(address);
    format!("<a href=\"{address}\" rel=\"nofollow noopener noreferrer ugc\">").into()
}

/// Browsers skip control characters and blanks in an address, so an address that has any is refused.
fn is_safe(address: &str) -> bool {
    let scheme = address.split_once(':').map(|it| it.0.to_ascii_lowercase());
    scheme.is_some_and(|it| SCHEMES.contains(&it.as_str()))
        && !address
            .chars()
            .any(|it| it.is_control() || it.is_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markdown_of_authors_becomes_html() {
        let shown =
            to_html("# 1.2\n\n- **New** [map](https://example.org/a?b=1&c=2)\n- ~~old~~ `x < y`\n");
        assert_eq!(
            shown,
            "<h1>1.2</h1>\n<ul>\n<li><strong>New</strong> \
             <a href=\"https://example.org/a?b=1&amp;c=2\" rel=\"nofollow noopener noreferrer ugc\">map</a></li>\n\
             <li><del>old</del> <code>x &lt; y</code></li>\n</ul>\n"
        );
        let table = to_html("| a | b |\n|---|---|\n| 1 | 2 |\n");
        assert!(table.contains("<td>1</td>"), "{table}");
    }

    /// The tags of the HTML, up to their first blank, and every attribute.
    fn tags_and_attributes(html: &str) -> (Vec<String>, Vec<String>) {
        let (mut tags, mut attributes) = (Vec::new(), Vec::new());
        for tag in html.split('<').skip(1) {
            let tag = tag.split('>').next().unwrap();
            let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
            tags.push(name.trim_matches('/').to_ascii_lowercase());
            let mut quoted = rest.split('"');
            while let Some(name) = quoted.next() {
                let name = name.trim().trim_matches('/').trim();
                if !name.is_empty() {
                    let value = quoted.next().unwrap_or_default();
                    attributes.push(format!("{name}{}", value.to_ascii_lowercase()));
                }
            }
        }
        (tags, attributes)
    }

    const TAGS: [&str; 25] = [
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "em",
        "strong",
        "del",
        "a",
        "br",
        "hr",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    ];

    /// Nothing in it runs, loads or leads where it should not.
    fn is_harmless(html: &str) -> bool {
        let (tags, attributes) = tags_and_attributes(html);
        tags.iter().all(|it| TAGS.contains(&it.as_str()))
            && attributes.iter().all(|it| {
                let address = it.strip_prefix("href=");
                let is_link = address.is_some_and(|it| {
                    SCHEMES
                        .iter()
                        .any(|scheme| it.starts_with(&format!("{scheme}:")))
                });
                is_link
                    || ["rel=", "class=language-", "start=", "style=text-align: "]
                        .iter()
                        .any(|start| it.starts_with(start))
            })
    }

    #[test]
    fn hostile_markdown_becomes_harmless_html() {
        for hostile in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<svg/onload=alert(1)>",
            "<iframe src=https://example.org></iframe>",
            "<!-- --><script>x</script>",
            "<style>*{display:none}</style>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](java&#115;cript:alert(1))",
            "[x](java\tscript:alert(1))",
            "[x](<java\nscript:alert(1)>)",
            "[x](&#1;javascript:alert(1))",
            "[x](javascript&colon;alert(1))",
            "[x](vbscript:x)",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](file:///etc/passwd)",
            "[x](//example.org)",
            "[x](/relative)",
            "[x](#fragment)",
            "<javascript:alert(1)>",
            "[x]: javascript:alert(1)\n\n[x]",
            "![x](https://example.org/pixel.png)",
            "![x](javascript:alert(1))",
            "[![x](https://example.org/p.png)](javascript:alert(1))",
            "[x](https://example.org/\"onmouseover=\"alert(1))",
            "[x](https://example.org/'onmouseover='alert(1) \"><script>\")",
            "[x](https://example.org \"title\\\" onclick=\\\"alert(1)\")",
            "```\"><script>alert(1)</script>\nx\n```",
            "# x {#id onclick=alert(1)}",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "\\<script>alert(1)\\</script>",
        ] {
            let shown = to_html(hostile);
            assert!(is_harmless(&shown), "{hostile:?}: {shown}");
        }
        // The text of dropped elements stays.
        assert_eq!(
            to_html("[go](javascript:x) ![alt](https://example.org/p.png)"),
            "<p>go alt</p>\n"
        );
        // The check itself detects harmful HTML.
        for harmful in [
            "<script>",
            "<a href=\"javascript:x\">",
            "<a href=\"https:x\" onclick=\"x\">",
            "<p onclick=\"x\">",
        ] {
            assert!(!is_harmless(harmful), "{harmful}");
        }
    }

    #[test]
    fn a_text_of_the_greatest_length_is_shown_in_bounded_time_and_size() {
        for piece in [
            "> ", "- ", "[", "![", "**a", "<a", "`", "| a ", "[a](", "\n1. ", "&",
        ] {
            let text: String = piece.chars().cycle().take(20_000).collect();
            let begun = std::time::Instant::now();
            let shown = to_html(&text);
            assert!(begun.elapsed().as_secs() < 10, "{piece}");
            assert!(shown.len() < 100 * text.len(), "{piece}: {}", shown.len());
        }
    }

    proptest! {
        #[test]
        fn no_markdown_becomes_html_that_runs(
            markdown in "[-<>a-z\"'=/:()\\[\\]!#*_`&;\\\\ \n\t|~]{0,80}",
        ) {
            let shown = to_html(&markdown);
            prop_assert!(is_harmless(&shown), "{shown}");
        }
    }
}
