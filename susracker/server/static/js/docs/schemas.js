// JSON Schemas as people read them, and bodies to begin with.

import { el } from "../dom.js";
import { prose } from "./prose.js";
import { text } from "./text.js";

const WHERE = "#/components/schemas/";
const LIMITS = { minimum: "from", maximum: "to", maxLength: "up to", default: "default" };

export class Schemas {
  constructor(all) {
    this.all = all;
  }

  /** A schema itself, where another one may refer to it. */
  resolve(schema) {
    return schema.$ref ? this.all[nameOf(schema)] : schema;
  }

  /** What a value is, in a few words, with links to objects. */
  type(schema) {
    if (schema.$ref) return [el("a", { href: `#${nameOf(schema)}` }, nameOf(schema))];
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) return choices.flatMap((one, place) => [place ? " or " : "", ...this.type(one)]);
    const values = schema.enum ?? (schema.const === undefined ? null : [schema.const]);
    if (values) return [values.map((one) => JSON.stringify(one)).join(", ")];
    if (schema.type === "array") return ["list of ", ...this.type(schema.items ?? schema.prefixItems?.[0] ?? {})];
    const limits = Object.entries(LIMITS).filter(([name]) => name in schema && schema[name] !== "");
    const kind = schema.format ?? schema.contentEncoding ?? schema.type ?? "anything";
    return [[kind, ...limits.map(([name, word]) => `${word} ${JSON.stringify(schema[name])}`)].join(", ")];
  }

  /** The fields of an object, as a table. */
  fields(schema) {
    const { properties = {}, required = [], additionalProperties } = this.resolve(schema);
    const rows = Object.entries(properties).map(([name, one]) =>
      el("tr", {}, el("td", {}, el("code", {}, name), required.includes(name) ? "" : "?"), el("td", {}, this.type(one)), el("td", {}, prose(one.description))),
    );
    const head = el("thead", {}, el("tr", {}, [text.name, text.type, text.meaning].map((one) => el("th", { scope: "col" }, one))));
    return [
      rows.length > 0 && el("div", { class: "wide" }, el("table", {}, head, el("tbody", {}, rows))),
      additionalProperties === true && el("p", { class: "muted" }, text.more),
    ];
  }

  /** A value to begin with: what is required, and nothing else. */
  example(schema) {
    const found = this.resolve(schema);
    if (found.const !== undefined) return found.const;
    if (found.enum) return found.enum[0];
    if (found.default !== undefined && found.default !== null) return found.default;
    const [choice] = found.anyOf ?? found.oneOf ?? [];
    if (choice) return this.example(choice);
    if (found.type === "object" || found.properties) return this.exampleObject(found);
    return { array: [], boolean: false, integer: found.minimum ?? 0, number: found.minimum ?? 0, string: "" }[found.type] ?? null;
  }

  exampleObject({ properties = {}, required = [] }) {
    return Object.fromEntries(required.map((name) => [name, this.example(properties[name] ?? {})]));
  }
}

export const nameOf = (schema) => schema.$ref.slice(WHERE.length);
