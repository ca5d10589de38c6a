// The loss of a job over its steps, as one SVG that is drawn anew with each batch of points.
import { el } from "./dom.js";

const height = 260, left = 46, bottom = 24, top = 10, right = 10;
const mostPoints = 1500; // More than a screen has columns.

export class LossChart {
  constructor() {
    this.node = el("svg", { class: "chart", role: "img", "aria-label": "Loss over steps" });
    this.points = { train: new Map(), eval: new Map() };
    this.waiting = false;
    new ResizeObserver(() => this.draw()).observe(this.node);
  }

  add(series, step, loss) {
    if (!Number.isFinite(loss)) return;
    this.points[series].set(step, loss);
    if (!this.waiting) {
      this.waiting = true;
      requestAnimationFrame(() => { this.waiting = false; this.draw(); });
    }
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
      })));
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
