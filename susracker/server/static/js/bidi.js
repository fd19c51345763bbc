// The direction of texts that somebody typed or a camera sent. Unicode's controls of direction can
// make a text, and what stands beside it, read as something else.
// https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters

/** Embeddings, overrides, isolates and their ends; marks such as RLM stay. */
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;
const [START, END] = ["\u2068", "\u2069"];

/** A text without controls of direction: an end among them would end what isolates the text. */
export function plain(text) {
  return String(text).replace(CONTROLS, "");
}

/** A text that does not change the order of what it is put into. */
export function isolated(text) {
  return START + plain(text) + END;
}
