// People who look like someone enrolled under another name: both beside each other, to be decided.

import { personAddress } from "./addresses.js";
import { ApiError, post } from "./api.js";
import { personChip, threatChip } from "./chips.js";
import { el, fill, typed } from "./dom.js";
import { failure, whyNot } from "./failure.js";
import { openPersonForm } from "./person-form.js";
import { photoImage } from "./photo.js";
import { removeAsked } from "./remove-person.js";
import { text } from "./text.js";

/** How many people the server compares in one request. */
const AT_ONCE = 1000;
/** How many people of earlier requests it takes, to answer no pair twice. */
const BEFORE = 8000;
/** Nearer than this, both have copies of one photo. */
const SAME_PHOTO = 0.1;
/** Photos of a person that are shown beside the first. */
const MORE_PHOTOS = 4;

export class Lookalikes {
  /** @param {Map<string, boolean>} people ids, and whether each is new */
  constructor(frame, people) {
    this.frame = frame;
    this.people = people;
    this.state = el("p", { role: "status", tabindex: "-1" });
    this.list = el("ul", { class: "lookalikes" });
    this.element = el("section", { class: "stack", "aria-label": text.lookalikes.title }, this.state, this.list);
  }

  /** Asks about all of them. */
  async read() {
    fill(this.state, text.lookalikes.comparing);
    try {
      const { pairs, leftOut } = await pairsOf([...this.people.keys()]);
      this.leftOut = leftOut;
      this.pairs = pairs.map((one) => new Pair(this, one));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      fill(this.state, failure(error, () => this.read()));
      return;
    }
    fill(this.list, this.pairs.map((one) => one.element));
    fill(this.state, this.pairs.length ? this.howMany() : text.lookalikes.none);
    this.state.className = this.pairs.length ? "notice warn" : "";
  }

  howMany() {
    const { length } = this.pairs;
    if (!length) return this.leftOut ? text.lookalikes.readAgain : text.lookalikes.allDecided;
    return [text.lookalikes.found(length + this.leftOut), this.leftOut > 0 && ` ${text.lookalikes.nearest(length)}`];
  }

  isNew(id) {
    return this.people.get(id) ?? false;
  }

  /**
   * Drops pairs that need no decision any more, and goes on to the next.
   * @param {number} place of the first of them
   */
  drop(isDone, place = this.pairs.findIndex(isDone)) {
    const done = this.pairs.filter(isDone);
    this.pairs = this.pairs.filter((one) => !done.includes(one));
    done.forEach((one) => one.element.remove());
    fill(this.state, this.howMany());
    (this.pairs[Math.min(place, this.pairs.length - 1)]?.keep ?? this.state).focus();
  }

  /** Shows what was changed of a person. */
  saved(person) {
    const place = this.pairs.findIndex((one) => one.shows(person.id));
    for (const pair of this.pairs) pair.replace(person);
    this.drop((one) => one.isOfOneName(), place);
  }
}

class Pair {
  constructor(all, { criminal, other, distance }) {
    this.all = all;
    this.both = [criminal, other];
    this.isSamePhoto = distance < SAME_PHOTO;
    this.keep = el("button", { class: "main", onclick: () => all.drop((one) => one === this) }, text.lookalikes.keep);
    this.problem = el("p", { class: "bad", role: "alert", hidden: true });
    this.element = el("li", { class: "card stack" });
    this.draw();
  }

  draw() {
    this.keep.setAttribute("aria-label", text.lookalikes.keepNamed(...this.both.map((one) => one.name)));
    fill(
      this.element,
      this.isSamePhoto && el("p", { class: "small muted" }, text.lookalikes.samePhoto),
      el("div", { class: "pair" }, this.both.map((one) => this.person(one))),
      this.problem,
      el("div", { class: "row" }, this.keep),
    );
  }

  person(one) {
    const [first, ...more] = one.photos;
    const photo = (id, size, alt) => photoImage(one.id, id, size, alt);
    return el(
      "figure",
      {},
      first ? photo(first, 480, text.person.photoAlt(one.name, 1)) : el("p", { class: "missing muted" }, text.person.noPhotos),
      more.length > 0 && el("div", { class: "row more-photos" }, more.slice(0, MORE_PHOTOS).map((id, place) => photo(id, 96, text.person.photoAlt(one.name, place + 2)))),
      el(
        "figcaption",
        { class: "stack" },
        el("a", { href: personAddress(one.id), target: "_blank", rel: "noopener", title: text.lookalikes.open }, typed(one.name)),
        el("div", { class: "row" }, this.all.isNew(one.id) && el("span", { class: "chip warn" }, text.lookalikes.isNew), threatChip(one.threat), personChip(one)),
        one.case_reference && el("p", { class: "small muted" }, text.people.reference, " ", typed(one.case_reference)),
        el(
          "div",
          { class: "row" },
          el("button", { "aria-label": text.lookalikes.edit(one.name), onclick: () => openPersonForm(this.all.frame, one, (saved) => this.all.saved(saved)) }, text.person.edit),
          el("button", { class: "danger", "aria-label": text.lookalikes.remove(one.name), onclick: () => this.remove(one) }, text.person.remove),
        ),
      ),
    );
  }

  async remove(person) {
    this.problem.hidden = true;
    try {
      if (await removeAsked(this.all.frame, person)) this.all.drop((pair) => pair.shows(person.id));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) this.all.drop((pair) => pair.shows(person.id));
      else fill(this.problem, whyNot(error)).hidden = false;
    }
  }

  shows(id) {
    return this.both.some((one) => one.id === id);
  }

  replace(person) {
    if (!this.shows(person.id)) return;
    this.both = this.both.map((one) => (one.id === person.id ? person : one));
    this.draw();
  }

  /** Two records of one name are no mistake that a look at the faces would find. */
  isOfOneName() {
    return this.both[0].name === this.both[1].name;
  }
}

/** All pairs, each once, however many requests it takes. */
async function pairsOf(ids) {
  const found = [];
  let leftOut = 0;
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    const body = { criminal_ids: ids.slice(start, start + AT_ONCE), compared: ids.slice(Math.max(0, start - BEFORE), start) };
    const { pairs, left_out: more } = await post("/api/enrolments/lookalikes", body);
    leftOut += more;
    found.push(...pairs);
  }
  return { pairs: found.sort((one, other) => one.distance - other.distance), leftOut };
}
