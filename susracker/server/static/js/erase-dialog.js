// Erases a person for good: only with a reason, and the name typed by hand.

import { ApiError, path, post } from "./api.js";
import { openDialog } from "./dialog.js";
import { el, fill, typed } from "./dom.js";
import { whyNot } from "./failure.js";
import { text } from "./text.js";

/** @param {() => void} onErased called when the person is gone, and what is out of reach was read */
export function openEraseDialog(person, onErased) {
  new EraseDialog(person, onErased).open();
}

class EraseDialog {
  constructor(person, onErased) {
    this.person = person;
    this.onErased = onErased;
    this.reason = el("input", { required: true, maxlength: 500, autocomplete: "off" });
    this.name = el("input", { required: true, autocomplete: "off", oninput: () => this.check() });
    this.despite = el("input", { type: "checkbox" });
    this.despiteLabel = el("label", { class: "check", hidden: true }, this.despite, text.erase.despite);
    this.problem = el("p", { class: "notice bad", role: "alert", hidden: true });
    this.button = el("button", { class: "danger", disabled: true }, text.erase.button);
    this.content = el("div", { class: "stack" });
  }

  open() {
    const cancel = el("button", { type: "button", onclick: () => this.dialog.close() }, text.cancel);
    fill(
      this.content,
      el("p", {}, text.erase.hint),
      el(
        "form",
        { class: "stack", onsubmit: (event) => this.submit(event) },
        el("label", { class: "field" }, text.erase.reason, this.reason),
        el("label", { class: "field" }, el("span", {}, text.erase.typeName, " ", typed(this.person.name, { class: "to-type" })), this.name),
        this.problem,
        this.despiteLabel,
        el("div", { class: "row" }, cancel, this.button),
      ),
    );
    this.dialog = openDialog(text.erase.title(this.person.name), this.content, { onClose: () => this.isErased && this.onErased() });
    this.reason.focus();
  }

  check() {
    this.button.disabled = plainly(this.name.value) !== plainly(this.person.name);
  }

  async submit(event) {
    event.preventDefault();
    this.button.disabled = true;
    this.problem.hidden = true;
    try {
      const body = { reason: this.reason.value.trim(), despite_holds: this.despite.checked };
      this.erased(await post(path`/api/criminals/${this.person.id}/erasure`, body));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.despiteLabel.hidden = error.status !== 409;
      fill(this.problem, whyNot(error)).hidden = false;
      this.check();
    }
  }

  erased({ not_reached: left, ...counts }) {
    this.isErased = true;
    const close = el("button", { class: "main", onclick: () => this.dialog.close() }, text.close);
    fill(
      this.content,
      el("p", { class: "notice good", role: "status" }, text.erase.done(counts)),
      el("p", {}, text.erase.left),
      el("ul", { class: "bullets small" }, left.map((one) => el("li", {}, typed(one)))),
      el("div", { class: "row" }, close),
    );
    close.focus();
  }
}

/** A name as people can type it: without characters that nobody sees, and with single spaces. */
function plainly(name) {
  return name.replace(/\p{Cf}/gu, "").replace(/\s+/g, " ").trim().normalize("NFC");
}
