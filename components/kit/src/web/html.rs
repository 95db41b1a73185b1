//! Text in pages.

/// The text as HTML shows it, in elements and in quoted attributes.
pub fn escape_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            it => html.push(it),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let escaped = "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;";
        assert_eq!(escape_html("<b a=\"1\" c='2'>&"), escaped);
    }
}
