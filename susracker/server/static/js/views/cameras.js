import { el } from "../dom.js";

export function open() {
  return { title: "", element: el("div", { class: "view" }) };
}
