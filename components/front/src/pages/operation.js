// The details of one operation: who may call it, what it takes, what it answers.

import { h, inline, lazily, prose } from "./element.js";
import { exampleOf, memberView, resolve, schemaView } from "./schema.js";
import { trial } from "./trial.js";

/** What the description says in words and the page says by other means. */
const SAID_ELSEWHERE = ["Needs one of the roles:", "Answers as the clients of", "Another spelling of"];

export function details(operation, linkTo) {
  const { spec } = operation;
  const notes = (spec.description ?? "")
    .split(/\n{2,}/)
    .filter((it) => it && !SAID_ELSEWHERE.some((start) => it.startsWith(start)));
  return h(
    "div",
    { class: "details" },
    h(
      "div",
      { class: "reading" },
      notes.length > 0 && h("div", { class: "notes" }, prose(notes.join("\n\n"))),
      facts(operation, linkTo),
      parameters(spec),
      body(spec),
      answers(spec),
      refusals(spec),
    ),
    trial(operation),
  );
}

function facts({ id, spec }, linkTo) {
  const lines = [["Callers", callers(spec)]];
  if (spec["x-dialect"]) lines.push(["Dialect", `as clients of the ${spec["x-dialect"]} system expect`]);
  if (spec["x-instead"]) lines.push(["New clients use", linkTo(spec["x-instead"])]);
  if (spec["x-component"]) lines.push(["Function", h("code", {}, spec["x-component"])]);
  lines.push(["Name", h("a", { href: `#${id}` }, h("code", {}, id))]);
  return h("dl", { class: "facts" }, lines.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/** Who may call it, in a few words. */
export function callers(spec) {
  const ways = (spec.security ?? []).map((it) => Object.keys(it));
  if (ways.length === 0) return "everyone";
  if (spec["x-roles"]) return `signed in as ${spec["x-roles"].join(" or ")}`;
  if (ways.some((it) => it.length === 0)) return "everyone; signed-in callers see more";
  if (ways.some((it) => it.includes("secret"))) return "holders of a configured secret";
  return "signed in";
}

function parameters(spec) {
  const list = (spec.parameters ?? []).map(resolve);
  return list.length > 0 && part(
    "Parameters",
    h("dl", { class: "schema" }, list.map((it) => {
      const schema = it.description ? { ...resolve(it.schema), description: it.description } : it.schema;
      return memberView(it.name, schema, it.required, it.in);
    })),
  );
}

function body(spec) {
  const content = Object.entries(resolve(spec.requestBody).content ?? {});
  return content.map(([mediaType, { schema }]) =>
    part("Body", h("p", { class: "hint" }, mediaType), schema !== undefined && schemaView(schema)),
  );
}

/** The answers that are no refusals. */
function answers(spec) {
  const list = Object.entries(spec.responses ?? {})
    .map(([status, answer]) => [status, resolve(answer)])
    .filter(([status]) => /^[123]/.test(status));
  return list.length > 0 && part("Answers", list.map(([status, answer]) => {
    const content = Object.entries(answer.content ?? {});
    const headers = Object.entries(answer.headers ?? {});
    return h(
      "div",
      { class: "answer" },
      h("p", {}, h("b", { class: "status good" }, status), ` ${answer.description} `, h("span", { class: "hint" }, content.map((it) => it[0]).join(", "))),
      content.filter(([, it]) => it.schema !== undefined).map(([, { schema }]) => [
        schemaView(schema),
        lazily("Example", () => h("pre", { tabindex: 0 }, JSON.stringify(exampleOf(schema), null, 2))),
      ]),
      headers.length > 0 && lazily(`Headers: ${headers.map(([name]) => name).join(", ")}`, () => h("dl", { class: "schema" }, headers.map(([name, it]) => memberView(name, { ...resolve(it.schema), description: it.description })))),
    );
  }));
}

/** Every refusal as status, code and title. A description lists them as "- `code`: title". */
function refusals(spec) {
  const rows = Object.entries(spec.responses ?? {})
    .filter(([status]) => /^[45]/.test(status))
    .flatMap(([status, answer]) => {
      const titles = new Map([...resolve(answer).description.matchAll(/^- `([^`]+)`: (.*)$/gm)].map((it) => [it[1], it[2]]));
      const codes = resolve(answer)["x-codes"] ?? [...titles.keys()];
      return codes.map((code) => [status, code, titles.get(code) ?? ""]);
    });
  const others = spec.responses?.default && resolve(spec.responses.default).description;
  if (rows.length === 0 && !others) return [];
  return part(
    "Refusals",
    rows.length > 0 && h("ul", { class: "refusals" }, rows.map(([status, code, title]) => h("li", {}, h("b", { class: "status bad" }, status), h("code", {}, code), h("span", {}, inline(title))))),
    others && h("p", { class: "hint" }, inline(others)),
  );
}

function part(title, ...children) {
  return h("section", {}, h("h4", {}, title), children);
}
