// Makes elements. Texts become text nodes, never markup, whoever typed them.

import { plain } from "./bidi.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element.
 * @param {string} tag
 * @param {object} properties attributes by name; `onclick` and the like are listeners; null, undefined and false are left out.
 * @param {...(Node|string|number|Array|null|false|undefined)} children
 */
export function el(tag, properties = {}, ...children) {
  return build(document.createElement(tag), properties, children);
}

/** The same for an element of SVG. */
export function svg(tag, properties = {}, ...children) {
  return build(document.createElementNS(SVG, tag), properties, children);
}

/** A text that somebody typed or a camera sent: its direction does not leak into what is around it. */
export function typed(text, properties = {}) {
  return el("bdi", properties, plain(text ?? ""));
}

/** Replaces everything in an element. */
export function fill(parent, ...children) {
  parent.replaceChildren(...usable(children));
  return parent;
}

/**
 * A listener of clicks that leaves out the second one of a double click: by then, something else may
 * be under the pointer.
 * @param {() => void} work
 */
export function once(work) {
  return (event) => {
    if (event.detail < 2) work();
  };
}

function build(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...usable(children));
  return node;
}

function usable(children) {
  return children
    .flat(Infinity)
    .filter((one) => one !== null && one !== undefined && one !== false)
    .map((one) => (one instanceof Node ? one : String(one)));
}
