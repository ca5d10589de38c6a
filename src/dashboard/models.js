// The models that the account may use: its own with their exports and downloads, an upload, and the base models.
import { call } from "./api.js";
import { bytes, el, notice, status } from "./dom.js";
import { progressBar, uploadFile } from "./upload.js";

const pause = (ms, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("left", "AbortError")); }, { once: true });
});
const formats = [["peft", undefined, "PEFT adapter"], ["merged", undefined, "Merged, Hugging Face"], ["gguf", "f16", "GGUF F16"], ["gguf", "q8_0", "GGUF Q8_0"], ["gguf", "bf16", "GGUF BF16"], ["gguf", "f32", "GGUF F32"]];

export async function modelsPage(page, signal, id) {
  if (id) { await modelPage(page, signal, id); return; }
  const table = el("div");
  const category = el("select", { "aria-label": "Category" }, ["all", "custom", "chat", "instruct", "code", "base"].map(word => el("option", { value: word }, word)));
  let data = [];
  const draw = () => table.replaceChildren(el("div", { class: "card scroll", tabindex: 0 }, el("table", {},
    el("thead", {}, el("tr", {}, ["Model", "Category", "Parameters", "Context", "Status"].map(name => el("th", {}, name)))),
    el("tbody", {}, data.filter(model => category.value === "all" || model.category === category.value).map(row)))));
  category.addEventListener("change", draw);
  page.replaceChildren(el("div", { class: "row" }, el("h1", { class: "grow" }, "Models"), category), table, uploadForm(signal));
  do {
    ({ data } = await call("GET", "models", undefined, signal));
    draw();
    await pause(3000, signal);
  } while (data.some(model => model.status === "validating"));
}

const row = model => el("tr", {},
  el("td", {}, el("a", { class: "mono", href: `#/models/${encodeURIComponent(model.id)}` }, model.id),
    el("div", { class: "dim" }, model.status_reason ?? model.description)),
  el("td", {}, model.category), el("td", {}, model.parameters), el("td", {}, model.context_length.toLocaleString()), el("td", {}, status(model.status)));

function uploadForm(signal) {
  const input = el("input", { type: "file", required: true, accept: ".zip,.tar,.gz,.tgz", "aria-label": "Archive", class: "grow" });
  const name = el("input", { required: true, maxlength: 256, placeholder: "Name", "aria-label": "Name" });
  const under = el("input", { maxlength: 512, placeholder: "Base model of an adapter", "aria-label": "Base model of an adapter", class: "grow" });
  const bar = progressBar(), failed = el("div"), button = el("button", {}, "Upload");
  return el("form", {
    class: "card",
    onsubmit: async event => {
      event.preventDefault();
      const [file] = input.files;
      button.disabled = true;
      failed.replaceChildren();
      try {
        const made = await uploadFile(file, "model", sent => bar.show(sent, file.size), signal);
        const model = await call("POST", "models", { name: name.value, files: [made.id], ...(under.value ? { base_model: under.value } : {}) });
        location.hash = `#/models/${encodeURIComponent(model.id)}`;
      } catch (error) {
        if (error.name !== "AbortError") failed.replaceChildren(notice(error));
      } finally {
        bar.hide();
        button.disabled = false;
      }
    },
  }, el("h2", {}, "Bring a model"),
  el("p", { class: "dim" }, "A zip, tar or tar.gz of a Hugging Face folder (config.json, tokenizer.json, safetensors or pytorch_model.bin), or of a PEFT adapter with the id of its base model."),
  el("div", { class: "row" }, input, name, under, button), bar.node, failed);
}

async function modelPage(page, signal, id) {
  for (;;) {
    const model = await call("GET", `models/${id}`, undefined, signal);
    const own = model.owned_by !== "langtrain";
    const exports = own ? (await call("GET", `models/${id}/exports`, undefined, signal)).data : [];
    draw(page, model, own, exports);
    if (model.status !== "validating" && exports.every(one => ["completed", "failed"].includes(one.status))) return;
    await pause(1500, signal);
  }

  function draw(where, model, own, exports) {
    const failed = el("div");
    const act = (name, work, kind = "quiet") => el("button", { class: kind, onclick: async () => { try { await work(); } catch (error) { failed.replaceChildren(notice(error)); } } }, name);
    const remove = async () => { if (confirm(`Delete ${id} with its files?`)) { await call("DELETE", `models/${id}`); location.hash = "#/models"; } };
    const take = (format, dtype) => async () => { await call("POST", `models/${id}/export`, { format, ...(dtype ? { dtype } : {}) }); await modelPage(page, signal, id); };
    where.replaceChildren(
      el("div", { class: "card" },
        el("div", { class: "row" }, el("h1", { class: "grow" }, model.name), status(model.status)),
        el("p", { class: "mono" }, model.id), el("p", { class: "dim" }, model.status_reason ?? model.description),
        el("p", {}, [model.parameters !== "unknown" ? `${model.parameters} parameters` : null, model.context_length ? `context of ${model.context_length.toLocaleString()} tokens` : null,
          model.lineage?.base_model ? `over ${model.lineage.base_model}` : null, model.lineage?.parent ? `begun from ${model.lineage.parent}` : null].filter(Boolean).join(", ")),
        el("div", { class: "row" },
          model.status === "ready" ? el("a", { class: "button", href: `#/chat/${encodeURIComponent(model.id)}` }, "Chat") : null,
          model.lineage?.fine_tune ? el("a", { href: `#/jobs/${model.lineage.fine_tune}` }, "its job") : null,
          own ? act("Delete", remove, "danger") : null), failed),
      own && model.status === "ready" ? el("div", { class: "card" }, el("h2", {}, "Take it with you"),
        el("div", { class: "row" }, formats.filter(([format]) => format !== "peft" || model.lineage?.kind === "adapter").map(([format, dtype, label]) => act(label, take(format, dtype)))),
        exports.map(one => el("div", {}, el("h2", {}, `${one.format}${one.dtype ? ` ${one.dtype}` : ""} `, status(one.status)),
          one.error ? el("p", { class: "notice" }, one.error.message) : null, one.notes.map(text => el("p", { class: "dim" }, text)),
          one.files.length === 0 ? null : el("table", {}, el("tbody", {}, one.files.map(file => el("tr", {},
            el("td", {}, el("a", { href: file.url, download: file.name, rel: "noreferrer" }, file.name)), el("td", {}, bytes(file.bytes)),
            el("td", { class: "mono dim" }, `sha256 ${file.sha256.slice(0, 16)}…`)))))))) : "");
  }
}
