// Single-key shortcuts: not while someone types, and not if they turned them off.

const OFF = "susracker.no-shortcuts";

export const shortcutsOn = () => localStorage.getItem(OFF) !== "yes";

export function setShortcuts(on) {
  localStorage.setItem(OFF, on ? "no" : "yes");
}

/** The key of a shortcut, in lower case; null if what was pressed is meant for something else. */
export function keyOf(event) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return null;
  if (!shortcutsOn() || document.querySelector("dialog[open]")) return null;
  if (key !== "Escape" && target.closest?.("input, textarea, select")) return null;
  if ((key === "Enter" || key === " ") && target.closest?.("button, a, summary")) return null;
  return key.length === 1 ? key.toLowerCase() : key;
}
