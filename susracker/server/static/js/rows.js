// A list of which only the rows in sight exist, so that ten thousand scroll as ten do.

import { el } from "./dom.js";

const EXTRA = 4;
/** More is asked for when so many rows are left below, so that nobody who scrolls has to wait. */
const AHEAD = 40;

export class Rows {
  /**
   * @param {object} options
   *   label: what the list is called. height: of a row, in pixels.
   *   row(item): the content of a row; mark(item): a text that changes when that does.
   *   pick(item): called when a row is chosen.
   *   nearEnd(): called when the end comes near.
   */
  constructor(options) {
    this.options = options;
    this.items = [];
    this.chosen = null;
    this.shown = new Map();
    this.list = el("ul", {
      role: "listbox",
      tabindex: "0",
      "aria-label": options.label,
      onclick: (event) => this.#click(event),
    });
    this.element = el("div", { class: "rows", onscroll: () => this.#scrolled() }, this.list);
    /** Where it is scrolled to, and its height: to ask the browser would make it lay out the page. */
    this.top = 0;
    this.height = 0;
    this.resized = new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect.height));
    this.resized.observe(this.element);
  }

  close() {
    this.resized.disconnect();
  }

  /** Shows items, newest first; what is in sight stays in sight when others come before it. */
  show(items) {
    const anchor = this.#anchor();
    this.items = items;
    this.list.style.height = `${items.length * this.options.height}px`;
    this.#restore(anchor);
    this.#draw();
  }

  /** Marks an item as chosen, and brings it into sight. */
  choose(id, { scroll = true } = {}) {
    this.chosen = id;
    const index = this.items.findIndex((one) => one.id === id);
    if (scroll && index >= 0) this.#bringIntoSight(index);
    this.#draw();
    for (const [key, row] of this.shown) row.setAttribute("aria-selected", key === id);
    if (this.shown.has(id)) this.list.setAttribute("aria-activedescendant", `row-${id}`);
    else this.list.removeAttribute("aria-activedescendant");
  }

  #scrolled() {
    this.top = this.element.scrollTop;
    this.#draw();
  }

  #resize(height) {
    this.height = height;
    this.#scrolled();
  }

  #scrollTo(top) {
    this.element.scrollTop = this.top = Math.max(0, Math.min(top, this.items.length * this.options.height - this.height));
  }

  #anchor() {
    const { top } = this;
    if (top < this.options.height / 2) return null;
    const index = Math.floor(top / this.options.height);
    return { id: this.items[index]?.id, offset: top - index * this.options.height };
  }

  #restore(anchor) {
    if (!anchor) return;
    const index = this.items.findIndex((one) => one.id === anchor.id);
    this.#scrollTo(index >= 0 ? index * this.options.height + anchor.offset : this.top);
  }

  #bringIntoSight(index) {
    const { height } = this.options;
    const top = index * height;
    if (top < this.top) this.#scrollTo(top);
    else if (top + height > this.top + this.height) this.#scrollTo(top + height - this.height);
  }

  #draw() {
    const { height } = this.options;
    const first = Math.max(0, Math.floor(this.top / height) - EXTRA);
    const end = Math.min(this.items.length, Math.ceil((this.top + this.height) / height) + EXTRA);
    const wanted = new Set();
    for (let index = first; index < end; index += 1) {
      wanted.add(this.items[index].id);
      this.#place(index);
    }
    for (const [id, row] of this.shown) {
      if (wanted.has(id)) continue;
      row.remove();
      this.shown.delete(id);
    }
    if (end >= this.items.length - AHEAD) this.options.nearEnd?.();
  }

  #place(index) {
    const item = this.items[index];
    const mark = this.options.mark(item);
    let row = this.shown.get(item.id);
    if (row?.dataset.mark !== mark) {
      row?.remove();
      row = this.#make(item, mark);
      this.shown.set(item.id, row);
      this.list.append(row);
    }
    row.style.transform = `translateY(${index * this.options.height}px)`;
    row.setAttribute("aria-posinset", index + 1);
    row.setAttribute("aria-setsize", this.items.length);
  }

  #make(item, mark) {
    return el(
      "li",
      {
        role: "option",
        id: `row-${item.id}`,
        "aria-selected": String(item.id === this.chosen),
        "data-id": item.id,
        "data-mark": mark,
      },
      this.options.row(item),
    );
  }

  #click(event) {
    const row = event.target.closest("[data-id]");
    const item = row && this.items.find((one) => one.id === row.dataset.id);
    if (item) this.options.pick(item);
  }
}
