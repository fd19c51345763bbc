// Removes a person, once somebody has agreed to it.

import { ask } from "./ask.js";
import { path, remove } from "./api.js";
import { text } from "./text.js";

/** Resolves to whether the person was removed; rejects with an `ApiError` if the server refuses it. */
export async function removeAsked(frame, { id, name }) {
  if (!(await ask(text.person.removeTitle(name), text.person.removeHint, text.person.remove))) return false;
  await remove(path`/api/criminals/${id}`);
  frame.people.drop(id);
  frame.say(text.person.removed(name), "good");
  return true;
}
