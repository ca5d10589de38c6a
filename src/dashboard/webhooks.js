// Webhooks: a new one's secret is shown once; what was sent is listed on demand.
import { call } from "./api.js";
import { acting, el, notice, status, when } from "./dom.js";

const events = ["fine_tune.completed", "fine_tune.failed", "fine_tune.cancelled"];

export async function webhooksPage(page, signal, _, made) {
  const { data } = await call("GET", "webhooks", undefined, signal);
  const act = acting(page, made => webhooksPage(page, signal, _, made));
  const url = el("input", { type: "url", required: true, placeholder: "https://example.com/hook", "aria-label": "URL", class: "grow" });
  const boxes = events.map(event => el("input", { type: "checkbox", value: event, checked: true }));
  page.replaceChildren(el("h1", {}, "Webhooks"),
    made?.secret ? el("p", { class: "secret", role: "status" }, "Copy the signing secret now, it is not shown again: ", el("span", { class: "mono" }, made.secret)) : "",
    el("form", {
      class: "card row",
      onsubmit: event => {
        event.preventDefault();
        act(() => call("POST", "webhooks", { url: url.value, events: boxes.filter(box => box.checked).map(box => box.value) }));
      },
    }, url, boxes.map((box, i) => el("label", {}, box, " ", events[i])), el("button", {}, "Create")),
    ...data.map(hook => hookCard(hook, act)),
    data.length > 0 ? "" : el("div", { class: "card dim" }, "None yet. Calls are signed as Standard Webhooks has it and tried again for two days."));
}

function hookCard(hook, act) {
  const sent = el("div");
  const list = async () => {
    const { data } = await call("GET", `webhooks/${hook.id}/deliveries?limit=20`);
    sent.replaceChildren(data.length === 0 ? el("p", { class: "dim" }, "Nothing sent yet.") : el("table", {}, el("tbody", {}, data.map(one => el("tr", {},
      el("td", {}, one.type), el("td", {}, status(one.status)), el("td", {}, one.attempts === 1 ? "1 try" : `${one.attempts} tries`),
      el("td", {}, one.last_problem ?? one.last_status_code), el("td", { class: "dim" }, when(one.created_at)))))));
  };
  const guarded = work => async () => { try { await work(); } catch (error) { sent.replaceChildren(notice(error)); } };
  return el("div", { class: "card" },
    el("div", { class: "row" }, el("span", { class: "mono grow" }, hook.url), status(hook.enabled ? "ready" : "paused"),
      el("button", { class: "quiet", onclick: guarded(async () => { await call("POST", `webhooks/${hook.id}/test`); await list(); }) }, "Test"),
      el("button", { class: "quiet", onclick: guarded(list) }, "Sent"),
      el("button", { class: "quiet", onclick: () => act(() => call("PATCH", `webhooks/${hook.id}`, { enabled: !hook.enabled })) }, hook.enabled ? "Disable" : "Enable"),
      el("button", { class: "quiet", onclick: () => act(() => call("POST", `webhooks/${hook.id}/rotate`)) }, "New secret"),
      el("button", { class: "danger", onclick: () => confirm(`Delete the webhook to ${hook.url}?`) && act(() => call("DELETE", `webhooks/${hook.id}`)) }, "Delete")),
    el("p", { class: "dim" }, hook.events.join(", ")), sent);
}
