// A photo that is to be enrolled: looked at by the server at once, which says whether it can be.

import { ApiError, post } from "./api.js";
import { el, fill, typed } from "./dom.js";
import { framedPhoto } from "./framed.js";
import { shortOdds } from "./odds.js";
import { gradeOf, withoutEcho } from "./photo.js";
import { text } from "./text.js";

/** What says nothing about the photo: no answer, too many requests, and a server that is busy. */
const UNANSWERED = new Set([0, 429, 503]);

export class NewPhoto {
  /** @param {(photo: NewPhoto) => void} onLeftOut @param {string|null} personId who is being edited */
  constructor(file, personId, onLeftOut) {
    this.file = file;
    this.personId = personId;
    this.address = URL.createObjectURL(file);
    this.picture = el("div", {}, el("img", { src: this.address, alt: file.name, onerror: () => fill(this.picture, typed(file.name)) }));
    this.answer = el("p", { class: "small muted", role: "status" }, text.form.checking);
    this.element = el(
      "figure",
      { class: "new-photo" },
      this.picture,
      el("figcaption", { class: "stack" }, this.answer, el("button", { type: "button", class: "small", onclick: () => (this.close(), onLeftOut(this)) }, text.form.leaveOut)),
    );
    this.checked = this.check();
  }

  close() {
    URL.revokeObjectURL(this.address);
    this.element.remove();
  }

  async check() {
    const body = new FormData();
    body.append("file", this.file);
    this.unanswered = null;
    try {
      this.show(await post("/api/find", body));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (UNANSWERED.has(error.status)) this.unanswered = error;
      this.say("bad", (this.unanswered ? text.form.unchecked : text.form.refused)(error.message));
    }
  }

  /**
   * Waits until the server has said whether the photo can be used; asks again if it did not answer.
   * @throws {ApiError} it still does not
   */
  async answered() {
    await this.checked;
    if (this.unanswered) await (this.checked = this.check());
    if (this.unanswered) throw this.unanswered;
  }

  show(found) {
    const { enrolment } = found;
    if (enrolment.box) fill(this.picture, framedPhoto(this.address, this.file.name, found, [{ box: enrolment.box, kind: "good" }]));
    if (enrolment.refused) this.say("bad", text.form.refused(withoutEcho(enrolment.refused)));
    else if (enrolment.enrolled_as) this.say("bad", text.form.already(enrolment.enrolled_as.name));
    else this.accepted(found);
  }

  accepted({ enrolment, faces }) {
    this.isReady = true;
    this.say("good", text.form.ready(text.person.quality[gradeOf(enrolment.quality)].toLowerCase()));
    const [like] = faces.find((one) => one.is_match)?.candidates ?? [];
    if (like && like.criminal_id !== this.personId) {
      this.answer.after(el("p", { class: "small warn" }, text.form.resembles(like.name, shortOdds(like.fpir))));
    }
  }

  say(kind, message) {
    this.answer.className = `small ${kind}`;
    fill(this.answer, message);
  }
}
