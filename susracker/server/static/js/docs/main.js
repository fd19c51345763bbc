// The page of the API: reads /openapi.json, and shows each route with a form to try it.

import { get } from "../api.js";
import { el, fill } from "../dom.js";
import { operationDetails } from "./operation.js";
import { Schemas } from "./schemas.js";
import { prose } from "./prose.js";
import { text } from "./text.js";

const page = document.getElementById("page");
const METHODS = ["get", "post", "put", "delete"];

async function start() {
  fill(page, el("main", { class: "docs" }, el("p", { class: "empty" }, text.loading)));
  try {
    fill(page, shown(await get("/openapi.json")));
  } catch (error) {
    fill(page, el("main", { class: "docs" }, el("p", { class: "notice bad", role: "alert" }, text.failed(error.message))));
    throw error;
  }
  openNamed();
}

function shown({ info, paths, components }) {
  const schemas = new Schemas(components.schemas);
  const key = el("input", { type: "password", autocomplete: "off", spellcheck: "false", "aria-describedby": "key-hint" });
  const groups = new Map();
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of METHODS.filter((one) => one in operations)) {
      const operation = operations[method];
      const [tag] = operation.tags;
      const one = operationDetails(path, method, operation, schemas, () => key.value.trim());
      groups.set(tag, [...(groups.get(tag) ?? []), one]);
    }
  }
  return el(
    "main",
    { class: "docs" },
    header(info, key),
    [...groups].map(([tag, all]) => el("section", {}, el("h2", {}, tag.replaceAll("_", " ")), all)),
    el("section", {}, el("h2", {}, text.objects), Object.entries(schemas.all).map(([name, one]) => objectDetails(name, one, schemas))),
  );
}

function header({ description }, key) {
  return el(
    "header",
    {},
    el("h1", {}, text.title),
    el("p", {}, text.intro, " ", el("a", { href: "/openapi.json" }, "/openapi.json"), ". ", prose(description)),
    el("label", { class: "field" }, text.key, key),
    el("p", { class: "small muted", id: "key-hint" }, text.keyHint),
  );
}

function objectDetails(name, schema, schemas) {
  const isObject = schema.properties || schema.type === "object";
  return el(
    "details",
    { id: name },
    el("summary", {}, el("code", {}, name), " ", el("span", { class: "muted" }, prose(schema.description))),
    el("div", { class: "stack" }, isObject ? schemas.fields(schema) : el("p", {}, schemas.type(schema))),
  );
}

/** Opens what the address names. */
function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!(named instanceof HTMLDetailsElement)) return;
  named.open = true;
  named.scrollIntoView();
}

addEventListener("hashchange", openNamed);
start();
