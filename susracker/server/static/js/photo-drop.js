// Where photos are dropped, chosen, or taken with the webcam.

import { el } from "./dom.js";
import { text } from "./text.js";
import { openWebcam } from "./webcam.js";

const PICTURES = "image/*";

/**
 * A place to drop photos.
 * @param {(files: File[]) => void} onFiles
 */
export function dropZone(onFiles, { hint, label = text.form.photos, multiple = true, webcam = true, onProblem = () => {} } = {}) {
  const input = el("input", { type: "file", accept: PICTURES, multiple, class: "hidden", "aria-label": label, onchange: () => take(input.files) });
  const take = (files) => {
    if (files.length) onFiles(multiple ? [...files] : [files[0]]);
    input.value = "";
  };
  const zone = el(
    "div",
    {
      class: "drop",
      ondragover: (event) => (event.preventDefault(), zone.classList.add("over")),
      ondragleave: () => zone.classList.remove("over"),
      ondrop: (event) => (event.preventDefault(), zone.classList.remove("over"), take(event.dataTransfer.files)),
    },
    el("span", {}, hint ?? (multiple ? text.form.drop : text.form.dropOne)),
    el("button", { type: "button", onclick: () => input.click() }, multiple ? text.form.choose : text.form.chooseOne),
    webcam && navigator.mediaDevices && el("button", { type: "button", onclick: () => openWebcam((file) => onFiles([file]), onProblem) }, text.form.webcam),
    input,
  );
  return zone;
}
