// The loss of a job over its steps, as one SVG that is drawn anew with each batch of points.
import { el } from "./dom.js";

const width = 900, height = 260, left = 46, bottom = 24, top = 10, right = 10;

export class LossChart {
  constructor() {
    this.node = el("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Loss over steps", preserveAspectRatio: "none" });
    this.points = { train: new Map(), eval: new Map() };
    this.waiting = false;
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
    const maxStep = Math.max(1, ...all.map(([step]) => step));
    const losses = all.map(([, loss]) => loss);
    const low = Math.min(0, ...losses), high = Math.max(low + 1e-6, ...losses) * 1.05;
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
        d: [...points].sort((a, b) => a[0] - b[0]).map(([step, loss], i) => `${i ? "L" : "M"}${x(step).toFixed(1)} ${y(loss).toFixed(1)}`).join(""),
      })));
  }
}
