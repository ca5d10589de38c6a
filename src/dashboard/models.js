// The models that the account may use.
import { call } from "./api.js";
import { el, status } from "./dom.js";

export async function modelsPage(page, signal) {
  const { data } = await call("GET", "models", undefined, signal);
  const remove = model => el("button", {
    class: "danger",
    onclick: async () => {
      if (!confirm(`Delete ${model.id}?`)) return;
      await call("DELETE", `models/${model.id}`).catch(error => alert(error.message));
      await modelsPage(page, signal);
    },
  }, "Delete");
  page.replaceChildren(el("h1", {}, "Models"), el("div", { class: "card" }, el("table", {},
    el("thead", {}, el("tr", {}, ["Model", "Category", "Parameters", "Context", "Status", ""].map(name => el("th", {}, name)))),
    el("tbody", {}, data.map(model => el("tr", {},
      el("td", {}, model.status === "ready" ? el("a", { class: "mono", href: `#/chat/${encodeURIComponent(model.id)}` }, model.id) : el("span", { class: "mono" }, model.id),
        el("div", { class: "dim" }, model.status_reason ?? model.description)),
      el("td", {}, model.category), el("td", {}, model.parameters), el("td", {}, model.context_length.toLocaleString()),
      el("td", {}, status(model.status)), el("td", {}, model.owned_by === "langtrain" ? null : remove(model))))))));
}
