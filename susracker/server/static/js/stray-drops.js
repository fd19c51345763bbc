// A file that is dropped beside the place for it: the browser would open it instead of the page, and
// what was typed in a form would be gone.

export function refuseStrayDrops() {
  addEventListener("dragover", refuse);
  addEventListener("drop", refuse);
}

function refuse(event) {
  if (event.defaultPrevented || !event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "none";
}
