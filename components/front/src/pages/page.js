// The documentation: loads the description, lists its operations, filters them, follows links.

import { h, prose } from "./element.js";
import { callers, details } from "./operation.js";
import { useDescription } from "./schema.js";
import { wireAccount } from "./trial.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const byId = (id) => document.getElementById(id);

/** Every operation of the description, with what the filter looks for. */
function operationsOf(description) {
  return Object.entries(description.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => {
      const spec = item[method];
      const tag = spec.tags?.[0] ?? "Others";
      const texts = [method, path, spec.summary, spec.operationId, tag, spec["x-dialect"], spec["x-component"], callers(spec)];
      return { id: spec.operationId, method, path, tag, spec, text: texts.join(" ").toLowerCase() };
    }),
  );
}

/** The anchor of a group, as the home page makes it too. */
const anchor = (tag) => `group-${tag.toLowerCase().replace(/[^a-z0-9]/g, "-")}`;

const VIEWS = {
  recommended: ({ spec }) => !spec["x-instead"],
  plain: ({ spec }) => !spec["x-instead"] && !spec["x-dialect"],
  all: () => true,
};

function start(description) {
  useDescription(description);
  const operations = operationsOf(description);
  const groups = Map.groupBy(operations, (it) => it.tag);
  const byAddress = new Map(operations.map((it) => [`${it.method.toUpperCase()} ${it.path}`, it]));
  const linkTo = (address) => {
    const target = byAddress.get(address);
    return target ? h("a", { href: `#${target.id}` }, h("code", {}, address)) : h("code", {}, address);
  };

  const { info, tags = [] } = description;
  byId("loading").replaceWith(h("p", { class: "hint" }, `Version ${info.version}, ${operations.length} operations`), ...prose(info.description ?? ""));

  const sections = [...groups].sort(([one], [other]) => one.localeCompare(other)).map(([tag, members]) => {
    const about = tags.find((it) => it.name === tag)?.description;
    for (const it of members) it.row = row(it, linkTo);
    const section = h("section", { id: anchor(tag), class: "group", tabindex: "-1" }, h("h2", {}, tag), about && prose(about), members.map((it) => it.row));
    const count = h("span", { class: "count" });
    const link = h("a", { href: `#${anchor(tag)}` }, tag, count);
    return { members, section, count, entry: h("li", {}, link), link };
  });
  byId("operations").append(...sections.map((it) => it.section));
  byId("groups").append(...sections.map((it) => it.entry));

  const refresh = () => {
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const isInView = VIEWS[document.querySelector("#view input:checked").value];
    let found = 0;
    for (const { members, section, count, entry } of sections) {
      const matching = members.filter((it) => {
        const isShown = isInView(it) && words.every((word) => it.text.includes(word));
        it.row.hidden = !isShown;
        return isShown;
      });
      found += matching.length;
      count.textContent = matching.length;
      section.hidden = entry.hidden = matching.length === 0;
    }
    byId("introduction").hidden = words.length > 0;
    byId("found").textContent = found === 1 ? "1 operation" : found > 0 ? `${found} operations` : "Nothing matches. “All” shows old forms too.";
  };

  /** Opens the operation that the address names, and makes sure that it is shown. */
  const follow = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const operation = operations.find((it) => it.id === id);
    if (operation?.row.hidden || sections.some((it) => it.section.id === id && it.section.hidden)) {
      byId("filter").value = "";
      document.querySelector("#view input[value=all]").checked = true;
      refresh();
    }
    if (operation) open(operation.row, true);
    byId(id)?.scrollIntoView();
  };

  byId("filter").addEventListener("input", () => {
    refresh();
    scrollTo(0, 0);
  });
  byId("view").addEventListener("change", refresh);
  addEventListener("hashchange", follow);
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    byId("filter").focus();
  });
  refresh();
  follow();
  markCurrent(sections);
}

/** A line that opens to the details, which are made then. */
function row(operation, linkTo) {
  const { id, method, path, spec } = operation;
  const isOld = Boolean(spec["x-instead"]);
  const button = h(
    "button",
    { type: "button", "aria-expanded": "false" },
    h("span", { class: `method ${method}` }, method.toUpperCase()),
    h("span", { class: "path" }, breakable(path)),
    h("span", { class: "summary" }, spec.summary),
    isOld && h("span", { class: "mark" }, "old form"),
  );
  const article = h("article", { id, class: isOld ? "operation old" : "operation" }, h("h3", {}, button));
  article.make = () => details(operation, linkTo);
  button.addEventListener("click", () => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    open(article, !isOpen);
    if (!isOpen) history.replaceState(null, "", `#${id}`);
  });
  return article;
}

function open(article, isOpen) {
  article.querySelector("button").setAttribute("aria-expanded", isOpen);
  let content = article.querySelector(".details");
  if (!content && isOpen) {
    content = article.make();
    article.append(content);
  }
  if (content) content.hidden = !isOpen;
}

/** A long path may go on in the next line after a slash. */
function breakable(path) {
  return path.split(/(?<=\/)/).flatMap((it) => [it, h("wbr")]);
}

/** Marks the group that is being read. */
function markCurrent(sections) {
  const visible = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) visible[isIntersecting ? "add" : "delete"](target);
    const current = sections.find((it) => visible.has(it.section));
    for (const it of sections) {
      if (it === current) it.link.setAttribute("aria-current", "true");
      else it.link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-80px 0px -60% 0px" });
  for (const it of sections) observer.observe(it.section);
}

wireAccount();
try {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  start(await answer.json());
} catch (error) {
  byId("loading")?.remove();
  byId("introduction").append(h("p", { class: "bad", role: "alert" }, `The description could not be shown: ${error.message}. Reload the page to try again.`));
  throw error;
}
