// The API's description as a page. It reads openapi.json and knows nothing else; trying an endpoint sends what is shown.
import { session } from "./api.js";
import { el, notice } from "./dom.js";

const base = new URL(".", document.baseURI);
const page = document.getElementById("page");
const contents = document.getElementById("contents");
const search = document.getElementById("search");
const keyField = document.getElementById("key");
let description;

// `code` is all the Markdown that descriptions use.
const prose = text => (text ?? "").split("`").map((part, i) => i % 2 ? el("code", {}, part) : part);

const resolve = thing => thing?.$ref ? { ...thing.$ref.slice(2).split("/").reduce((at, name) => at[name], description), ...thing } : thing;

function kind(given) {
  const schema = resolve(given);
  if (!schema) return "";
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(word => JSON.stringify(word)).join(" | ");
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.map(kind).join(" or ");
  const types = [schema.type ?? "anything"].flat().filter(type => type !== "null");
  const name = types[0] === "array" ? `list of ${kind(schema.items) || "anything"}` : types.join(" or ");
  const bounds = [
    schema.minimum !== undefined ? `≥ ${schema.minimum}` : null, schema.exclusiveMinimum !== undefined ? `> ${schema.exclusiveMinimum}` : null,
    schema.maximum !== undefined ? `≤ ${schema.maximum}` : null, schema.exclusiveMaximum !== undefined ? `< ${schema.exclusiveMaximum}` : null,
    schema.maxLength !== undefined ? `≤ ${schema.maxLength} characters` : null, schema.maxItems !== undefined ? `≤ ${schema.maxItems}` : null,
    schema.format && !["int32", "int64", "double"].includes(schema.format) ? schema.format : null,
  ].filter(Boolean).join(", ");
  return name + (bounds ? ` (${bounds})` : "") + ([schema.type].flat().includes("null") ? " or null" : "");
}

// The object that a schema holds: itself, what a list holds, or the one object among several.
function inside(given) {
  const schema = resolve(given);
  if (!schema) return null;
  if (schema.properties) return schema;
  if (schema.items) return inside(schema.items);
  return (schema.anyOf ?? schema.oneOf ?? []).map(inside).find(Boolean) ?? null;
}

function fields(given, depth = 0) {
  const schema = inside(given);
  if (!schema) return null;
  return el("ul", { class: "spec" }, Object.entries(schema.properties).map(([name, value]) => {
    const known = resolve(value);
    const more = depth < 6 && inside(value);
    return el("li", {},
      el("span", { class: "name" }, name), el("span", { class: "kind" }, kind(value)),
      schema.required?.includes(name) && depth >= 0 ? el("span", { class: "needed" }, "always") : null,
      known.default !== undefined ? el("span", { class: "kind" }, `default ${JSON.stringify(known.default)}`) : null,
      el("div", {}, prose(value.description ?? known.description)),
      more ? el("details", {}, el("summary", {}, "Fields"), fields(value, depth + 1)) : null);
  }));
}

const parameterList = list => el("ul", { class: "spec" }, list.map(one => el("li", {},
  el("span", { class: "name" }, one.name), el("span", { class: "kind" }, `${one.in} · ${kind(one.schema)}`),
  one.required ? el("span", { class: "needed" }, "always") : null, el("div", {}, prose(one.description)))));

function curl(method, path, operation) {
  const url = new URL(path.slice(1), base).href.replaceAll("%7B", "{").replaceAll("%7D", "}");
  const media = Object.entries(operation.requestBody?.content ?? {})[0];
  const lines = [`curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${url}`];
  if (!operation.security || operation.security.length) lines.push(`-H "Authorization: Bearer $LANGTRAIN_API_KEY"`);
  if (media?.[0] === "application/json") {
    lines.push(`-H "Content-Type: application/json"`, `-d '${JSON.stringify(media[1].example ?? {}, null, 2).replaceAll("'", "'\\''")}'`);
  } else if (media) {
    for (const [name, value] of Object.entries(resolve(media[1].schema).properties)) {
      if (resolve(media[1].schema).required?.includes(name)) lines.push(`-F ${name}=${value.contentMediaType ? "@file" : (value.enum?.[0] ?? "…")}`);
    }
  }
  return lines.join(" \\\n  ");
}

function tryIt(method, path, operation) {
  const media = Object.keys(operation.requestBody?.content ?? {})[0];
  if (media && media !== "application/json") return null;
  const inputs = (operation.parameters ?? []).filter(one => one.in !== "header")
    .map(one => ({ one, input: el("input", { placeholder: one.name, "aria-label": one.name, class: "grow" }) }));
  const body = media ? el("textarea", { rows: 8, class: "mono", "aria-label": "Body", value: JSON.stringify(operation.requestBody.content[media].example ?? {}, null, 2) }) : null;
  const output = el("div", { "aria-live": "polite" });
  const send = async event => {
    event.preventDefault();
    output.replaceChildren(el("p", { class: "dim" }, "…"));
    try {
      let target = path.slice(1);
      const query = new URLSearchParams();
      for (const { one, input } of inputs) {
        if (one.in === "path") target = target.replace(`{${one.name}}`, encodeURIComponent(input.value));
        else if (input.value) query.set(one.name, input.value);
      }
      const headers = {};
      if (keyField.value) headers.Authorization = `Bearer ${keyField.value}`;
      if (body) headers["Content-Type"] = "application/json";
      const response = await fetch(new URL(target + (query.size ? `?${query}` : ""), base), { method: method.toUpperCase(), headers, body: body?.value });
      const text = await response.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
      output.replaceChildren(el("p", {}, `${response.status} ${response.statusText} `, el("span", { class: "dim mono" }, response.headers.get("x-request-id") ?? "")), shown ? el("pre", {}, shown.slice(0, 100000)) : "");
    } catch (error) {
      output.replaceChildren(notice(error));
    }
  };
  return el("details", {}, el("summary", {}, "Try it"), el("form", { onsubmit: send },
    inputs.length ? el("div", { class: "row" }, inputs.map(({ input }) => input)) : null, body, el("p", {}, el("button", {}, "Send")), output));
}

function card(method, path, operation) {
  const [status, success] = Object.entries(operation.responses).find(([code]) => code < "400");
  const answer = Object.entries(success.content ?? {});
  const scope = operation.security?.[0]?.apiKey?.[0];
  const errors = Object.entries(operation.responses).filter(([code]) => code >= "400");
  const request = Object.entries(operation.requestBody?.content ?? {})[0];
  return el("section", { class: "card operation", id: operation.operationId },
    el("h3", {}, el("span", { class: `method ${method}` }, method.toUpperCase()), el("span", { class: "path" }, path)),
    el("p", {}, prose(operation.summary), " ", prose(operation.description)),
    el("p", { class: "dim" }, operation.security && !operation.security.length ? "Needs no key." : scope ? ["Needs a key with the scope ", el("code", {}, scope), "."] : "Needs a key."),
    operation.parameters ? [el("h4", {}, "Parameters"), parameterList(operation.parameters)] : null,
    request ? [el("h4", {}, `Body · ${request[0]}`), fields(request[1].schema)] : null,
    el("h4", {}, `Answer · ${status}${answer.length ? ` · ${answer.map(([media]) => media).join(" or ")}` : ""}`),
    el("p", {}, prose(success.description)),
    answer.length && inside(answer[0][1].schema) ? el("details", {}, el("summary", {}, "Fields"), fields(answer[0][1].schema)) : null,
    el("details", {}, el("summary", {}, `Errors · ${errors.map(([code]) => code).join(", ")}`),
      el("ul", { class: "spec" }, errors.map(([code, error]) => el("li", {}, el("span", { class: "name" }, code), el("div", {}, prose(resolve(error).description)))))),
    el("details", {}, el("summary", {}, "curl"), el("pre", {}, curl(method, path, operation))),
    tryIt(method, path, operation));
}

function show(word = "") {
  const wanted = word.trim().toLowerCase();
  const operations = Object.entries(description.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
  const hits = operations.filter(({ path, method, operation }) => !wanted
    || `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase().includes(wanted)
    || JSON.stringify([operation.parameters, inside(Object.values(operation.requestBody?.content ?? {})[0]?.schema)?.properties]).toLowerCase().includes(`"${wanted}"`));
  const groups = description.tags.map(tag => ({ tag, hits: hits.filter(({ operation }) => operation.tags.includes(tag.name)) })).filter(group => group.hits.length);
  contents.replaceChildren(...groups.flatMap(({ tag, hits }) => [
    el("h2", {}, tag.name), ...hits.map(({ method, path, operation }) => el("a", { href: `docs#${operation.operationId}`, title: operation.summary }, `${method.toUpperCase()} ${path}`)),
  ]));
  page.replaceChildren(
    wanted ? "" : el("div", {}, el("h1", {}, `${description.info.title} ${description.info.version}`), el("p", {}, prose(description.info.description)), el("pre", {}, base.href.replace(/\/$/, ""))),
    ...groups.flatMap(({ tag, hits }) => [el("h1", {}, tag.name), el("p", { class: "dim" }, prose(tag.description)), ...hits.map(({ method, path, operation }) => card(method, path, operation))]),
    groups.length ? "" : el("p", { class: "dim" }, "Nothing of that name."));
}

keyField.value = session.key ?? "";
keyField.addEventListener("change", () => { session.key = keyField.value.trim() || null; });
search.addEventListener("input", () => show(search.value));
try {
  const response = await fetch(new URL("openapi.json", base));
  description = await response.json();
  show();
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
} catch (error) {
  page.replaceChildren(notice(error));
}
