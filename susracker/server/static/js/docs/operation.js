// A route: what it takes and answers, and a form to try it.

import { el } from "../dom.js";
import { prose } from "./prose.js";
import { text } from "./text.js";
import { tryForm } from "./try.js";

const COLOURS = { get: "", post: "good", put: "warn", delete: "bad" };

export function operationDetails(path, method, operation, schemas, keyOf) {
  const chip = el("span", { class: `chip method ${COLOURS[method] ?? ""}` }, method.toUpperCase());
  const summary = el("summary", {}, chip, el("code", {}, path), " ", el("span", { class: "muted" }, prose(operation.summary)));
  const details = el("details", { id: operation.operationId, ontoggle: () => show() }, summary);
  let isShown = false;
  function show() {
    if (isShown) return;
    isShown = true;
    details.append(el("div", { class: "stack" }, parts(path, method, operation, schemas, keyOf)));
  }
  return details;
}

function parts(path, method, operation, schemas, keyOf) {
  const roles = operation["x-roles"];
  return [
    operation.description && el("p", {}, prose(operation.description)),
    el("p", { class: "muted" }, roles ? text.forWhom(roles) : text.forEveryone),
    parameters(operation, schemas),
    body(operation, schemas),
    answers(operation, schemas),
    tryForm(path, method, operation, schemas, keyOf),
  ];
}

function table(columns, rows) {
  const head = el("tr", {}, columns.map((one) => el("th", { scope: "col" }, one)));
  return el("div", { class: "wide" }, el("table", {}, el("thead", {}, head), el("tbody", {}, rows)));
}

function parameters({ parameters: all }, schemas) {
  const rows = all.map((one) =>
    el("tr", {}, el("td", {}, el("code", {}, one.name), one.required ? "" : "?"), el("td", {}, one.in), el("td", {}, schemas.type(one.schema)), el("td", {}, prose(one.description))),
  );
  return rows.length > 0 && [el("h3", {}, text.parameters), table([text.name, text.where, text.type, text.meaning], rows)];
}

function body({ requestBody }, schemas) {
  const all = Object.entries(requestBody?.content ?? {});
  return all.length > 0 && [el("h3", {}, text.body), el("ul", {}, all.map(([media, { schema }]) => el("li", {}, schemas.type(schema), ` as ${media}`)))];
}

function answers({ responses }, schemas) {
  const rows = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const kinds = Object.entries(content).map(([media, { schema }]) => el("div", {}, schemas.type(schema), ` as ${media}`));
    return el("tr", {}, el("td", {}, status, " ", prose(description)), el("td", {}, kinds));
  });
  return [el("h3", {}, text.answers), table([text.status, text.body], rows)];
}
