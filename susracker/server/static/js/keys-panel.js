// Keys: who may use the server. A new key is shown once.

import { ApiError, get, path, post, remove } from "./api.js";
import { ask } from "./ask.js";
import { openDialog } from "./dialog.js";
import { el, fill, typed } from "./dom.js";
import { load, whyNot } from "./failure.js";
import { Panel } from "./panel.js";
import { lastDays } from "./silence.js";
import { table } from "./table.js";
import { text } from "./text.js";
import { agoElement, dayOf } from "./when.js";

const STATE = { valid: "good", expired: "", revoked: "" };

export function keysPanel(frame) {
  const panel = new KeysPanel(frame);
  load(panel.list, () => panel.read());
  return panel.element;
}

class KeysPanel extends Panel {
  constructor(frame) {
    super(frame);
    this.list = el("div", {});
    this.element = el(
      "section",
      { class: "card stack", "aria-label": text.keys.title },
      el("div", { class: "row spread" }, el("h2", {}, text.keys.title), el("button", { onclick: () => this.openForm() }, text.keys.make)),
      this.list,
    );
  }

  async read() {
    const { keys } = await get("/api/keys");
    if (!keys.length) {
      fill(this.list, el("p", { class: "notice warn" }, text.keys.none));
      return;
    }
    const head = ["name", "role", "cameras", "state", "used", "actions"].map((name) => text.keys.head[name]);
    fill(this.list, table(text.keys.title, head, keys.map((key) => this.row(key))));
  }

  row(key) {
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, typed(key.name)),
      el("td", {}, text.keys.roles[key.role]),
      el("td", {}, key.role === "camera" ? typed(key.cameras) : text.none),
      el("td", {}, el("span", { class: `chip ${STATE[key.state]}` }, text.keys.states[key.state]), key.state === "valid" && key.expires_at && el("span", { class: "small muted" }, ` ${text.keys.until(dayOf(key.expires_at))}`)),
      el("td", { class: "muted" }, key.last_used_at ? agoElement(key.last_used_at) : text.keys.never),
      el(
        "td",
        {},
        key.state === "valid" &&
          el(
            "div",
            { class: "row" },
            el("button", { class: "small", onclick: () => this.attempt(() => this.rotate(key)) }, text.keys.rotate),
            el("button", { class: "small danger", onclick: () => this.attempt(() => this.revoke(key)) }, text.keys.revoke),
          ),
      ),
    );
  }

  async rotate(key) {
    if (!(await ask(text.keys.rotateTitle(key.name), text.keys.rotateHint, text.keys.rotate))) return;
    showKey(await post(path`/api/keys/${key.id}/rotate`, {}), () => this.attempt(() => this.read()));
  }

  async revoke(key) {
    if (!(await ask(text.keys.revokeTitle(key.name), text.keys.revokeHint, text.keys.revoke))) return;
    await remove(path`/api/keys/${key.id}`);
    await this.read();
  }

  openForm() {
    const name = el("input", { required: true, maxlength: 200, autocomplete: "off" });
    const role = el("select", {}, Object.entries(text.keys.roles).map(([value, shown]) => el("option", { value }, shown)));
    const cameras = el("input", { maxlength: 200, placeholder: "gate-*", autocomplete: "off" });
    const camerasLabel = el("label", { class: "field", hidden: true }, text.keys.camerasHint, cameras);
    const expires = el("input", { type: "date", min: lastDays(1)[0] });
    const problem = el("p", { class: "notice bad", role: "alert", hidden: true });
    role.addEventListener("change", () => (camerasLabel.hidden = role.value !== "camera"));
    const button = el("button", { class: "main" }, text.keys.make);
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      const body = { name: name.value.trim(), role: role.value };
      if (role.value === "camera" && cameras.value.trim()) body.cameras = cameras.value.trim();
      if (expires.value) body.expires = expires.value;
      try {
        const made = await post("/api/keys", body);
        dialog.close();
        showKey(made, () => this.attempt(() => this.read()));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        fill(problem, whyNot(error)).hidden = false;
      } finally {
        button.disabled = false;
      }
    };
    const form = el(
      "form",
      { class: "stack", onsubmit: submit },
      el("label", { class: "field" }, text.keys.nameHint, name),
      el("label", { class: "field" }, text.keys.head.role, role),
      camerasLabel,
      el("label", { class: "field" }, text.keys.expiresHint, expires),
      problem,
      el("div", { class: "row" }, button),
    );
    const dialog = openDialog(text.keys.make, form, { narrow: true });
    name.focus();
  }
}

function showKey(made, onClose) {
  const shown = el("input", { readonly: true, value: made.key, "aria-label": text.keys.theKey });
  shown.addEventListener("focus", () => shown.select());
  const content = [
    el("p", {}, text.keys.made(made.name)),
    shown,
    el("p", { class: "notice warn" }, text.keys.once),
    navigator.clipboard && copyButton(shown),
  ];
  // The first key of all, and a rotated key of one's own, end the session that made them.
  openDialog(text.keys.theKey, content, { narrow: true, stays: true, onClose });
  shown.focus();
}

/** Browsers may refuse to copy: the key is then selected, to be copied by hand. */
function copyButton(shown) {
  const said = el("span", { class: "small", role: "status" });
  const copy = () =>
    navigator.clipboard.writeText(shown.value).then(
      () => fill(said, text.keys.copied),
      () => (shown.focus(), fill(said, text.keys.notCopied)),
    );
  return el("div", { class: "row" }, el("button", { onclick: copy }, text.keys.copy), said);
}
