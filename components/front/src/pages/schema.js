// JSON Schema as people read it: the type in words, the members of an object, an example.

import { h, inline, lazily } from "./element.js";

let description;

/** Every `$ref` is resolved in this description. */
export function useDescription(loaded) {
  description = loaded;
}

/** What a `$ref` leads to, with the members that stand beside it. */
export function resolve(node) {
  for (let steps = 0; node?.$ref && steps < 16; steps++) {
    const { $ref, ...beside } = node;
    const target = $ref
      .split("/")
      .slice(1)
      .map((it) => it.replaceAll("~1", "/").replaceAll("~0", "~"))
      .reduce((it, name) => it?.[name], description);
    node = { ...target, ...beside };
  }
  return node ?? {};
}

const isNull = (schema) => schema?.type === "null";
const kinds = (schema) => [schema.type ?? []].flat();
const alternatives = (schema) => schema.anyOf ?? schema.oneOf;

/** One schema for an object that several parts describe (`allOf`). */
function merged(node) {
  const schema = resolve(node);
  if (!schema.allOf) return schema;
  const parts = schema.allOf.map(merged);
  return {
    ...Object.assign({}, ...parts),
    ...schema,
    properties: Object.assign({}, ...parts.map((it) => it.properties), schema.properties),
    required: [...parts.flatMap((it) => it.required ?? []), ...(schema.required ?? [])],
    allOf: undefined,
  };
}

/** "array of string", "integer or null". */
export function typeOf(node) {
  if (node === true || node === undefined) return "any value";
  const schema = merged(node);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (alternatives(schema)) return [...new Set(alternatives(schema).map(typeOf))].join(" or ");
  const names = kinds(schema).map((kind) => {
    if (kind === "array") return schema.items ? `array of ${typeOf(schema.items)}` : "array";
    if (kind === "object" && typeof schema.additionalProperties === "object" && !schema.properties) {
      return `map of ${typeOf(schema.additionalProperties)}`;
    }
    if (kind === "string" && schema.format) return schema.format;
    return kind;
  });
  if (names.length) return names.join(" or ");
  return schema.properties ? "object" : schema.enum ? "string" : "any value";
}

/** The rules that a value keeps to: "1 to 100", "one of …". */
function rulesOf(schema) {
  const range = (low, high, unit) => {
    if (low !== undefined && high !== undefined) return low === high ? `${low}${unit}` : `${low} to ${high}${unit}`;
    if (low !== undefined) return `at least ${low}${unit}`;
    return high === undefined ? undefined : `at most ${high}${unit}`;
  };
  const above = schema.exclusiveMinimum;
  const below = schema.exclusiveMaximum;
  return [
    range(schema.minimum, schema.maximum, ""),
    above !== undefined && `above ${above}`,
    below !== undefined && `below ${below}`,
    range(schema.minLength, schema.maxLength, " characters"),
    range(schema.minItems, schema.maxItems, " items"),
    schema.pattern && `matches \`${schema.pattern}\``,
    schema.enum && `one of ${schema.enum.map((it) => `\`${it ?? "null"}\``).join(", ")}`,
    schema.default !== undefined && schema.default !== null && `\`${JSON.stringify(schema.default)}\` unless given`,
  ].filter(Boolean);
}

/** The one alternative beside null, or the schema itself. */
function present(node) {
  const schema = merged(node);
  const others = alternatives(schema)?.filter((it) => !isNull(resolve(it)));
  return others?.length === 1 ? { ...merged(others[0]), ...schema, anyOf: undefined, oneOf: undefined } : schema;
}

/** What a value says beside its type: description, rules, first example. */
export function remarks(node) {
  if (typeof node !== "object") return [];
  const schema = present(node);
  const item = schema.items ? present(schema.items) : {};
  const example = schema.examples?.[0] ?? schema.example;
  return [
    schema.description && h("p", {}, inline(schema.description.replaceAll("\n", " "))),
    [...rulesOf(schema), ...rulesOf(item).map((it) => `each ${it}`)].map((it) => h("p", { class: "rule" }, inline(it))),
    example !== undefined && example !== null && h("p", { class: "rule" }, "for example ", h("code", {}, JSON.stringify(example))),
  ].flat().filter(Boolean);
}

/** Schemas may contain themselves: nothing is followed deeper than this. */
const MAX_DEPTH = 8;

/** The schema whose members are worth showing: of an object, or of the items of an array. */
function structureOf(node, depth = 0) {
  if (typeof node !== "object" || depth > MAX_DEPTH) return undefined;
  const schema = present(node);
  if (Object.keys(schema.properties ?? {}).length) return schema;
  if (alternatives(schema)?.some((it) => structureOf(it, depth + 1))) return schema;
  return structureOf(schema.items, depth + 1) ?? structureOf(schema.additionalProperties, depth + 1);
}

/** A schema as a list of its members; objects within are opened on demand. */
export function schemaView(node) {
  const schema = structureOf(node);
  if (!schema) return h("div", { class: "schema" }, h("p", {}, h("span", { class: "type" }, typeOf(node))), remarks(node));
  if (!Object.keys(schema.properties ?? {}).length) {
    const ways = alternatives(schema).filter((it) => !isNull(resolve(it)));
    return h("div", { class: "schema" }, ways.map((it, at) => [at > 0 && h("p", { class: "hint" }, "or"), schemaView(it)].filter(Boolean)));
  }
  const whole = typeOf(node);
  return h(
    "div",
    { class: "schema" },
    whole !== "object" && h("p", {}, h("span", { class: "type" }, whole)),
    schema.description && h("p", { class: "hint" }, inline(schema.description.replaceAll("\n", " "))),
    h("dl", {}, Object.entries(schema.properties).map(([name, member]) => memberView(name, member, schema.required?.includes(name)))),
  );
}

/** One member or parameter: name, type, remarks. */
export function memberView(name, node, isRequired, place) {
  const inner = structureOf(node);
  return [
    h(
      "dt",
      {},
      h("code", {}, name),
      h("span", { class: "type" }, typeOf(node)),
      place && h("span", { class: "place" }, place),
      isRequired && h("span", { class: "required" }, "required"),
    ),
    h("dd", {}, remarks(node), inner && lazily("Members", () => schemaView(inner))),
  ];
}

const PATTERNS = {
  uuid: () => "0199f0a0-0000-7000-8000-000000000001",
  email: () => "ana@example.com",
  uri: () => "https://example.com/",
  date: () => hour(24).slice(0, 10),
  "date-time": () => hour(24),
};

/** A full hour that many hours ahead. */
function hour(ahead) {
  const moment = new Date(Date.now() + ahead * 3_600_000);
  moment.setUTCMinutes(0, 0, 0);
  return moment.toISOString().replace(".000", "");
}

/** What an example says for a text of which nothing is known. */
export const UNKNOWN = "text";

/** A value that keeps to the schema, from its examples where it has any. */
export function exampleOf(node, depth = 0) {
  if (typeof node !== "object" || depth > MAX_DEPTH) return null;
  const schema = present(node);
  const given = schema.examples?.[0] ?? schema.example ?? schema.const ?? schema.default ?? schema.enum?.[0];
  if (given !== undefined && given !== null) return given;
  if (alternatives(schema)) return exampleOf(alternatives(schema)[0], depth + 1);
  const kind = kinds(schema).find((it) => it !== "null");
  if (kind === "object" || schema.properties) return exampleObject(schema, depth);
  if (kind === "array") return schema.items ? [exampleOf(schema.items, depth + 1)] : [];
  if (kind === "integer" || kind === "number") return schema.minimum ?? 1;
  if (kind === "boolean") return true;
  if (kind === "string") return PATTERNS[schema.format]?.() ?? UNKNOWN.padEnd(schema.minLength ?? 0, "-");
  return null;
}

/** Members that are required or have a good value; later moments of an object are an hour later. */
function exampleObject(schema, depth) {
  const example = {};
  let moments = 0;
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const inner = present(member);
    const isMoment = inner.format === "date-time";
    const isGiven = (inner.examples ?? inner.example ?? inner.enum) !== undefined;
    if (!schema.required?.includes(name) && !isGiven && !isMoment) continue;
    example[name] = isMoment && !isGiven ? hour(24 + moments++) : exampleOf(member, depth + 1);
  }
  return example;
}
