// Small plots, as SVG: bars, and rates with their intervals beside a promise.

import { el, svg } from "./dom.js";

const BARS = { width: 120, height: 32, gap: 2 };

/** A few bars without axes; `values` are numbers, `labels` what each one is called. */
export function sparkBars(values, labels, name) {
  const most = Math.max(...values, 1);
  const step = BARS.width / values.length;
  const bars = values.map((value, place) => {
    const height = Math.max(1, (BARS.height * value) / most);
    const bar = { class: value ? "bar-fill" : "bar-none", x: place * step, y: BARS.height - height, width: step - BARS.gap, height };
    return svg("rect", bar, svg("title", {}, labels[place]));
  });
  const summary = `${name}: ${labels.join("; ")}`;
  return svg("svg", { class: "spark", viewBox: `0 0 ${BARS.width} ${BARS.height}`, role: "img", "aria-label": summary }, bars);
}

/**
 * One bar of several parts, such as what became of alerts.
 * @param {{name: string, value: number, kind: string}[]} parts
 */
export function partsBar(parts, label) {
  const sum = parts.reduce((total, part) => total + part.value, 0) || 1;
  const summary = `${label}: ${parts.map((part) => `${part.name} ${part.value}`).join(", ")}`;
  const bar = el("span", { class: "parts", role: "img", "aria-label": summary });
  for (const part of parts.filter((one) => one.value)) {
    const piece = el("span", { class: part.kind, title: `${part.name}: ${part.value}` });
    piece.style.flexGrow = part.value / sum;
    bar.append(piece);
  }
  return bar;
}

/**
 * Rates with their intervals on one scale, beside a promised rate.
 * @param {number} most the end of the scale
 */
export function intervalPlot({ rate, interval, promised, most }, label) {
  const x = (value) => `${(100 * Math.min(value, most)) / most}%`;
  const [low, high] = interval;
  return svg(
    "svg",
    { class: "interval", height: 22, role: "img", "aria-label": label },
    svg("line", { class: "axis", x1: 0, x2: "100%", y1: 11, y2: 11 }),
    svg("line", { class: "promise", x1: x(promised), x2: x(promised), y1: 1, y2: 21 }),
    svg("line", { class: "reach", x1: x(low), x2: x(high), y1: 11, y2: 11 }),
    svg("circle", { class: "rate", cx: x(rate), cy: 11, r: 4 }),
    svg("title", {}, label),
  );
}

/** A share in percent: two digits are as much as is known. */
export function percent(share) {
  return `${Number((100 * share).toPrecision(2))}%`;
}
