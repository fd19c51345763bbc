// Enrolled photos, and how well a face can be recognised in one.

import { path } from "./api.js";
import { el } from "./dom.js";
import { text } from "./text.js";

/** Pixels between the eyes, and sharpness: what is enough to be good, and to be fair. */
const GOOD = { eyes: 60, sharpness: 100 };
const FAIR = { eyes: 35, sharpness: 40 };

/** The address of an enrolled photo, of so many pixels at most. */
function photoAddress(personId, photoId, size) {
  return `${path`/api/criminals/${personId}/photos/${photoId}`}?size=${size}`;
}

/** An enrolled photo, loaded when it comes into sight. */
export function photoImage(personId, photoId, size, alt) {
  return el("img", { src: photoAddress(personId, photoId, size), alt, loading: "lazy" });
}

/** "good", "fair" or "poor"; "none" where the photo has no template. */
export function gradeOf(quality) {
  if (!quality) return "none";
  const reaches = (least) => quality.eye_distance >= least.eyes && quality.sharpness >= least.sharpness;
  if (reaches(GOOD)) return "good";
  return reaches(FAIR) ? "fair" : "poor";
}

const COLOUR = { good: "good", fair: "", poor: "warn", none: "bad" };

export function qualityChip(quality) {
  const grade = gradeOf(quality);
  const detail = quality && text.person.qualityDetail(...[quality.eye_distance, quality.sharpness, quality.brightness].map(Math.round));
  return el("span", { class: `chip ${COLOUR[grade]}`, title: detail }, text.person.quality[grade]);
}

/** Why a photo is refused, such as "no face was found", where the server says "no face: no face was found". */
export function withoutEcho(why) {
  return why.replace(/^(.+?): (?=\1)/, "");
}
