// The loss of a job over its steps, as one SVG that is drawn anew with each batch of points.
import { el } from "./dom.js";

const height = 260, left = 46, bottom = 24, top = 10, right = 10;
const mostPoints = 1500; // More than a screen has columns.

export class LossChart {
  constructor() {
    this.node = el("svg", { class: "chart", role: "img", "aria-label": "Loss over steps" });
    this.points = { train: new Map(), eval: new Map() };
    this.waiting = false;
    this.pointed = null; // Where, in pixels from the left.
    new ResizeObserver(() => this.draw()).observe(this.node);
    this.node.addEventListener("pointermove", event => { this.pointed = event.offsetX; this.draw(); });
    this.node.addEventListener("pointerleave", () => { this.pointed = null; this.draw(); });
  }

  add(series, step, loss) {
    if (!Number.isFinite(loss)) return;
    this.points[series].set(step, loss);
    if (!this.waiting) {
      this.waiting = true;
      requestAnimationFrame(() => { this.waiting = false; this.draw(); });
    }
  }

  // The run diverged: its later steps do not hold any more.
  goBackTo(step) {
    for (const points of Object.values(this.points)) [...points.keys()].filter(one => one > step).forEach(one => points.delete(one));
  }

  draw() {
    const all = [...this.points.train, ...this.points.eval];
    if (all.length === 0) return;
    const width = Math.max(200, this.node.clientWidth);
    this.node.setAttribute("viewBox", `0 0 ${width} ${height}`);
    let [maxStep, low, high] = [1, 0, 1e-6];
    for (const [step, loss] of all) [maxStep, low, high] = [Math.max(maxStep, step), Math.min(low, loss), Math.max(high, loss)];
    high += .05 * (high - low);
    const x = step => left + (step / maxStep) * (width - left - right);
    const y = loss => top + (1 - (loss - low) / (high - low)) * (height - top - bottom);
    const ticks = [0, .25, .5, .75, 1].map(part => low + part * (high - low));
    this.node.replaceChildren(
      ...ticks.map(loss => el("line", { class: "grid", x1: left, x2: width - right, y1: y(loss), y2: y(loss) })),
      ...ticks.map(loss => el("text", { x: left - 6, y: y(loss) + 4, "text-anchor": "end" }, loss.toPrecision(3))),
      el("text", { x: left, y: height - 6 }, "step 0"),
      el("text", { x: width - right, y: height - 6, "text-anchor": "end" }, `step ${maxStep}`),
      ...Object.entries(this.points).filter(([, points]) => points.size > 0).map(([name, points]) => el("path", {
        class: name,
        d: thin([...points].sort((a, b) => a[0] - b[0])).map(([step, loss], i) => `${i ? "L" : "M"}${x(step).toFixed(1)} ${y(loss).toFixed(1)}`).join(""),
      })),
      ...this.reading(x, width));
  }

  // The step under the pointer, and its losses.
  reading(x, width) {
    const steps = [...this.points.train.keys(), ...this.points.eval.keys()];
    if (this.pointed === null || steps.length === 0) return [];
    const step = steps.reduce((best, one) => Math.abs(x(one) - this.pointed) < Math.abs(x(best) - this.pointed) ? one : best);
    const losses = Object.entries(this.points).filter(([, points]) => points.has(step)).map(([name, points]) => `${name} ${points.get(step).toFixed(4)}`);
    const atRight = x(step) > width / 2;
    return [
      el("line", { class: "grid", x1: x(step), x2: x(step), y1: top, y2: height - bottom }),
      el("text", { x: x(step) + (atRight ? -8 : 8), y: top + 14, "text-anchor": atRight ? "end" : "start" }, `step ${step}: ${losses.join(", ")}`),
    ];
  }
}

// The means of neighbours, where there are more points than can be seen.
function thin(points) {
  const size = Math.ceil(points.length / mostPoints);
  if (size <= 1) return points;
  const means = [];
  for (let start = 0; start < points.length; start += size) {
    const some = points.slice(start, start + size);
    means.push([0, 1].map(i => some.reduce((sum, point) => sum + point[i], 0) / some.length));
  }
  return means;
}
