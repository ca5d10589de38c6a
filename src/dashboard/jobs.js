// The list of fine-tunes, and one of them live: events so far by REST, then its WebSocket.
import { call } from "./api.js";
import { LossChart } from "./chart.js";
import { duration, el, facts, status, when } from "./dom.js";

const ended = new Set(["completed", "failed", "cancelled"]);
const pause = (ms, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("left", "AbortError")); }, { once: true });
});

export async function jobsPage(page, signal) {
  for (;;) {
    const list = await call("GET", "fine-tunes?limit=50", undefined, signal);
    page.replaceChildren(el("div", { class: "row head" }, el("h1", { class: "grow" }, "Fine-tunes"), el("a", { class: "button", href: "#/train" }, "New fine-tune")), el("div", { class: "card scroll", tabindex: 0 }, list.data.length === 0
      ? el("p", { class: "dim" }, "None yet. ", el("a", { href: "#/train" }, "Start one"), " here, or by POST /v1/fine-tunes.")
      : el("table", {}, el("thead", {}, el("tr", {}, ["Name", "Model", "Status", "Progress", "Loss", "Created"].map(name => el("th", {}, name)))),
        el("tbody", {}, list.data.map(row)))));
    if (list.data.every(job => ended.has(job.status))) return;
    await pause(2000, signal);
  }
}

const row = job => el("tr", {},
  el("td", {}, el("a", { href: `#/jobs/${job.id}` }, job.name ?? job.id)),
  el("td", { class: "mono" }, job.model_id),
  el("td", {}, status(job.status)),
  el("td", {}, el("progress", { max: 100, value: job.progress ?? 0, "aria-label": "Progress" })),
  el("td", {}, job.metrics?.train_loss?.toFixed(4) ?? "–"),
  el("td", { class: "dim" }, when(job.created_at)));

export async function jobPage(page, signal, id) {
  const head = el("div", { class: "card" });
  const chart = new LossChart();
  const log = el("div", { class: "log mono", tabindex: 0 });
  page.replaceChildren(head, el("div", { class: "card" }, el("h2", {}, "Loss"), chart.node), el("div", { class: "card" }, el("h2", {}, "Log"), log));

  let last = 0, job;
  const refresh = async () => { job = await call("GET", `fine-tunes/${id}`, undefined, signal); drawHead(head, job, refresh); };
  const take = event => {
    // The replay of the stream and the events by REST overlap; the sequence tells which are new.
    if (event.sequence <= last) return;
    last = event.sequence;
    if (event.type === "metrics") {
      chart.add("train", event.data.step, event.data.loss);
      drawProgress(head, event.data);
    } else if (event.type === "eval") {
      chart.add("eval", event.data.step, event.data.eval_loss);
    } else if (event.type === "rollback") {
      chart.goBackTo(event.data.step);
    } else if (event.type === "status") {
      refresh().catch(() => {});
    }
    const text = event.message ?? (event.type === "status" ? `Status: ${event.status}` : null);
    if (text) {
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 20;
      log.append(el("div", { class: event.level ?? "" }, `${new Date(event.timestamp).toLocaleTimeString()}  ${text}`));
      if (atEnd) log.scrollTop = log.scrollHeight;
    }
  };

  await refresh();
  const catchUp = async () => {
    for (let more = true; more;) {
      const events = await call("GET", `fine-tunes/${id}/events?after=${last}&order=asc&limit=100`, undefined, signal);
      events.data.forEach(take);
      more = events.has_more;
    }
  };
  await catchUp();
  while (!ended.has(job.status)) {
    await listen(id, signal, take);
    await pause(1500, signal);
    await catchUp();
    await refresh();
  }
}

// Until the socket closes or the job has ended; whatever is missed is caught up by REST.
async function listen(id, signal, take) {
  const { url } = await call("POST", `fine-tunes/${id}/stream/negotiate`, undefined, signal);
  await new Promise(resolve => {
    const socket = new WebSocket(url);
    const close = () => socket.close();
    signal.addEventListener("abort", close, { once: true });
    socket.onmessage = message => {
      const event = JSON.parse(message.data);
      take(event);
      if (event.type === "status" && ended.has(event.status)) socket.close();
    };
    socket.onerror = () => socket.close();
    socket.onclose = () => { signal.removeEventListener("abort", close); resolve(); };
  });
}

function drawHead(head, job, refresh) {
  const act = (name, path, method = "POST") => el("button", {
    class: name === "Cancel" ? "danger" : "quiet",
    onclick: async event => { event.target.disabled = true; await call(method, path).catch(error => alert(error.message)); await refresh(); },
  }, name);
  head.replaceChildren(
    el("div", { class: "row" }, el("h1", { class: "grow" }, job.name ?? job.id), status(job.status),
      ["queued", "running"].includes(job.status) ? act("Pause", `fine-tunes/${job.id}/pause`) : null,
      job.status === "paused" ? act("Resume", `fine-tunes/${job.id}/resume`) : null,
      ended.has(job.status) ? null : act("Cancel", `fine-tunes/${job.id}/cancel`),
      job.fine_tuned_model ? el("a", { class: "button", href: `#/chat/${encodeURIComponent(job.fine_tuned_model)}` }, "Chat") : null),
    el("progress", { max: 100, value: job.progress ?? 0, "aria-label": "Progress" }),
    facts([
      ["Step", el("span", { "data-fact": "step" }, `${job.current_step ?? 0} / ${job.total_steps || "?"}`)],
      ["Epoch", `${job.current_epoch ?? 0} / ${job.total_epochs ?? "?"}`],
      ["Loss", el("span", { "data-fact": "loss" }, job.metrics?.train_loss?.toFixed(4) ?? "–")],
      ended.has(job.status)
        ? ["Took", job.started_at && job.finished_at ? duration(job.finished_at - job.started_at) : null]
        : ["Time left", el("span", { "data-fact": "eta" }, duration(job.eta_minutes === undefined || job.eta_minutes === null ? null : job.eta_minutes * 60))],
      ["Speed", ended.has(job.status) ? null : el("span", { "data-fact": "speed" }, "–")],
      ["Trained tokens", job.trained_tokens > 0 ? job.trained_tokens.toLocaleString() : null],
      ["Loss of held-out data", job.metrics?.eval_loss?.toFixed(4)],
      ["Model", job.model_id], ["Method", job.config?.method], ["Created", when(job.created_at)],
    ]),
    job.fine_tuned_model ? el("p", {}, "The model ", el("span", { class: "mono" }, job.fine_tuned_model), " is ready.") : "",
    job.error ? el("p", { class: "notice" }, job.error.message) : "");
}

function drawProgress(head, data) {
  const set = (name, text) => { const node = head.querySelector(`[data-fact=${name}]`); if (node && text !== undefined) node.textContent = text; };
  set("loss", data.loss?.toFixed(4));
  set("eta", data.eta_seconds === undefined ? undefined : duration(data.eta_seconds));
  set("speed", data.tokens_per_second === undefined ? undefined : `${Math.round(data.tokens_per_second).toLocaleString()} tokens/s`);
  const total = head.querySelector("[data-fact=step]")?.textContent.split("/")[1]?.trim();
  set("step", `${data.step} / ${total ?? "?"}`);
  if (Number(total) > 0) head.querySelector("progress").value = (100 * data.step) / Number(total);
}
