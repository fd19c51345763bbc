// Many people at once: a folder with a folder of photos for each person, or with a photo of each.

import { ApiError, post } from "./api.js";
import { openDialog } from "./dialog.js";
import { el, fill, typed } from "./dom.js";
import { asBase64 } from "./photo.js";
import { text } from "./text.js";

/** What tells several photos of one person apart, as `susracker enroll` has it. */
const NUMBER = /(?<=.)[ _-]*(?:\(\d{1,6}\)|(?<=[ _-])\d{1,6})$/;

/** A button that opens a folder and adds the people in it. @param {() => void} onDone */
export function bulkAddButton(onDone) {
  const input = el("input", { type: "file", webkitdirectory: true, class: "hidden", tabindex: "-1", "aria-label": text.bulk.folder });
  input.addEventListener("change", () => {
    const people = peopleIn([...input.files]);
    input.value = "";
    new BulkAdd(people, onDone).open();
  });
  return [el("button", { title: text.bulk.hint, onclick: () => input.click() }, text.bulk.button), input];
}

/** Photos by the name of the person, in order. @param {File[]} files of a folder, with their paths */
export function peopleIn(files) {
  const people = new Map();
  const photos = files.filter((file) => file.type.startsWith("image/") && !file.webkitRelativePath.includes("/."));
  for (const file of photos.sort((one, other) => one.webkitRelativePath.localeCompare(other.webkitRelativePath))) {
    const name = nameOf(file);
    people.set(name, [...(people.get(name) ?? []), file]);
  }
  return people;
}

function nameOf(file) {
  const parts = file.webkitRelativePath.split("/");
  const name = parts.length > 2 ? parts.at(-2) : file.name.replace(/\.[^.]*$/, "").replace(NUMBER, "");
  return name.replaceAll("_", " ").trim();
}

class BulkAdd {
  constructor(people, onDone) {
    this.people = people;
    this.onDone = onDone;
    this.added = 0;
    this.progress = el("progress", { max: people.size || 1, value: 0, "aria-label": text.bulk.title });
    this.state = el("p", { role: "status" });
    this.refused = el("ul", { class: "stack small" });
    this.start = el("button", { class: "main", disabled: !people.size, onclick: () => this.run() }, text.bulk.start(people.size));
  }

  open() {
    const photos = [...this.people.values()].flat().length;
    fill(this.state, this.people.size ? text.bulk.found(this.people.size, photos) : text.bulk.nobody);
    const content = [el("p", { class: "muted" }, text.bulk.hint), this.state, this.progress, this.refused, el("div", { class: "row" }, this.start)];
    this.dialog = openDialog(text.bulk.title, content, { onClose: () => this.close() });
  }

  /** Whoever was added stays; nobody else follows. */
  close() {
    this.isClosed = true;
    this.onDone();
  }

  async run() {
    this.start.remove();
    let done = 0;
    for (const [name, photos] of this.people) {
      if (this.isClosed) return;
      fill(this.state, text.bulk.adding(name, done, this.people.size));
      await this.add(name, photos);
      done += 1;
      this.progress.value = done;
    }
    fill(this.state, text.bulk.done(this.added, this.people.size));
  }

  async add(name, photos) {
    try {
      await post("/api/criminals", { name, images: await Promise.all(photos.map(asBase64)) });
      this.added += 1;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const why = error.status === 0 ? text.frame.unreachable : error.message;
      this.refused.append(el("li", { class: "bad" }, typed(name), `: ${why}`));
    }
  }
}
