// A form that sends a request, and shows what is answered.

import { el, fill } from "../dom.js";
import { text } from "./text.js";

const FORM = "multipart/form-data";
const SHOWN = ["content-type", "etag", "location", "retry-after", "x-request-id", "www-authenticate"];

/** @param {() => string} keyOf the key that was typed, or nothing */
export function tryForm(path, method, operation, schemas, keyOf) {
  const inputs = operation.parameters.map(parameterInput);
  const contents = Object.entries(operation.requestBody?.content ?? {});
  const body = el("div", { class: "stack" });
  const kind = el(
    "select",
    { onchange: () => showBody() },
    contents.map(([media]) => el("option", { value: media }, media)),
  );
  const answer = el("div", { class: "stack", role: "status" });
  const button = el("button", { class: "main" }, text.send);
  let bodyOf = () => undefined;
  function showBody() {
    const [media, { schema }] = contents[kind.selectedIndex];
    bodyOf = media === FORM ? formBody(body, schemas.resolve(schema), schemas) : jsonBody(body, schema, schemas, media);
  }
  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    fill(answer, el("p", { class: "muted" }, text.sending));
    try {
      fill(answer, await sent(requestOf(path, method, inputs, keyOf(), bodyOf())));
    } finally {
      button.disabled = false;
    }
  }
  if (contents.length) showBody();
  return el(
    "form",
    { class: "try", onsubmit: submit },
    el("h3", {}, text.try),
    method !== "get" && el("p", { class: "small muted" }, text.changes),
    el("div", { class: "inputs" }, inputs.map(({ label }) => label)),
    contents.length > 1 && el("label", { class: "field" }, text.bodyType, kind),
    contents.length > 0 && body,
    el("div", { class: "row" }, button),
    answer,
  );
}

function parameterInput({ name, in: where, required, schema }) {
  const type = schema.type === "integer" || schema.type === "number" ? "number" : "text";
  const input = el("input", { type, name, required: required === true, step: type === "number" && "any" });
  return { name, where, input, label: el("label", { class: "field" }, `${name} (${where})`, input) };
}

function jsonBody(parent, schema, schemas, media) {
  const area = el("textarea", { spellcheck: "false", value: JSON.stringify(schemas.example(schema), null, 2) });
  fill(parent, el("label", { class: "field" }, `${text.body}: ${media}`, area));
  return () => ({ content: area.value, media });
}

function formBody(parent, { properties = {} }, schemas) {
  const inputs = Object.entries(properties).map(([name, one]) => {
    const isFile = [one, one.items ?? {}].some((part) => schemas.resolve(part).format === "binary");
    const input = el("input", { type: isFile ? "file" : "text", name, multiple: one.type === "array" });
    return { name, input, isFile, label: el("label", { class: "field" }, name, input) };
  });
  fill(parent, inputs.map(({ label }) => label));
  return () => {
    const form = new FormData();
    for (const { name, input, isFile } of inputs) {
      for (const file of isFile ? input.files : []) form.append(name, file);
      if (!isFile && input.value) form.append(name, input.value);
    }
    return { content: form };
  };
}

function requestOf(path, method, inputs, key, body) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const query = new URLSearchParams();
  let address = path;
  for (const { name, where, input } of inputs) {
    if (where === "path") address = address.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value && where === "query") query.append(name, input.value);
    else if (input.value) headers[name] = input.value;
  }
  if (body?.media) headers["Content-Type"] = body.media;
  const asked = query.size ? `?${query}` : "";
  const options = { method: method.toUpperCase(), headers, body: body?.content, credentials: "same-origin", cache: "no-store" };
  return { address: address + asked, options };
}

async function sent({ address, options }) {
  const began = performance.now();
  try {
    const answer = await fetch(address, options);
    const content = await answer.blob();
    return await shown(answer, content, `${options.method} ${address}`, Math.round(performance.now() - began));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return el("p", { class: "notice bad" }, text.noAnswer(error.message));
  }
}

async function shown(answer, content, request, milliseconds) {
  const headers = SHOWN.filter((name) => answer.headers.has(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
  return [
    el("p", {}, el("code", {}, request)),
    el("p", { class: answer.ok ? "notice good" : "notice bad" }, text.answered(answer.status, answer.statusText, milliseconds)),
    headers.length > 0 && el("pre", { tabindex: "0" }, headers.join("\n")),
    await bodyOf(content),
  ];
}

async function bodyOf(content) {
  if (!content.size) return el("p", { class: "muted" }, text.empty);
  if (content.type.startsWith("image/")) return el("img", { src: URL.createObjectURL(content), alt: text.picture });
  if (!/json|text/.test(content.type)) return el("p", { class: "muted" }, text.bytes(content.size, content.type));
  const found = await content.text();
  return el("pre", { tabindex: "0" }, content.type.includes("json") ? JSON.stringify(JSON.parse(found), null, 2) : found);
}
