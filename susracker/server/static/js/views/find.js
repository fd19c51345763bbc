// Find: whom a photo resembles. Nothing of it is kept.

import { personAddress } from "../addresses.js";
import { ApiError, post, queryOf } from "../api.js";
import { el, fill, typed } from "../dom.js";
import { whyNot } from "../failure.js";
import { framedPhoto } from "../framed.js";
import { odds } from "../odds.js";
import { dropZone } from "../photo-drop.js";
import { photoImage } from "../photo.js";
import { text } from "../text.js";

export function open(frame) {
  return new FindView(frame);
}

class FindView {
  constructor(frame) {
    this.frame = frame;
    this.title = text.find.title;
    this.reason = el("input", { maxlength: 500, placeholder: text.find.reason, "aria-label": text.find.reason });
    this.result = el("div", { class: "found", role: "status" });
    const zone = dropZone(([file]) => this.search(file), { multiple: false, onProblem: (why) => frame.say(why, "bad") });
    this.element = el(
      "div",
      { class: "view find" },
      el("header", {}, el("h1", {}, text.find.title)),
      el("div", { class: "card stack" }, el("p", { class: "muted" }, text.find.hint), this.reason, zone),
      this.result,
    );
  }

  close() {
    if (this.address) URL.revokeObjectURL(this.address);
  }

  async search(file) {
    this.close();
    this.address = URL.createObjectURL(file);
    const body = new FormData();
    body.append("file", file);
    fill(this.result, el("p", { class: "empty" }, text.find.searching));
    const { address } = this;
    try {
      const found = await post(`/api/find${queryOf({ reason: this.reason.value.trim() })}`, body);
      if (address === this.address) fill(this.result, this.photo(found), this.faces(found));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (address === this.address) fill(this.result, el("p", { class: "notice bad", role: "alert" }, whyNot(error)));
    }
  }

  photo(found) {
    const boxes = found.faces.map(({ box, is_match: isMatch }, place) => ({ box, kind: isMatch ? "bad" : "", label: String(place + 1) }));
    return el("div", { class: "card" }, framedPhoto(this.address, text.find.yours, found, boxes));
  }

  faces({ faces }) {
    if (!faces.length) return el("p", { class: "notice warn" }, text.find.noFace);
    return el("div", { class: "stack" }, faces.map((one, place) => this.face(one, place + 1, faces.length)));
  }

  face({ candidates, is_match: isMatch }, number, all) {
    return el(
      "section",
      { class: "card stack" },
      el(
        "div",
        { class: "row spread" },
        el("h2", {}, text.find.face(number, all)),
        el("span", { class: `chip ${isMatch ? "bad" : ""}` }, isMatch ? text.find.match : text.find.noMatch),
      ),
      candidates.length
        ? [el("h3", { class: "muted small" }, text.find.candidates), el("ol", { class: "resembles" }, candidates.map((one) => this.candidate(one)))]
        : el("p", { class: "muted" }, text.find.nobody),
    );
  }

  candidate(one) {
    return el(
      "li",
      {},
      one.photo ? photoImage(one.criminal_id, one.photo, 160, "") : el("span", { class: "no-photo" }),
      el(
        "div",
        {},
        el("a", { href: personAddress(one.criminal_id) }, typed(one.name)),
        el("p", { class: "small muted" }, odds(one.fpir)),
      ),
    );
  }
}
