// Who is to be added: from the photos of a folder, or from a list in it, by the rules of `susracker enroll`.

import { post } from "./api.js";

/** What tells several photos of one person apart. */
const NUMBER = /(?<=.)[ _-]*(?:\(\d{1,6}\)|(?<=[ _-])\d{1,6})$/;

/**
 * @typedef {object} Listed a person to add
 * @property {object} fields as `POST /api/enrolments` takes them
 * @property {{path: string, file: File|undefined}[]} photos without a file where the folder has none
 */

/** The lists in CSV in a folder, however deep. @param {File[]} files of a folder, with their paths */
export function listsIn(files) {
  return files.filter((file) => isShown(file) && file.name.toLowerCase().endsWith(".csv"));
}

/** The people of a folder without a list. @param {File[]} files @returns {Listed[]} */
export function peopleIn(files) {
  const people = new Map();
  const photos = files.filter((file) => file.type.startsWith("image/") && isShown(file));
  for (const file of photos.sort((one, other) => one.webkitRelativePath.localeCompare(other.webkitRelativePath))) {
    const name = nameOf(file);
    if (!people.has(name)) people.set(name, { fields: { name }, photos: [] });
    people.get(name).photos.push({ path: withoutFirst(file.webkitRelativePath), file });
  }
  return [...people.values()];
}

/** The people of a list. @returns {Promise<{people: Listed[], badRows: {where: string, problem: string}[]}>} */
export async function readList(list, files) {
  const body = new FormData();
  body.append("name", list.name);
  body.append("file", list);
  const { people, bad_rows: badRows } = await post("/api/enrolments/list", body);
  const known = new Map(files.map((file) => [file.webkitRelativePath, file]));
  const folder = list.webkitRelativePath.split("/").slice(0, -1);
  const photo = (path) => ({ path, file: known.get(resolved(folder, path)) });
  return { people: people.map(({ fields, photos }) => ({ fields, photos: photos.map(photo) })), badRows };
}

function isShown(file) {
  return !file.webkitRelativePath.includes("/.");
}

function nameOf(file) {
  const parts = file.webkitRelativePath.split("/");
  const name = parts.length > 2 ? parts.at(-2) : file.name.replace(/\.[^.]*$/, "").replace(NUMBER, "");
  return name.replaceAll("_", " ").trim();
}

function withoutFirst(path) {
  return path.slice(path.indexOf("/") + 1);
}

/** A path from a folder, without dots. */
function resolved(folder, path) {
  const parts = [...folder];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
