// Pictures that are files of the page.

import { el } from "./dom.js";

/** The product's sign; it stands beside its name, so it needs no text. */
export function iconImage() {
  return el("img", { src: new URL("../icon.svg", import.meta.url).pathname, alt: "" });
}
