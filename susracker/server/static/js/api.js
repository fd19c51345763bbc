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
export const post = (path, body) => call("POST", path, body);
export const put = (path, body) => call("PUT", path, body);
export const remove = (path) => call("DELETE", path);

/** A path with its parts escaped: path`/api/alerts/${id}`. */
export function path(strings, ...parts) {
  return String.raw({ raw: strings }, ...parts.map(encodeURIComponent));
}

/** Fields that are empty are left out. */
export function queryOf(fields = {}) {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

async function call(method, where, body) {
  const options = { method, credentials: "same-origin", cache: "no-store", headers: {} };
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
  throw new ApiError(answer.status, found?.error ?? answer.statusText, found ?? {});
}

async function sent(where, options) {
  try {
    return await fetch(where, options);
  } catch {
    throw new ApiError(0, text.frame.unreachable); // browsers say nothing that helps
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
