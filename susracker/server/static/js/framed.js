// A photo with boxes around the faces in it.

import { el } from "./dom.js";

/**
 * @param {string} source
 * @param {{width: number, height: number}} size of the picture in which the boxes are
 * @param {{box: object, label?: string, kind?: string}[]} faces
 */
export function framedPhoto(source, alt, size, faces) {
  const boxes = faces.map(({ box, label, kind }) => {
    const frame = el("span", { class: `box ${kind ?? ""}` }, label);
    const percent = (length, whole) => `${(100 * length) / whole}%`;
    frame.style.left = percent(box.left, size.width);
    frame.style.top = percent(box.top, size.height);
    frame.style.width = percent(box.right - box.left, size.width);
    frame.style.height = percent(box.bottom - box.top, size.height);
    return frame;
  });
  return el("span", { class: "framed" }, el("img", { src: source, alt }), boxes);
}
