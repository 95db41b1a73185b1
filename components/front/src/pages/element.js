// Makes elements. Text is always inserted as text, so nothing that comes from the description or an answer
// can become markup.

/** An element: attributes by name, `on…` members as listeners, children as nodes or text (others are left out). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((it) => it instanceof Node || typeof it === "string"));
  return element;
}

/** Paragraphs, lists, `code` and **strong** of a description. */
export function prose(text) {
  return text.trim().split(/\n{2,}/).map((block) => {
    const lines = block.split("\n");
    if (lines.every((it) => it.startsWith("- "))) {
      return h("ul", {}, lines.map((it) => h("li", {}, inline(it.slice(2)))));
    }
    return h("p", {}, inline(block.replaceAll("\n", " ")));
  });
}

/** The same within a line. */
export function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`") && part.length > 2) return h("code", {}, part.slice(1, -1));
    if (part.startsWith("**") && part.length > 4) return h("strong", {}, part.slice(2, -2));
    return part;
  });
}

/** A `<details>` whose content is made when it is first opened. */
export function lazily(summary, make, attributes = {}) {
  const details = h("details", attributes, h("summary", {}, summary));
  const fill = () => details.append(make());
  details.addEventListener("toggle", fill, { once: true });
  return details;
}
