// The sign-in: a key traded for a session.

import { ApiError } from "./api.js";
import { el, fill } from "./dom.js";
import { iconImage } from "./icon.js";
import { signIn } from "./session.js";
import { text } from "./text.js";

/** @param {(session) => void} onSignedIn @param {string} [message] why one has to sign in */
export function signInForm(onSignedIn, message) {
  const problem = el("p", { class: "notice bad", role: "alert", hidden: !message }, message);
  const key = el("input", {
    type: "password", name: "key", required: true, autocomplete: "current-password", autofocus: true,
    spellcheck: "false", "aria-describedby": "key-hint",
  });
  const button = el("button", { class: "main" }, text.signIn.button);
  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      onSignedIn(await signIn(key.value.trim()));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      fill(problem, problemOf(error)).hidden = false;
      key.select();
    } finally {
      button.disabled = false;
    }
  }
  const form = el(
    "form",
    { class: "card", onsubmit: submit },
    el("h1", { class: "brand" }, iconImage(), text.product),
    problem,
    el("label", { class: "field" }, text.signIn.label, key),
    el("p", { class: "muted small", id: "key-hint" }, text.signIn.hint),
    button,
  );
  queueMicrotask(() => key.focus());
  return el("main", { class: "sign-in" }, form);
}

function problemOf(error) {
  const known = { 0: text.signIn.unreachable, 401: text.signIn.wrong, 403: text.signIn.camera, 429: text.signIn.tooMany };
  return known[error.status] ?? error.message;
}
