// Tries operations out: signs in, sends requests to this origin, shows what came back.

import { h } from "./element.js";
import { UNKNOWN, exampleOf, resolve, typeOf } from "./schema.js";

/** The token of this tab. It is never stored. */
let token;

/** Wires the box that signs in. */
export function wireAccount() {
  const box = document.getElementById("account");
  const status = document.getElementById("account-status");
  const signOut = document.getElementById("sign-out");
  const forms = [document.getElementById("sign-in"), document.getElementById("paste")];
  const become = (name, newToken) => {
    token = newToken;
    document.getElementById("caller").textContent = token ? name : "Sign in";
    status.textContent = token ? `Requests carry the token of ${name}.` : "";
    signOut.hidden = !token;
    for (const form of forms) {
      form.hidden = Boolean(token);
      form.reset();
    }
    if (box.open) box.querySelector("summary").focus();
    box.open = false;
  };
  const [signIn, paste] = forms;
  signIn.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { login, password, code } = Object.fromEntries(new FormData(signIn));
    const button = signIn.querySelector("button");
    button.disabled = true;
    status.textContent = "Signing in …";
    try {
      const answer = await fetch("/auth/login", {
        method: "POST",
        credentials: "omit",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(code ? { login, password, code } : { login, password }),
      });
      const body = await answer.json();
      if (answer.ok && body.token) become(login, body.token);
      else status.textContent = body.detail ?? body.title ?? `Refused with ${answer.status}`;
    } catch (error) {
      status.textContent = `No answer: ${error.message}`;
    } finally {
      button.disabled = false;
    }
  });
  paste.addEventListener("submit", (event) => {
    event.preventDefault();
    become("a pasted token", new FormData(paste).get("token").trim());
  });
  signOut.addEventListener("click", () => become("", undefined));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.open) return;
    box.open = false;
    box.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    if (!box.contains(event.target)) box.open = false;
  });
}

/** The form of one operation. */
export function trial({ id, method, path, spec }) {
  const parameters = (spec.parameters ?? []).map(resolve);
  const accepted = Object.keys(resolve(spec.responses?.[200]).content ?? {});
  const fields = parameters.map((it) => field(id, it.name === "Accept" ? { ...it, schema: { ...it.schema, examples: accepted } } : it));
  const [mediaType, media] = Object.entries(resolve(spec.requestBody).content ?? {})[0] ?? [];
  const text = mediaType && h("textarea", { id: `${id}-body`, spellcheck: "false", rows: "2" });
  if (text) {
    text.value = bodyText(mediaType, media.schema);
    text.rows = Math.min(18, text.value.split("\n").length + 1);
  }
  const output = h("div", { class: "output", role: "status" });
  const send = h("button", { class: "button primary" }, "Send");
  const collect = () => requestOf({ method, path, spec, mediaType }, fields, text?.value);
  const copy = h("button", { class: "button", type: "button", onclick: async () => {
    await navigator.clipboard.writeText(curl(collect()));
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy as curl"), 1500);
  } }, "Copy as curl");
  let asked = new AbortController();
  const submit = async (event) => {
    event.preventDefault();
    // Ends a stream of events.
    asked.abort();
    asked = new AbortController();
    send.disabled = true;
    output.replaceChildren(await ask(collect(), asked.signal));
    send.disabled = false;
  };
  return h(
    "form",
    { class: "trial", "aria-label": `Try ${spec.summary}`, onsubmit: submit },
    h("h4", {}, "Try it"),
    fields.map((it) => it.row),
    text && h("div", { class: "field" }, h("label", { for: text.id }, "Body ", h("small", {}, mediaType)), text),
    h("p", { class: "actions" }, send, navigator.clipboard && copy),
    output,
  );
}

/** An input for a parameter. Required ones are filled in from their examples, others show them. */
function field(id, parameter) {
  const schema = resolve(parameter.schema);
  const inputId = `${id}-${parameter.in}-${parameter.name}`;
  const example = exampleOf(parameter.schema);
  const shown = example === null || example === UNKNOWN ? "" : typeof example === "object" ? JSON.stringify(example) : String(example);
  const choices = schema.enum ?? (schema.type === "boolean" ? [true, false] : undefined);
  const attributes = { id: inputId, required: parameter.required, autocomplete: "off", spellcheck: "false" };
  const input = choices
    ? h("select", attributes, !parameter.required && h("option", { value: "" }, "–"), choices.map((it) => h("option", {}, String(it))))
    : h("input", { ...attributes, placeholder: shown });
  if (parameter.required && !choices) input.value = shown;
  const row = h(
    "div",
    { class: "field" },
    h("label", { for: inputId }, parameter.name, " ", h("small", {}, `${parameter.in}, ${typeOf(parameter.schema)}`), parameter.required && h("span", { class: "required" }, "required")),
    input,
  );
  return { parameter, input, row };
}

function bodyText(mediaType, schema) {
  if (schema === undefined) return "";
  const example = exampleOf(schema);
  switch (mediaType) {
    case "application/json":
      return JSON.stringify(example, null, 2);
    case "application/x-ndjson":
      return `${JSON.stringify(example)}\n`;
    case "application/x-www-form-urlencoded":
      return new URLSearchParams(Object.entries(example ?? {}).filter((it) => it[1] !== null)).toString();
    default:
      return example === UNKNOWN ? "" : String(example);
  }
}

/** The request as the form says it. */
function requestOf({ method, path, spec, mediaType }, fields, body) {
  const query = new URLSearchParams();
  const headers = {};
  let target = path;
  for (const { parameter, input } of fields) {
    const value = input.value;
    if (parameter.in === "path") target = target.replace(new RegExp(`\\{\\*?${parameter.name}\\}`), encodeURIComponent(value));
    else if (value === "") continue;
    else if (parameter.in === "query") query.append(parameter.name, value);
    else if (parameter.in === "header") headers[parameter.name] = value;
  }
  if (query.size > 0) target += `?${query}`;
  if (body) headers["Content-Type"] = mediaType;
  const takesToken = (spec.security ?? []).some((it) => Object.keys(it).length > 0);
  if (token && takesToken) headers.Authorization = `Bearer ${token}`;
  return { method: method.toUpperCase(), target, headers, body: body || undefined };
}

/** Sends it. The cookie stays away where a token goes along: two of them would be refused. */
async function ask({ method, target, headers, body }, signal) {
  const started = performance.now();
  try {
    const answer = await fetch(target, {
      method,
      headers,
      body,
      signal,
      cache: "no-store",
      credentials: headers.Authorization ? "omit" : "same-origin",
      redirect: "manual",
    });
    if (answer.type === "opaqueredirect") return redirected(method, target, headers);
    const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream");
    const content = isStream ? undefined : await answer.blob();
    const took = Math.round(performance.now() - started);
    return h(
      "div",
      {},
      h("p", { class: "line" }, h("b", { class: `status ${answer.ok ? "good" : "bad"}` }, `${answer.status} ${answer.statusText}`), h("span", { class: "hint" }, `${took} ms, ${content ? size(content.size) : "a stream of events"}`)),
      h("p", { class: "line" }, h("code", {}, `${method} ${target}`)),
      content ? await shown(answer, content, target) : streamed(answer),
      h("details", {}, h("summary", {}, "Headers"), h("pre", { tabindex: 0 }, [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n"))),
    );
  } catch (error) {
    return h("p", { class: "bad" }, `No answer: ${error.message}`);
  }
}

/** A page is not told where a redirect leads, and could not read from S3 what is there. */
function redirected(method, target, headers) {
  const canFollow = method === "GET" && !headers.Authorization;
  return h(
    "div",
    {},
    h("p", { class: "line" }, h("b", { class: "status good" }, "A redirect"), canFollow && h("a", { href: target, target: "_blank" }, "Follow it")),
    h("p", { class: "line" }, h("code", {}, `${method} ${target}`)),
    h("p", { class: "hint" }, "Browsers do not tell a page where it leads; curl shows the header Location."),
  );
}

/** The events of a stream, as they arrive. */
function streamed(answer) {
  const output = h("pre", { tabindex: 0, "aria-label": "Body" });
  const read = async () => {
    try {
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part; !(part = await reader.read()).done; ) output.append(part.value);
      output.append("… the stream has ended");
    } catch (error) {
      output.append(`… the stream broke: ${error.message}`);
    }
  };
  read();
  return output;
}

/** More than this is not laid out. */
const SHOWN_CHARACTERS = 100_000;

async function shown(answer, content, target) {
  const type = answer.headers.get("content-type") ?? "";
  if (content.size === 0) return h("p", { class: "hint" }, "No body");
  if (type.startsWith("image/")) return h("img", { src: URL.createObjectURL(content), alt: "The image that was answered" });
  if (/zip|octet-stream/.test(type)) {
    const name = target.split("?")[0].split("/").at(-1);
    return h("p", {}, h("a", { href: URL.createObjectURL(content), download: name }, `Save ${name}`));
  }
  let text = await content.text();
  if (type.includes("json")) {
    try {
      text = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // It is shown as it came.
    }
  }
  const rest = text.length - SHOWN_CHARACTERS;
  const cut = rest > 0 ? `${text.slice(0, SHOWN_CHARACTERS)}\n… and ${rest} characters more` : text;
  return h("pre", { tabindex: 0, "aria-label": "Body" }, cut);
}

const size = (bytes) => (bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KiB`);

/** The request as a command; the token is left to the shell's `TOKEN`. */
function curl({ method, target, headers, body }) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = [`curl -i -X ${method} ${quoted(location.origin + target)}`];
  for (const [name, value] of Object.entries(headers)) {
    lines.push(name === "Authorization" ? `-H "Authorization: Bearer $TOKEN"` : `-H ${quoted(`${name}: ${value}`)}`);
  }
  if (body) lines.push(`--data-raw ${quoted(body)}`);
  return lines.join(" \\\n  ");
}
