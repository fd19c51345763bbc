// The alert that is looked at: both faces large, who it may be, and what to say about it.

import { personAddress } from "./addresses.js";
import { ApiError } from "./api.js";
import { nameOf } from "./alert-row.js";
import { cameraLine } from "./camera-name.js";
import { personChip, statusChip, threatChip } from "./chips.js";
import { faceOf } from "./details.js";
import { el, fill, typed } from "./dom.js";
import { whyNot } from "./failure.js";
import { history } from "./history.js";
import { JudgePanel } from "./judge.js";
import { odds, shortOdds } from "./odds.js";
import { text } from "./text.js";
import { agoElement, exactElement, lasting } from "./when.js";

/** Seconds between camera and server that are worth a word. */
const LATE = 60;

export class AlertDetail {
  constructor(frame, { onJudged, onBack }) {
    this.frame = frame;
    this.onJudged = onJudged;
    this.onBack = onBack;
    this.element = el("section", { class: "detail", "aria-label": text.alerts.choose, tabindex: "0" });
  }

  close() {
    this.id = null;
  }

  press(key) {
    if (key === "p" && this.alert?.criminal_id) {
      location.hash = personAddress(this.alert.criminal_id);
      return true;
    }
    return this.panel?.press(key) ?? false;
  }

  showNothing(lines) {
    const shown = lines.join();
    if (this.id === null && this.nothing === shown) return;
    this.id = this.alert = this.panel = null;
    this.nothing = shown;
    fill(this.element, el("div", { class: "empty" }, lines.map((line) => el("p", {}, line))));
  }

  /** Shows an alert; what is there already is shown until the rest arrives. */
  async show(id) {
    if (id === this.id) return;
    this.id = id;
    this.panel = null;
    const listed = this.frame.log.byId.get(id);
    // Nobody has said anything about a new one, so it can be judged before the rest arrives.
    const early = listed?.status === "new" ? { ...listed, reviews: [], outcomes: [] } : listed;
    this.draw(this.frame.details.cache.known(id) ?? early);
    await this.read();
  }

  async read() {
    const { id } = this;
    try {
      const [alert, person] = await this.frame.details.get(id).then(async (found) => [
        found, found.criminal_id && (await this.frame.people.get(found.criminal_id)),
      ]);
      if (id === this.id) this.draw(alert, person);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (id === this.id) fill(this.element, this.backButton(), el("p", { class: "notice bad", role: "alert" }, error.status === 404 ? text.alerts.unknown : whyNot(error)));
    }
  }

  /** Shows what others said meanwhile. */
  refresh() {
    if (!this.id) return;
    const known = this.frame.details.cache.known(this.id);
    if (!known) this.read();
    else if (this.markOf(known) !== this.mark) this.draw(known, this.frame.people.known(known.criminal_id));
  }

  markOf(alert) {
    return [alert.id, alert.status, alert.reviews?.length, alert.outcomes?.length, alert.name, alert.fpir].join(" ");
  }

  draw(alert, person) {
    if (!alert) {
      fill(this.element, el("p", { class: "empty" }, text.loading));
      return;
    }
    this.alert = alert;
    this.mark = this.markOf(alert);
    this.element.setAttribute("aria-label", alert.name ?? alert.event_type);
    const isFace = alert.alert_type === 1;
    // To put the panel back in place takes the focus from whoever is judging.
    const focused = this.panel?.element.contains(document.activeElement) ? document.activeElement : null;
    fill(
      this.element,
      this.head(alert, person),
      this.facts(alert, person),
      isFace ? this.pictures(alert) : el("p", { class: "notice" }, text.alerts.noPicture),
      isFace && alert.fpir !== null && el("p", { class: "odds" }, odds(alert.fpir)),
      alert.reviews && this.judging(alert),
      el("div", { class: "more" }, alert.reviews && history(alert), isFace && others(alert)),
    );
    focused?.focus({ preventScroll: true });
  }

  head(alert, person) {
    return el(
      "header",
      { class: "row" },
      this.backButton(),
      el("h1", {}, alert.criminal_id ? personLink(alert.criminal_id, alert.name) : nameOf(alert)),
      person && threatChip(person.threat),
      person && person.status !== "wanted" && personChip(person),
      statusChip(alert.status),
      el("span", { class: "end muted" }, agoElement(alert.occurred_at)),
    );
  }

  /** On a narrow screen, where the alert hides the list. */
  backButton() {
    return el("button", { class: "plain back", onclick: this.onBack, "aria-label": text.alerts.back }, "‹");
  }

  pictures(alert) {
    const name = alert.name ?? text.alerts.removed;
    return el(
      "div",
      { class: "pair" },
      picture(text.alerts.seen, faceOf(alert), text.alerts.faceOf(alert.camera_id), alert, text.alerts.noFace),
      picture(text.alerts.enrolled, alert.criminal_image, text.alerts.photoOf(name), alert, text.alerts.noPhoto),
    );
  }

  facts(alert, person) {
    const late = (Date.parse(alert.received_at) - Date.parse(alert.occurred_at)) / 1000;
    return el(
      "dl",
      { class: "facts" },
      fact(text.alerts.place, cameraLine(alert)),
      fact(text.alerts.at, exactElement(alert.occurred_at), late > LATE && el("span", { class: "muted" }, ` ${text.alerts.late(lasting(late))}`)),
      person?.crimes.length ? fact(text.alerts.crimes, person.crimes.map((crime, place) => [place ? ", " : "", typed(crime)])) : null,
      alert.held ? fact(text.alerts.onHold, typed(alert.held.reason)) : null,
    );
  }

  judging(alert) {
    if (!this.frame.session.may("review")) return null;
    if (this.panel?.alert.id !== alert.id) {
      this.panel = new JudgePanel(this.frame, alert, (changed) => this.judged(changed));
    }
    this.panel.update(alert);
    return this.panel.element;
  }

  judged(changed) {
    this.frame.details.change(changed);
    this.frame.log.change(changed);
    this.refresh();
    this.onJudged();
  }
}

function personLink(id, name) {
  return id ? el("a", { href: personAddress(id) }, typed(name)) : typed(name);
}

function others(alert) {
  const found = (alert.candidates ?? []).slice(1);
  return el(
    "div",
    { class: "stack" },
    el("h3", { class: "muted small" }, text.alerts.others),
    found.length
      ? el(
          "ul",
          { class: "others small" },
          found.map((one) => el("li", {}, personLink(one.criminal_id, one.name), el("span", { class: "muted number" }, shortOdds(one.fpir)))),
        )
      : el("p", { class: "small muted" }, text.alerts.noOthers),
  );
}

function fact(label, ...content) {
  return el("div", {}, el("dt", { class: "muted small" }, label), el("dd", {}, content));
}

function picture(caption, source, alt, alert, missing) {
  const isLoading = !("detected_face" in alert);
  return el(
    "figure",
    {},
    el("figcaption", { class: "small muted" }, caption),
    source ? el("img", { src: source, alt }) : el("p", { class: "missing muted small" }, isLoading ? text.alerts.loadingPicture : missing),
  );
}
