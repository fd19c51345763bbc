// Many people at once: the folder is chosen, looked through, and its people are added one by one.

import { ApiError, post } from "./api.js";
import { listsIn, peopleIn, readList } from "./bulk-sources.js";
import { openDialog } from "./dialog.js";
import { el, fill, typed } from "./dom.js";
import { whyNot } from "./failure.js";
import { Lookalikes } from "./lookalikes.js";
import { withoutEcho } from "./photo.js";
import { formOf, inParts } from "./photo-parts.js";
import { text } from "./text.js";

/** Milliseconds before each further try while the server is busy or away. */
const PAUSES = [1000, 2000, 4000, 8000];
const BUSY = new Set([0, 429, 503]);

/** A button that opens the dialog. @param {() => void} onDone */
export function bulkAddButton(frame, onDone) {
  return el("button", { onclick: () => new BulkAdd(frame, onDone).open() }, text.bulk.button);
}

class BulkAdd {
  constructor(frame, onDone) {
    this.frame = frame;
    this.onDone = onDone;
    this.added = 0;
    /** Ids of who was enrolled, and whether each is new. */
    this.ids = new Map();
    this.input = el("input", { type: "file", webkitdirectory: true, class: "hidden", tabindex: "-1", "aria-label": text.bulk.folder });
    this.input.addEventListener("change", () => this.choose([...this.input.files]));
    this.button = el("button", { class: "main", onclick: () => this.input.click() }, text.bulk.choose);
    this.hints = [text.bulk.hint, text.bulk.listHint].map((hint) => el("p", { class: "muted" }, hint));
    this.state = el("p", { role: "status" });
    this.progress = el("progress", { value: 0, "aria-label": text.bulk.title, hidden: true });
    this.steps = el("div", { class: "stack" });
    this.refused = group(text.bulk.refused, { open: true, kind: "bad" });
    this.taken = group(text.bulk.taken, {});
  }

  open() {
    const content = [
      this.hints,
      el("div", { class: "row" }, this.button, this.input),
      this.state,
      this.progress,
      this.steps,
      this.refused.element,
      this.taken.element,
    ];
    openDialog(text.bulk.title, content, { onClose: () => this.close() });
    this.button.focus();
  }

  /** Whoever was added stays; nobody else follows. */
  close() {
    this.isClosed = true;
    if (this.hasRun) this.onDone();
  }

  /** Looks through a folder, and says who would be added. */
  async choose(files) {
    fill(this.state, text.loading);
    fill(this.steps);
    try {
      const lists = listsIn(files);
      if (lists.length > 1) fill(this.state, text.bulk.severalLists(lists.map((one) => one.name).join(", ")));
      else if (lists.length) this.found(await readList(lists[0], files));
      else this.found({ people: peopleIn(files), badRows: [] });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      fill(this.state, el("span", { class: "bad" }, whyNot(error)));
    }
    this.input.value = "";
  }

  found({ people, badRows }) {
    const photos = people.reduce((sum, one) => sum + one.photos.length, 0);
    fill(this.state, people.length || badRows.length ? text.bulk.found(people.length, photos) : text.bulk.nobody);
    const start = el("button", { class: "main", disabled: !people.length || badRows.length > 0, onclick: () => this.run(people) }, text.bulk.start(people.length));
    const skip = el("input", { type: "checkbox", onchange: () => (start.disabled = !skip.checked) });
    const problems = badRows.length > 0 && [
      el("p", { class: "notice bad", role: "alert" }, text.bulk.badRows(badRows.length)),
      el("ul", { class: "answers small", tabindex: "0" }, badRows.map((one) => el("li", { class: "bad" }, typed(one.where), ": ", typed(one.problem)))),
      people.length > 0 && el("label", { class: "check" }, skip, text.bulk.skipBad),
    ];
    fill(this.steps, problems, people.length > 0 && el("div", { class: "row" }, start));
  }

  async run(people) {
    this.hasRun = true;
    for (const one of [...this.hints, this.button.parentElement]) one.remove();
    fill(this.steps);
    this.progress.hidden = false;
    this.progress.max = people.length;
    for (const [done, person] of people.entries()) {
      if (this.isClosed) return;
      fill(this.state, text.bulk.adding(person.fields.name, done, people.length));
      if (await this.add(person)) this.added += 1;
      this.progress.value = done + 1;
    }
    fill(this.state, text.bulk.done(this.added, people.length), " ", text.bulk.ofPhotos(this.taken.size, this.refused.size));
    if (this.ids.size && !this.isClosed) await this.compare();
  }

  /** Once for all of them, for some may resemble each other. */
  compare() {
    const found = new Lookalikes(this.frame, this.ids);
    fill(this.steps, found.element);
    return found.read();
  }

  /** Whether the person is on the watch-list now. */
  async add({ fields, photos }) {
    let isThere = false;
    for (const photo of photos.filter((one) => !one.file)) this.refuse(fields, photo, text.bulk.noFile);
    for (const some of inParts(photos.filter((one) => one.file))) {
      isThere = (await this.send(fields, some)) || isThere;
    }
    return isThere;
  }

  /** A repeat adds nothing, so what was not answered is sent again. */
  async send(fields, photos) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.answered(fields, photos, await post("/api/enrolments", formOf(fields, photos)));
        return true;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!BUSY.has(error.status) || attempt === PAUSES.length || this.isClosed) {
          this.refusedAll(fields, photos, error);
          return false;
        }
        await new Promise((done) => setTimeout(done, PAUSES[attempt]));
      }
    }
  }

  answered(fields, photos, { id, is_new: isNew, photos: fates }) {
    this.ids.set(id, this.ids.get(id) || isNew);
    photos.forEach((photo, place) => {
      const { fate, why } = fates[place];
      if (fate === "refused") this.refuse(fields, photo, why);
      else this.taken.add(nameAnd(fields, photo), text.bulk.fates[fate]);
    });
  }

  refusedAll(fields, photos, error) {
    const fates = error.body.photos;
    photos.forEach((photo, place) => this.refuse(fields, photo, fates?.[place].why ?? error.message));
  }

  refuse(fields, photo, why) {
    this.refused.add(nameAnd(fields, photo), withoutEcho(why));
  }
}

/** Answers that can be folded away, with their number. */
function group(title, { open = false, kind = "" }) {
  const list = el("ul", { class: "answers small", tabindex: "0" });
  const name = el("summary", {});
  const element = el("details", { open, hidden: true }, name, list);
  return {
    element,
    size: 0,
    add(subject, answer) {
      this.size += 1;
      element.hidden = false;
      fill(name, title(this.size));
      list.append(el("li", { class: kind }, subject, ": ", typed(answer)));
    },
  };
}

function nameAnd({ name }, { path }) {
  return [typed(name), " · ", typed(path)];
}
