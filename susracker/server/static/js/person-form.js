// The form for a person: added, or edited.

import { ApiError, newKey, path, post, put } from "./api.js";
import { openDialog } from "./dialog.js";
import { el, fill } from "./dom.js";
import { whyNot } from "./failure.js";
import { NewPhoto } from "./new-photo.js";
import { dropZone } from "./photo-drop.js";
import { formOf, inParts } from "./photo-parts.js";
import { lastDays } from "./silence.js";
import { text } from "./text.js";

/** What the server advises programs to do about photos of unlike faces. */
const ADVICE = "; send allow_unlike";

/**
 * @param {object|null} person the record to edit; null to add someone
 * @param {(person) => void} onSaved called with what the server stored
 */
export function openPersonForm(frame, person, onSaved) {
  new PersonForm(frame, person, onSaved).open();
}

class PersonForm {
  constructor(frame, person, onSaved) {
    this.frame = frame;
    this.person = person;
    this.onSaved = onSaved;
    this.photos = [];
    this.saved = null;
    this.key = newKey();
    this.fields = this.makeFields(person ?? {});
    this.before = this.values();
    this.problem = el("p", { class: "notice bad", role: "alert", hidden: true });
    this.gallery = el("div", { class: "new-photos" });
    this.unlike = el("input", { type: "checkbox" });
    this.unlikeLabel = el("label", { class: "check small", hidden: true }, this.unlike, text.form.unlike);
    this.noPhoto = el("p", { class: "small muted", hidden: Boolean(person) }, text.form.noPhotoWarning);
    this.button = el("button", { class: "main" }, text.form.save);
  }

  open() {
    const { name, age, crimes, threat, status, reference, expires } = this.fields;
    const label = (field, shown) => el("label", { class: "field" }, shown, field);
    const form = el(
      "form",
      { class: "person-form", onsubmit: (event) => this.submit(event) },
      label(name, text.form.name),
      el("div", { class: "pair-fields" }, label(threat, text.form.threat), label(status, text.form.status), label(age, text.form.age)),
      el("label", { class: "field" }, `${text.form.crimes} (${text.form.crimesHint.toLowerCase()})`, crimes),
      el("div", { class: "pair-fields" }, label(reference, text.form.reference), label(expires, text.form.expires)),
      el("fieldset", {}, el("legend", {}, text.form.photos), dropZone((files) => this.add(files), { onProblem: (why) => this.refuse(why) }), this.noPhoto, this.gallery, this.unlikeLabel),
      this.problem,
      el("div", { class: "row" }, this.button, el("button", { type: "button", onclick: () => this.dialog.close() }, text.cancel)),
    );
    const title = this.person ? text.form.edit(this.person.name) : text.form.add;
    this.dialog = openDialog(title, form, { onClose: () => this.close() });
    name.focus();
  }

  close() {
    this.isClosed = true;
    this.photos.forEach((one) => one.close());
    this.tell();
  }

  /** Tells of what was stored, also if the server refused the rest, or the form was closed meanwhile. */
  tell() {
    if (this.saved) this.onSaved(this.saved);
    this.saved = null;
  }

  makeFields(person) {
    const choice = (names, value) => el("select", {}, Object.entries(names).map(([key, shown]) => el("option", { value: key, selected: key === value }, shown)));
    const { expired: _, ...statuses } = text.personStatus;
    return {
      name: el("input", { required: true, maxlength: 200, value: person.name ?? "", autocomplete: "off" }),
      age: el("input", { type: "number", min: 0, max: 150, value: person.age ?? "" }),
      crimes: el("textarea", { rows: 2, value: (person.crimes ?? []).join("\n") }),
      threat: choice(text.threat, person.threat ?? "medium"),
      status: choice(statuses, person.status ?? "wanted"),
      reference: el("input", { maxlength: 200, value: person.case_reference ?? "", autocomplete: "off" }),
      expires: el("input", { type: "date", min: !this.person && lastDays(1)[0], value: person.expires_at?.slice(0, 10) ?? "" }),
    };
  }

  /** The fields as the API has them. */
  values() {
    const { name, age, crimes, threat, status, reference, expires } = this.fields;
    return {
      name: name.value.trim(),
      age: age.value === "" ? null : Number(age.value),
      crimes: crimes.value.split("\n").map((one) => one.trim()).filter(Boolean),
      threat: threat.value,
      status: status.value,
      case_reference: reference.value.trim() || null,
      expires_at: expires.value || null,
    };
  }

  add(files) {
    for (const file of files) {
      const photo = new NewPhoto(file, this.person?.id ?? null, (one) => this.leaveOut(one));
      this.photos.push(photo);
      this.gallery.append(photo.element);
    }
    this.showHints();
  }

  leaveOut(photo) {
    this.photos = this.photos.filter((one) => one !== photo);
    this.showHints();
  }

  showHints() {
    this.unlikeLabel.hidden = !this.photos.length;
    this.noPhoto.hidden = Boolean(this.person ?? this.photos.length);
  }

  async submit(event) {
    event.preventDefault();
    this.button.disabled = true;
    this.problem.hidden = true;
    try {
      await Promise.all(this.photos.map((one) => one.answered()));
      await this.save();
      if (this.isClosed) this.tell();
      else this.dialog.close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.refuse(this.whyNot(error));
    } finally {
      this.button.disabled = false;
    }
  }

  /** Sends what was changed, and all photos that the server accepted. */
  async save() {
    const groups = inParts(this.photos.filter((one) => one.isReady));
    const likeness = { allow_unlike: this.unlike.checked };
    if (!this.person) {
      const first = groups.shift() ?? [];
      // A person whose answer was lost is not added twice.
      const headers = { "Idempotency-Key": this.key };
      this.stored(await post("/api/criminals", formOf({ ...given(this.values()), ...likeness }, first), headers), first);
    } else if (this.changes.length || !groups.length) {
      await this.change(Object.fromEntries(this.changes));
    }
    for (const group of groups) await this.change(likeness, group);
  }

  async change(fields, photos = []) {
    const based = { ...fields, revision: this.person.revision };
    this.stored(await put(path`/api/criminals/${this.person.id}`, photos.length ? formOf(based, photos) : based), photos);
  }

  /** Goes on from what the server has now. */
  stored(person, photos) {
    this.person = this.saved = person;
    this.before = this.values();
    for (const one of photos) {
      one.close();
      this.leaveOut(one);
    }
  }

  /** The fields that differ from what the server has. */
  get changes() {
    return Object.entries(this.values()).filter(([name, value]) => String(value) !== String(this.before[name]));
  }

  whyNot(error) {
    if (error.status === 409 && this.person && !error.message.includes("image")) return text.form.conflict;
    if (error.status === 422) return text.form.addedBefore;
    const [unlike, advice] = error.message.split(ADVICE);
    return advice === undefined ? whyNot(error) : `${whyNot({ message: unlike })}. ${text.form.tickUnlike}`;
  }

  refuse(message) {
    fill(this.problem, message).hidden = false;
    this.problem.scrollIntoView({ block: "nearest" });
  }
}

function given(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}
