// Elements without a framework: el("p", { class: "dim" }, "text", otherElement). Text is always text, never markup.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElementNS(svgTags.has(tag) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

const svgTags = new Set(["svg", "path", "line", "text", "g"]);

export const status = word => el("span", { class: `status ${word}` }, word.replace("_", " "));

export const facts = pairs => el("div", { class: "facts" }, pairs.filter(([, value]) => value !== undefined && value !== null)
  .map(([name, value]) => el("div", {}, el("span", {}, name), value instanceof Node ? value : String(value))));

export const notice = error => el("p", { class: "notice", role: "alert" }, error.message);

// Runs what a button asks for, then shows the page again with what it gave; what goes wrong is said at the top.
export const acting = (page, show) => async work => {
  try { await show(await work()); } catch (error) { page.prepend(notice(error)); }
};

export const when = value => value ? new Date(typeof value === "number" ? value * 1000 : value).toLocaleString() : "–";

export function duration(seconds) {
  if (seconds === undefined || seconds === null) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; count >= 1024 && unit < units.length - 1; unit++) count /= 1024;
  return `${unit === 0 ? count : count.toFixed(1)} ${units[unit]}`;
}
