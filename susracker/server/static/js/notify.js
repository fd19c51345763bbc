// Browser notifications, while nobody looks at the page. The browser asks the person first.

import { el } from "./dom.js";
import { text } from "./text.js";

const permission = () => globalThis.Notification?.permission;

/** Shows a notification, if that was allowed and the page is out of sight. A newer one replaces it. */
export function notify(title, body) {
  if (document.hidden && permission() === "granted") new Notification(title, { body, tag: "susracker" });
}

/** A button to allow notifications; nothing where that was decided, or the browser has none. */
export function notifyButton() {
  if (permission() !== "default") return null;
  const decide = async () => {
    await Notification.requestPermission();
    if (permission() !== "default") button.remove();
  };
  const button = el("button", { class: "plain wide-only", title: text.frame.notifyHint, onclick: decide }, text.frame.notify);
  return button;
}
