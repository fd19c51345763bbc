// The watch-list: everyone, found by name.

import { personAddress } from "../addresses.js";
import { ApiError, get } from "../api.js";
import { bulkAddButton } from "../bulk-add.js";
import { personChip, threatChip } from "../chips.js";
import { el, fill, typed } from "../dom.js";
import { failure } from "../failure.js";
import { openPersonForm } from "../person-form.js";
import { photoImage } from "../photo.js";
import { table } from "../table.js";
import { text } from "../text.js";
import { agoElement } from "../when.js";

const PAGE = 50;
const TYPING = 250;

export function open(frame) {
  return new PeopleView(frame);
}

class PeopleView {
  constructor(frame) {
    this.frame = frame;
    this.title = text.people.title;
    this.search = el("input", { type: "search", placeholder: text.people.search, "aria-label": text.people.search, maxlength: 200, oninput: () => this.searchSoon() });
    this.body = el("tbody", {});
    this.hint = el("div", { class: "empty", hidden: true });
    this.more = el("button", { hidden: true, onclick: () => this.read() }, text.people.more);
    const head = ["photo", "name", "threat", "status", "crimes", "reference", "lastSeen"].map((name) => text.people[name]);
    this.table = table(text.people.table, head, this.body, { kind: "people" });
    this.element = el(
      "div",
      { class: "view" },
      el(
        "header",
        {},
        el("h1", {}, text.people.title),
        this.search,
        frame.session.may("manage") && el("div", { class: "row end" }, bulkAddButton(frame, () => this.again()), el("button", { class: "main", onclick: () => this.add() }, text.people.add)),
      ),
      el("div", { class: "card" }, this.table, this.hint),
      this.more,
    );
    this.again();
  }

  searchSoon() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.again(), TYPING);
  }

  again() {
    this.next = null;
    this.isFirst = true;
    this.read();
  }

  async read() {
    const turn = (this.turn = {});
    try {
      const { criminals, next } = await get("/api/criminals", { query: this.search.value.trim(), after: this.next, limit: PAGE });
      if (turn === this.turn) this.show(criminals, next);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.isFirst) this.showFailure(error);
      else this.frame.failed(error);
    }
  }

  showFailure(error) {
    this.table.hidden = this.more.hidden = true;
    fill(this.hint, failure(error, () => this.again())).hidden = false;
  }

  show(people, next) {
    const rows = people.map((one) => this.row(one));
    if (this.isFirst) fill(this.body, rows);
    else this.body.append(...rows);
    this.isFirst = false;
    this.next = next;
    this.more.hidden = !next;
    this.showHint();
  }

  showHint() {
    const isEmpty = !this.body.childElementCount;
    const query = this.search.value.trim();
    this.hint.hidden = !isEmpty;
    this.table.hidden = isEmpty;
    fill(this.hint, query ? el("p", {}, text.people.noneFit(query)) : [el("p", {}, text.people.empty), el("p", {}, text.people.emptyHint)]);
  }

  row(person) {
    const where = personAddress(person.id);
    const [photo] = person.photos;
    return el(
      "tr",
      { onclick: () => (location.hash = where) },
      el("td", { class: "thumb" }, photo ? photoImage(person.id, photo, 96, "") : el("span", { class: "no-photo" })),
      el("td", {}, el("a", { href: where }, typed(person.name)), !person.templates && el("p", { class: "small bad" }, text.people.noTemplate)),
      el("td", {}, threatChip(person.threat)),
      el("td", {}, personChip(person)),
      el("td", {}, person.crimes.map((crime, place) => [place ? ", " : "", typed(crime)])),
      el("td", {}, person.case_reference ? typed(person.case_reference) : text.none),
      el("td", { class: "muted" }, person.last_seen_at ? agoElement(person.last_seen_at) : text.people.never),
    );
  }

  add() {
    openPersonForm(this.frame, null, (person) => {
      this.frame.say(text.person.saved(person.name ?? ""), "good");
      location.hash = personAddress(person.id);
    });
  }
}
