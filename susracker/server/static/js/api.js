// The server's HTTP API. The session's cookie goes along by itself.

import { text } from "./text.js";

/** What the server answered when it refused, or that it did not answer (status 0). */
export class ApiError extends Error {
  constructor(status, message, body = {}) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

const whenSignedOut = new Set();

/** Calls a function whenever the server says that there is no session. */
export function onSignedOut(listener) {
  whenSignedOut.add(listener);
}

export const get = (path, query) => call("GET", path + queryOf(query));
export const post = (path, body, headers) => call("POST", path, body, headers);
export const put = (path, body) => call("PUT", path, body);
export const remove = (path) => call("DELETE", path);

/** A path with its parts escaped: path`/api/alerts/${id}`. */
export function path(strings, ...parts) {
  return String.raw({ raw: strings }, ...parts.map(encodeURIComponent));
}

/** A value for `Idempotency-Key`: what is sent again with the same one is done once. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-");
}

/** Fields that are empty are left out. */
export function queryOf(fields = {}) {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

async function call(method, where, body, headers = {}) {
  const options = { method, credentials: "same-origin", cache: "no-store", headers: { ...headers } };
  if (body instanceof FormData) {
    options.body = body;
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const answer = await sent(where, options);
  const found = await content(answer);
  if (answer.ok) return found;
  if (answer.status === 401 && where !== "/api/session") whenSignedOut.forEach((listener) => listener());
  const message = answer.status === 413 ? text.frame.tooLarge : (found?.error ?? answer.statusText);
  throw new ApiError(answer.status, message, found ?? {});
}

async function sent(where, options) {
  try {
    return await fetch(where, options);
  } catch {
    // Browsers say nothing that helps.
    if (!(await isReadable(options.body))) throw new ApiError(400, text.frame.unreadable);
    throw new ApiError(0, text.frame.unreachable);
  }
}

/** Whether the files of a form can be read: a folder that was dropped cannot, nor a file that is gone. */
async function isReadable(body) {
  const files = body instanceof FormData ? [...body.values()].filter((one) => one instanceof File) : [];
  try {
    await Promise.all(files.map((one) => one.slice(0, 1).arrayBuffer()));
    return true;
  } catch {
    return false;
  }
}

async function content(answer) {
  if (answer.status === 204) return null;
  try {
    return await answer.json();
  } catch {
    return null; // a proxy's error page
  }
}
