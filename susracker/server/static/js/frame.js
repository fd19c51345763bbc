// What is around the views: navigation, the state of the live connection, messages, and keys.

import { ApiError } from "./api.js";
import { CameraWatch } from "./camera-watch.js";
import { closeDialogs } from "./dialog.js";
import { el, fill } from "./dom.js";
import { Details } from "./details.js";
import { whyNot } from "./failure.js";
import { helpDialog } from "./help.js";
import { iconImage } from "./icon.js";
import { keyOf } from "./keys.js";
import { Live } from "./live.js";
import { AlertLog } from "./log.js";
import { notifyButton } from "./notify.js";
import { People } from "./people.js";
import { signOut } from "./session.js";
import { isMuted, setMuted } from "./sound.js";
import { text } from "./text.js";
import { openView, viewsFor } from "./views.js";

const MESSAGE_SECONDS = 12;

export class Frame {
  constructor(session, { onSignedOut }) {
    this.session = session;
    this.onSignedOut = onSignedOut;
    this.log = new AlertLog();
    this.details = new Details();
    this.people = new People();
    this.ends = new WeakMap();
    this.parts();
    this.onHash = () => this.leaveView();
    this.onKey = (event) => this.press(event);
  }

  parts() {
    this.link = el("span", { class: "link waits", role: "status" }, text.frame.connecting);
    this.count = el("span", { class: "count", hidden: true });
    this.messages = el("div", { class: "messages", role: "status" });
    this.polite = el("p", { class: "hidden", role: "status" });
    this.main = el("main", { id: "main", tabindex: "0" });
    this.links = viewsFor(this.session).map((view) =>
      el("a", { href: `#/${view.name}`, "data-view": view.name }, text.frame[view.name], view.name === "alerts" && this.count),
    );
    this.mute = el("button", { class: "plain", title: text.frame.soundHint, onclick: () => this.toggleSound() });
    this.showMuted();
    this.element = el(
      "div",
      { class: "frame" },
      el(
        "header",
        { class: "bar" },
        el("a", { class: "hidden", href: "#main", onclick: (event) => this.skip(event) }, text.frame.skip),
        el("span", { class: "brand" }, iconImage(), el("span", { class: "name" }, text.product)),
        el("nav", { "aria-label": text.frame.navigation }, this.links),
        el("div", { class: "tools" }, this.session.may("view") && [this.link, notifyButton(), this.mute], this.helpButton(), this.who()),
      ),
      this.messages,
      this.main,
      this.polite,
    );
  }

  start() {
    addEventListener("hashchange", this.onHash);
    addEventListener("keydown", this.onKey);
    if (this.session.may("view")) {
      this.live = new Live(this);
      this.live.start().catch((error) => this.failed(error));
      this.log.addEventListener("change", () => this.showCount());
      this.cameraWatch = new CameraWatch((message) => this.say(message, "bad"));
    }
    this.showView();
  }

  close() {
    removeEventListener("hashchange", this.onHash);
    removeEventListener("keydown", this.onKey);
    this.live?.close();
    this.cameraWatch?.close();
    this.view?.close?.();
  }

  /** Shows a message for a while, and once; kind is "good", "bad" or nothing. */
  say(message, kind = "") {
    const known = [...this.messages.children].find((line) => line.firstChild.textContent === message);
    const line = known ?? this.addLine(message);
    line.className = kind;
    clearTimeout(this.ends.get(line));
    this.ends.set(line, setTimeout(() => line.remove(), MESSAGE_SECONDS * 1000));
  }

  addLine(message) {
    const line = el("p", {}, el("span", {}, message));
    line.append(el("button", { class: "plain", "aria-label": text.frame.dismiss, onclick: () => line.remove() }, "×"));
    this.messages.append(line);
    return line;
  }

  /** Says aloud, to who listens to the page. */
  announce(message) {
    this.polite.textContent = message;
  }

  /** Shows why something did not work. */
  failed(error) {
    if (!(error instanceof ApiError)) {
      this.say(text.frame.broken, "bad");
      throw error;
    }
    if (error.status === 401) return;
    this.say(whyNot(error), "bad");
  }

  showLink(isUp) {
    this.isDown = !isUp;
    this.link.className = isUp ? "link" : "link down";
    const shown = isUp ? text.frame.up : text.frame.down;
    if (this.link.textContent !== shown) this.link.textContent = shown;
  }

  /** The address has changed: what is open belongs to the view that was left. */
  leaveView() {
    closeDialogs();
    this.showView();
  }

  async showView() {
    const [name, ...rest] = partsOf(location.hash);
    const request = (this.request = {});
    const view = await openView(this, name, rest);
    if (request !== this.request) {
      view.close?.();
      return;
    }
    this.view?.close?.();
    this.view = view;
    fill(this.main, view.element);
    this.main.scrollTop = 0;
    document.title = `${view.title} · ${text.product}`;
    for (const link of this.links) {
      if (link.dataset.view === view.name) showCurrent(link);
      else link.removeAttribute("aria-current");
    }
  }

  showCount() {
    const { waiting, mayWaitLonger } = this.log;
    const shown = Math.min(waiting, 99);
    this.count.hidden = !waiting;
    this.count.textContent = waiting > shown || mayWaitLonger ? `${shown}+` : shown;
    this.count.setAttribute("aria-label", text.frame.waiting(waiting));
  }

  press(event) {
    const key = keyOf(event);
    if (!key) return;
    if (key === "m") this.toggleSound();
    else if (key === "?") helpDialog();
    else if (!this.view?.press?.(key)) return;
    event.preventDefault();
  }

  toggleSound() {
    setMuted(!isMuted());
    this.showMuted();
  }

  showMuted() {
    this.mute.textContent = isMuted() ? text.frame.soundOff : text.frame.soundOn;
    this.mute.setAttribute("aria-pressed", !isMuted());
  }

  helpButton() {
    return el("button", { class: "plain wide-only", onclick: () => helpDialog() }, text.frame.help);
  }

  who() {
    const name = el("span", { class: "name muted" }, el("bdi", {}, this.session.name ?? text.frame.local));
    if (!this.session.isByCookie) return name;
    const leave = async () => {
      await signOut();
      this.onSignedOut();
    };
    return [name, el("button", { class: "plain", onclick: () => leave().catch((error) => this.failed(error)) }, text.frame.signOut)];
  }

  skip(event) {
    event.preventDefault();
    this.main.focus();
  }
}

/** Marks a link of the navigation, which scrolls on a narrow screen. */
function showCurrent(link) {
  link.setAttribute("aria-current", "page");
  link.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** The name of a view, and what follows it; a name of no view where the address cannot be read. */
function partsOf(hash) {
  try {
    const [name, ...rest] = hash.replace(/^#\/?/, "").replace(/\/$/, "").split("/").map(decodeURIComponent);
    return [name, ...rest];
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return ["%"];
  }
}
