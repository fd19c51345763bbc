// One person: photos, record, track and alerts.

import { alertAddress } from "../addresses.js";
import { ask } from "../ask.js";
import { ApiError, get, path, put, remove } from "../api.js";
import { isolated } from "../bidi.js";
import { namesOf, placeOf } from "../camera-name.js";
import { personChip, statusChip, threatChip } from "../chips.js";
import { el, fill, typed } from "../dom.js";
import { openEraseDialog } from "../erase-dialog.js";
import { failure } from "../failure.js";
import { shortOdds } from "../odds.js";
import { openPersonForm } from "../person-form.js";
import { photoImage, qualityChip } from "../photo.js";
import { removeAsked } from "../remove-person.js";
import { planPicture, readSite } from "../site-plan.js";
import { table } from "../table.js";
import { text } from "../text.js";
import { lanes, stopList, stopsOf, usualSpan, within } from "../track.js";
import { agoElement, exactElement } from "../when.js";

/** Sightings that the cooldown held back raise no alert, so nothing tells of them. */
const LOOK_AGAIN = 20_000;
const ALERTS = 50;

export function open(frame, id) {
  return new PersonView(frame, id);
}

class PersonView {
  constructor(frame, id) {
    this.frame = frame;
    this.id = id;
    this.title = text.people.title;
    this.heading = el("header", {});
    this.photos = el("section", { class: "card stack", "aria-label": text.person.photos });
    this.record = el("section", { class: "card stack", "aria-label": text.person.record });
    this.track = el("section", { class: "card stack", "aria-label": text.person.track });
    this.alerts = el("section", { class: "card stack", "aria-label": text.person.alerts });
    this.more = el("button", { onclick: () => this.readMore() }, text.person.more);
    this.columns = el("div", { class: "columns", hidden: true });
    this.element = el(
      "div",
      { class: "view person" },
      this.heading,
      this.columns,
    );
    fill(this.columns, el("div", { class: "stack" }, this.photos, this.record), el("div", { class: "stack" }, this.track, this.alerts));
    fill(this.heading, el("h1", {}, text.loading));
    this.onChange = () => this.alertsChanged();
    frame.log.addEventListener("change", this.onChange);
    this.timer = setInterval(() => !document.hidden && this.attempt(() => this.readTrack()), LOOK_AGAIN);
    this.attempt(() => this.read());
  }

  close() {
    this.isClosed = true;
    clearInterval(this.timer);
    this.frame.log.removeEventListener("change", this.onChange);
  }

  async attempt(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.isClosed) return;
      if (error.status === 404) this.gone();
      else if (!this.person) this.unreadable(error);
      else this.frame.failed(error);
    }
  }

  unreadable(error) {
    fill(this.heading, failure(error, () => this.attempt(() => this.read())));
    this.columns.hidden = true;
  }

  gone() {
    fill(this.element, el("p", { class: "empty" }, text.person.gone, " ", el("a", { href: "#/people" }, text.person.back)));
  }

  async read() {
    this.person = await get(path`/api/criminals/${this.id}`);
    this.columns.hidden = false;
    this.drawHead();
    this.drawRecord();
    await Promise.all([this.readPhotos(), this.readTrack(), this.readAlerts()]);
  }

  async readPhotos() {
    const { photos } = await get(path`/api/criminals/${this.id}/photos`);
    this.drawPhotos(photos);
  }

  async readTrack() {
    const { sightings } = await get(path`/api/criminals/${this.id}/track`);
    this.sightings = sightings;
    this.site ??= await readSite();
    this.drawTrack();
  }

  async readAlerts() {
    const query = { criminal_id: this.id, before: this.found?.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER, limit: ALERTS };
    const { alerts } = await get("/api/alerts", query);
    this.found = [...(this.found ?? []), ...alerts];
    this.hasMore = alerts.length === ALERTS;
    this.drawAlerts();
  }

  /** Clicks while older alerts come are passed over. */
  async readMore() {
    this.more.disabled = true;
    await this.attempt(() => this.readAlerts());
    this.more.disabled = false;
  }

  /** New alerts about this person are news of the track, too. */
  alertsChanged() {
    if (!this.found) return;
    const known = new Set(this.found.map((one) => one.id));
    const fresh = this.frame.log.alerts.filter((one) => one.criminal_id === this.id && !known.has(one.id) && one.seq > (this.found[0]?.seq ?? 0));
    this.found = [...fresh.reverse(), ...this.found].map((one) => this.frame.log.byId.get(one.id) ?? one);
    if (fresh.length) this.attempt(() => this.readTrack());
    this.drawAlerts();
  }

  drawHead() {
    const { person } = this;
    document.title = `${isolated(person.name)} · ${text.product}`;
    fill(
      this.heading,
      el("h1", {}, typed(person.name)),
      threatChip(person.threat),
      personChip(person),
      this.frame.session.may("manage") && el("div", { class: "row end" }, this.actions()),
    );
  }

  actions() {
    const { person } = this;
    const next = person.status === "wanted" ? "apprehended" : "wanted";
    return [
      el("button", { onclick: () => this.edit() }, text.person.edit),
      el("button", { onclick: ({ currentTarget: button }) => this.set(button, next) }, text.person[next]),
      el("button", { class: "danger", onclick: () => this.attempt(() => this.remove()) }, text.person.remove),
      el("button", { class: "danger", onclick: () => openEraseDialog(person, () => this.leave()) }, text.person.erase),
    ];
  }

  edit() {
    openPersonForm(this.frame, this.person, (saved) => this.saved(saved));
  }

  /** Sets the status; a second click would be refused, for it is based on what the first one changed. */
  async set(button, status) {
    button.disabled = true;
    const where = path`/api/criminals/${this.id}`;
    await this.attempt(async () => this.saved(await put(where, { status, revision: this.person.revision })));
    button.disabled = false;
  }

  saved(person) {
    this.frame.people.drop(this.id);
    this.frame.say(text.person.saved(person.name ?? this.person.name), "good");
    this.found = null;
    this.attempt(() => this.read());
  }

  async remove() {
    if (await removeAsked(this.frame, this.person)) this.leave();
  }

  leave() {
    this.frame.people.drop(this.id);
    location.hash = "#/people";
  }

  drawRecord() {
    const { person } = this;
    const facts = [
      [text.people.crimes, person.crimes.map((crime, place) => [place ? ", " : "", typed(crime)])],
      [text.person.age, person.age],
      [text.people.reference, person.case_reference && typed(person.case_reference)],
      [text.person.expires, person.expires_at ? exactElement(person.expires_at) : text.person.noExpiry],
      [text.people.lastSeen, person.last_seen_at ? [agoElement(person.last_seen_at), " · ", typed(placeOf({ camera_location: person.last_seen_location, camera_id: person.last_seen_camera }))] : text.people.never],
      [text.person.created, person.created_at && exactElement(person.created_at)],
    ];
    fill(
      this.record,
      el("h2", {}, text.person.record),
      el("dl", { class: "pairs" }, facts.map(([name, value]) => [el("dt", { class: "muted small" }, name), el("dd", {}, isEmpty(value) ? text.none : value)])),
    );
  }

  drawPhotos(photos) {
    const { name } = this.person;
    const may = this.frame.session.may("manage");
    const figure = ({ id, quality }, place) =>
      el(
        "figure",
        {},
        photoImage(this.id, id, 480, text.person.photoAlt(name, place + 1)),
        el(
          "figcaption",
          { class: "row spread" },
          qualityChip(quality),
          may && el("button", { class: "plain small danger", "aria-label": text.person.removePhoto(place + 1), onclick: () => this.attempt(() => this.removePhoto(id)) }, text.person.remove),
        ),
      );
    fill(
      this.photos,
      el("h2", {}, text.person.photos),
      photos.length ? el("div", { class: "photos" }, photos.map(figure)) : el("p", { class: "notice warn" }, text.person.noPhotos),
    );
  }

  async removePhoto(photoId) {
    if (!(await ask(text.person.removePhotoTitle, text.person.removePhotoHint, text.person.remove))) return;
    await remove(path`/api/criminals/${this.id}/photos/${photoId}`);
    await this.readPhotos();
  }

  drawTrack() {
    const { sightings } = this;
    if (!sightings.length) {
      fill(this.track, el("h2", {}, text.person.track), el("p", { class: "muted" }, text.person.noTrack));
      return;
    }
    this.span ??= usualSpan(sightings);
    const choose = el(
      "select",
      { "aria-label": text.person.range, onchange: () => ((this.span = choose.value), this.drawTrack()) },
      Object.entries(text.person.ranges).map(([value, name]) => el("option", { value, selected: value === this.span }, name)),
    );
    const shown = within(sightings, this.span);
    const hadFocus = this.track.contains(document.activeElement);
    fill(this.track, el("div", { class: "row spread" }, el("h2", {}, text.person.track), choose), this.planOf(shown), lanes(shown), stopList(shown));
    if (hadFocus) choose.focus();
  }

  /** The way over the plan of the site, if there is one. */
  planOf(sightings) {
    return this.site.address && planPicture(this.site, { stops: stopsOf(sightings), labels: namesOf(sightings) });
  }

  drawAlerts() {
    const { found } = this;
    const names = namesOf(found);
    const row = (one) =>
      el(
        "tr",
        {},
        el("td", {}, el("a", { href: alertAddress(one.id) }, exactElement(one.occurred_at))),
        el("td", { class: "camera" }, el("bdi", {}, names.get(one.camera_id))),
        el("td", { class: "number" }, one.fpir === null ? text.none : shortOdds(one.fpir)),
        el("td", {}, statusChip(one.status)),
      );
    const head = ["time", "camera", "odds", "state"].map((name) => text.person[name]);
    fill(
      this.alerts,
      el("h2", {}, text.person.alerts),
      found.length
        ? table(text.person.alerts, head, found.map(row), { kind: "of-person" })
        : el("p", { class: "muted" }, text.person.noAlerts),
      this.hasMore && this.more,
    );
  }
}

const isEmpty = (value) => value === null || value === undefined || (Array.isArray(value) && !value.length);
