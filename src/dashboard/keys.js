// API keys: a new one is shown once.
import { call } from "./api.js";
import { acting, el, when } from "./dom.js";

const scopes = ["read", "train", "infer", "admin"];

export async function keysPage(page, signal, _, made) {
  const { data } = await call("GET", "api-keys", undefined, signal);
  const act = acting(page, made => keysPage(page, signal, _, made));
  const name = el("input", { required: true, maxlength: 100, placeholder: "Name", "aria-label": "Name", class: "grow" });
  const boxes = scopes.map(scope => el("input", { type: "checkbox", value: scope, id: `scope-${scope}`, checked: scope !== "admin" }));
  page.replaceChildren(el("h1", {}, "API keys"),
    made?.key ? el("p", { class: "secret", role: "status" }, "Copy it now, it is not shown again: ", el("span", { class: "mono" }, made.key)) : "",
    el("form", {
      class: "card row",
      onsubmit: event => {
        event.preventDefault();
        act(() => call("POST", "api-keys", { name: name.value, scopes: boxes.filter(box => box.checked).map(box => box.value) }));
      },
    }, name, boxes.map(box => el("label", { for: box.id }, box, " ", box.value)), el("button", {}, "Create")),
    el("div", { class: "card scroll", tabindex: 0 }, el("table", {},
      el("thead", {}, el("tr", {}, ["Name", "Key", "Scopes", "Created", "Last used", ""].map(text => el("th", {}, text)))),
      el("tbody", {}, data.map(key => el("tr", {}, el("td", {}, key.name), el("td", { class: "mono" }, key.prefix), el("td", {}, key.scopes.join(", ")),
        el("td", { class: "dim" }, when(key.created_at)), el("td", { class: "dim" }, when(key.last_used_at)),
        el("td", { class: "row" },
          el("button", { class: "quiet", onclick: () => act(() => call("POST", `api-keys/${key.id}/rotate`)) }, "Rotate"),
          el("button", { class: "danger", onclick: () => confirm(`Revoke ${key.name}?`) && act(() => call("DELETE", `api-keys/${key.id}`)) }, "Revoke"))))))));
}
