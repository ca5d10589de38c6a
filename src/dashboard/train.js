// A new fine-tune: model, data, a few numbers; what it will take, and what will be learned, before it starts.
import { call } from "./api.js";
import { bytes, duration, el, facts, notice } from "./dom.js";
import { preview, problemTable } from "./preview.js";

export async function trainPage(page, signal, wanted) {
  const [models, files] = await Promise.all([
    call("GET", "models?status=ready&task=fine-tuning", undefined, signal), call("GET", "files?purpose=fine-tune&limit=100", undefined, signal)]);
  if (files.data.length === 0) {
    page.replaceChildren(el("h1", {}, "New fine-tune"), el("div", { class: "card" }, "It needs data first: ", el("a", { href: "#/files" }, "upload a file"), "."));
    return;
  }

  const field = (label, input) => el("label", { class: "field" }, el("span", {}, label), input);
  const number = (value, step, min, max) => el("input", { type: "number", value, step, min, max, required: true });
  const model = el("select", {}, models.data.map(one => el("option", { value: one.id }, one.id)));
  const file = el("select", {}, files.data.map(one => el("option", { value: one.id, selected: one.id === wanted }, `${one.filename} (${one.id.slice(-6)})`)));
  const method = el("select", {}, ["lora", "qlora", "full"].map(word => el("option", { value: word }, word)));
  const [rank, epochs, rate, batch] = [number(16, 1, 1, 512), number(3, 1, 1, 1000), number("0.0002", "any", 0, 1), number(4, 1, 1, 1024)];
  const name = el("input", { maxlength: 256, placeholder: "optional" });
  const suffix = el("input", { maxlength: 64, pattern: "[A-Za-z0-9._\\-]*", placeholder: "optional" });
  const below = el("div");

  // An adapter keeps its shape when it is trained on.
  const isAdapter = () => models.data.find(one => one.id === model.value)?.lineage?.kind === "adapter";
  const body = () => ({
    model_id: model.value,
    dataset: { type: "jsonl", file_id: file.value },
    ...(name.value ? { name: name.value } : {}),
    ...(suffix.value ? { suffix: suffix.value } : {}),
    config: {
      method: method.value,
      ...(method.value === "full" || isAdapter() ? {} : { lora_config: { r: Number(rank.value), alpha: 2 * Number(rank.value) } }),
      training_config: { epochs: Number(epochs.value), learning_rate: Number(rate.value), batch_size: Number(batch.value) },
    },
  });
  const update = () => { rank.disabled = method.value === "full" || isAdapter(); };
  model.addEventListener("change", update);
  method.addEventListener("change", update);
  update();

  const attempt = work => async event => {
    event.preventDefault();
    if (!form.reportValidity()) return;
    try { await work(); } catch (error) { if (error.name !== "AbortError") below.replaceChildren(notice(error)); }
  };
  const start = attempt(async () => { location.hash = `#/jobs/${(await call("POST", "fine-tunes", body())).id}`; });
  const look = attempt(async () => below.replaceChildren(el("div", { class: "card" }, el("h2", {}, "What will be learned"), await preview(file.value, model.value, signal))));
  const estimate = attempt(async () => {
    below.replaceChildren(el("div", { class: "card dim" }, "Reading the data …"));
    below.replaceChildren(el("div", { class: "card" }, el("h2", {}, "What it will take"), estimateFacts(await call("POST", "fine-tunes/estimate", body(), signal))));
  });
  const form = el("form", { class: "card", onsubmit: start },
    el("div", { class: "fields" }, field("Model", model), field("Data", file), field("Method", method), field("Rank", rank), field("Epochs", epochs),
      field("Learning rate", rate), field("Batch size", batch), field("Name", name), field("Suffix of the model's id", suffix)),
    el("div", { class: "row" }, el("button", {}, "Start"), el("button", { type: "button", class: "quiet", onclick: estimate }, "Estimate"),
      el("button", { type: "button", class: "quiet", onclick: look }, "Look at what is learned")));
  page.replaceChildren(el("h1", {}, "New fine-tune"), form, below);
}

// What people ask before they start: whether the data is good, how long, how much.
function estimateFacts({ estimate, dataset, price, config }) {
  if (!estimate) return [problemTable(dataset.problems), dataset.warnings.map(text => el("p", { class: "dim" }, text))];
  const count = value => value.toLocaleString();
  return [
    facts([
      ["Steps", count(estimate.total_steps)],
      ["Time", `about ${duration(estimate.training_seconds)}`],
      ["Memory", bytes(estimate.memory_bytes) + (estimate.device_memory_bytes ? ` of ${bytes(estimate.device_memory_bytes)}` : "")],
      ["Rows", count(dataset.rows) + (dataset.validation_rows ? ` and ${count(dataset.validation_rows)} held out` : "")],
      ["Tokens in all", (estimate.exact ? "" : "about ") + count(estimate.total_tokens)],
      ["Longest row", `${count(estimate.longest_row_tokens)} tokens`],
      ["Parameters that learn", `${count(estimate.trainable_parameters)} of ${count(estimate.model_parameters)}`],
      ["Price", price?.amount > 0 ? `${price.amount} ${price.currency}` : null],
    ]),
    estimate.fits === false ? el("p", { class: "notice" }, "The worker may not have enough memory for it. A smaller batch, or method qlora, needs less.") : null,
    estimate.overlong_rows > 0 ? el("p", { class: "dim" }, `${count(estimate.overlong_rows)} rows are longer than a sequence may be.`) : null,
    dataset.warnings.map(text => el("p", { class: "dim" }, text)),
    el("details", {}, el("summary", {}, "All settings"), el("pre", { class: "mono" }, JSON.stringify(config, null, 2))),
  ];
}
