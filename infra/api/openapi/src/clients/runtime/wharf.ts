/** How requests are made. */
export interface Connection {
  /** Where the platform is: `https://wharf.example`. Absent: where the page comes from. */
  url?: string;
  /** The bearer token of every request that brings none of its own. */
  token?: string | (() => string | undefined);
  /** Absent: the global `fetch`. */
  fetch?: typeof fetch;
}

/** What a single request may say beside its parameters. */
export interface Options {
  token?: string;
  signal?: AbortSignal;
}

/** A refusal of the platform. */
export class Problem extends Error {
  /** Names the problem for programs. */
  readonly code: Code | (string & {});
  readonly status: number;
  /** To be quoted when the problem is reported. */
  readonly requestId: string | undefined;
  /** The fields of the body that were rejected. */
  readonly errors: { pointer: string; detail: string }[];
  /** The whole answer: older contracts have members of their own. */
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    const { error, ...members } = (body ?? {}) as {
      code?: string;
      title?: string;
      detail?: string;
      request_id?: string;
      errors?: { pointer: string; detail: string }[];
      error?: string | { code: number; message: string };
    };
    const nested = typeof error === "object" ? error : undefined;
    super(members.detail ?? members.title ?? nested?.message ?? `HTTP ${status}`);
    this.name = "Problem";
    this.code = members.code ?? (nested ? String(nested.code) : "unknown");
    this.status = status;
    this.requestId = members.request_id;
    this.errors = members.errors ?? [];
    this.body = body;
  }
}

interface Call {
  method: string;
  path: string;
  query?: object;
  headers?: Record<string, string | undefined>;
  json?: unknown;
  form?: object;
  content?: BodyInit;
  reads: "nothing" | "json" | "text" | "bytes";
  options: Options;
}

type Send = <T>(call: Call) => Promise<T>;

function pairs(values: object): URLSearchParams {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) pairs.append(name, String(one));
    }
  }
  return pairs;
}

function sender(connection: Connection): Send {
  return async <T>(call: Call): Promise<T> => {
    const token = typeof connection.token === "function" ? connection.token() : connection.token;
    const headers = new Headers({ accept: call.reads === "json" ? "application/json" : "*/*" });
    const bearer = call.options.token ?? token;
    if (bearer !== undefined) headers.set("authorization", `Bearer ${bearer}`);
    for (const [name, value] of Object.entries(call.headers ?? {})) {
      if (value !== undefined) headers.set(name, value);
    }
    let body = call.content;
    if (call.json !== undefined) {
      headers.set("content-type", "application/json");
      body = JSON.stringify(call.json);
    } else if (call.form !== undefined) {
      body = pairs(call.form);
    }
    const query = pairs(call.query ?? {}).toString();
    const address = `${connection.url ?? ""}${call.path}${query && `?${query}`}`;
    const request: RequestInit = { method: call.method, headers, redirect: "manual" };
    if (body !== undefined) request.body = body;
    if (call.options.signal) request.signal = call.options.signal;
    const response = await (connection.fetch ?? fetch)(address, request);
    if (response.status >= 400) throw new Problem(response.status, await said(response));
    return (await read(response, call.reads)) as T;
  };
}

/** A refusal's body; one that is not JSON comes from a server in between. */
async function said(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { detail: text };
  }
}

async function read(response: Response, reads: Call["reads"]): Promise<unknown> {
  const isEmpty = response.status === 204 || response.status >= 300 || response.status === 0;
  if (isEmpty || reads === "nothing") return undefined;
  if (reads === "json") return response.json();
  return reads === "text" ? response.text() : response.arrayBuffer();
}
