// Photos on their way to the server, which takes only so much in one request.

/** Bytes of photos in one request at most: the server takes `max_body_mb`, which is 16 by default. */
const AT_ONCE = 8_000_000;

/**
 * Photos in groups that fit into a request; a larger one is alone.
 * @param {{file: File}[]} photos
 */
export function inParts(photos) {
  const found = [];
  let bytes = Infinity;
  for (const photo of photos) {
    if (bytes + photo.file.size > AT_ONCE) {
      found.push([]);
      bytes = 0;
    }
    found.at(-1).push(photo);
    bytes += photo.file.size;
  }
  return found;
}

/** A form with fields, of which some may be lists, and photos. */
export function formOf(fields, photos) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) body.append(name, one);
  }
  for (const { file } of photos) body.append("images", file);
  return body;
}
