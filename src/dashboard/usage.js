// What was used in the last thirty days, and what is left of the limits.
import { call } from "./api.js";
import { duration, el, facts, when } from "./dom.js";

const columns = [["Requests", "requests"], ["Tokens in", "input_tokens"], ["Tokens out", "output_tokens"], ["Tokens trained", "trained_tokens"], ["Training", "training_seconds"]];
const shown = (usage, field) => field === "training_seconds" ? duration(usage[field]) : usage[field].toLocaleString();

export async function usagePage(page, signal) {
  const [days, models, keys, limits] = await Promise.all(
    ["usage", "usage?group_by=model", "usage?group_by=key", "limits"].map(path => call("GET", path, undefined, signal)));
  // Only keys with the scope admin may see the names of others.
  const { data: named } = await call("GET", "api-keys?limit=100", undefined, signal).catch(() => ({ data: [] }));
  const nameOf = new Map(named.map(key => [key.id, `${key.name} (${key.prefix})`]));
  page.replaceChildren(el("h1", {}, "Usage"),
    el("div", { class: "card" }, el("h2", {}, `${days.from} to ${days.to}`), bars(days),
      facts(columns.map(([name, field]) => [name, shown(days.total, field)]))),
    table("By model", models, name => name === "none" ? "no model" : name), table("By key", keys, id => nameOf.get(id) ?? id),
    el("div", { class: "card" }, el("h2", {}, `Limits of tier ${limits.tier}`), facts(limits.requests.flatMap(({ window, limit, remaining, reset_at }) =>
      [[`Requests a ${window}`, `${remaining.toLocaleString()} of ${limit.toLocaleString()} left`], ["Full again", when(reset_at)]]))));
}

// A bar a day, of its requests.
function bars({ from, to, data }) {
  const requests = new Map(data.map(({ group, usage }) => [group, usage.requests]));
  const all = [];
  for (const day = new Date(from); day <= new Date(to); day.setUTCDate(day.getUTCDate() + 1)) all.push(day.toISOString().slice(0, 10));
  const most = Math.max(1, ...requests.values());
  return el("div", { class: "bars", role: "img", "aria-label": "Requests a day" }, all.map(day => {
    const count = requests.get(day) ?? 0;
    const bar = el("div", { title: `${day}: ${count.toLocaleString()} requests` });
    bar.style.height = `${(100 * count) / most}%`; // As a property: the page's policy allows no style attributes.
    return bar;
  }));
}

const table = (title, { data }, nameOf) => el("div", { class: "card scroll", tabindex: 0 }, el("h2", {}, title), el("table", {},
  el("thead", {}, el("tr", {}, el("th", {}, ""), columns.map(([name]) => el("th", { class: "number" }, name)))),
  el("tbody", {}, data.map(({ group, usage }) => el("tr", {}, el("td", {}, nameOf(group)), columns.map(([, field]) => el("td", { class: "number" }, shown(usage, field))))))));
