// Files of training data: upload, check line by line, look at the first rows as a model sees them.
import { call, save } from "./api.js";
import { bytes, el, notice, when } from "./dom.js";
import { preview, problemTable } from "./preview.js";
import { progressBar, uploadFile } from "./upload.js";

export async function filesPage(page, signal) {
  const { data } = await call("GET", "files?limit=100", undefined, signal);
  const input = el("input", { type: "file", required: true, "aria-label": "File", accept: ".jsonl,.gz,.json", class: "grow" });
  const bar = progressBar();
  const report = el("div");
  const button = el("button", {}, "Upload");
  const again = () => filesPage(page, signal);

  async function upload(event) {
    event.preventDefault();
    const [file] = input.files;
    button.disabled = true;
    try {
      const made = await uploadFile(file, "fine-tune", sent => bar.show(sent, file.size), signal);
      await again();
      await check(made, page.querySelector(".report"));
    } catch (error) {
      if (error.name === "AbortError") return;
      bar.hide();
      button.disabled = false;
      report.replaceChildren(notice(error));
    }
  }

  report.className = "report";
  const act = (name, work, kind = "quiet") => el("button", {
    class: kind, onclick: async () => { try { await work(); } catch (error) { report.replaceChildren(notice(error)); } },
  }, name);
  page.replaceChildren(el("h1", {}, "Files"),
    el("form", { class: "card", onsubmit: upload },
      el("p", { class: "dim" }, "JSON lines, one row each: messages, prompt and completion, text, alpaca, sharegpt, or preferences. gzip is fine."),
      el("div", { class: "row" }, input, button), bar.node),
    report,
    el("div", { class: "card scroll", tabindex: 0 }, data.length === 0 ? el("p", { class: "dim" }, "None yet.") : el("table", {},
      el("thead", {}, el("tr", {}, ["File", "Size", "Purpose", "Created", ""].map(name => el("th", {}, name)))),
      el("tbody", {}, data.map(file => el("tr", {},
        el("td", {}, file.filename, el("div", { class: "mono dim" }, file.id)),
        el("td", {}, bytes(file.bytes)), el("td", {}, file.purpose), el("td", { class: "dim" }, when(file.created_at)),
        el("td", { class: "row" },
          file.purpose === "fine-tune" ? [
            el("a", { class: "button", href: `#/train/${file.id}` }, "Fine-tune"),
            act("Check", () => check(file, report)),
            act("Look inside", () => look(file, report, signal))] : null,
          act("Download", () => save(`files/${file.id}/content`, file.filename)),
          act("Delete", async () => { if (confirm(`Delete ${file.filename}?`)) { await call("DELETE", `files/${file.id}`); await again(); } }, "danger"))))))));
}

async function check(file, report) {
  report.replaceChildren(el("div", { class: "card" }, el("p", { class: "dim" }, `Reading every row of ${file.filename} …`)));
  const found = await call("POST", `files/${file.id}/validate`);
  report.replaceChildren(el("div", { class: "card" },
    el("h2", {}, file.filename, " ", el("span", { class: `status ${found.valid ? "ready" : "invalid"}` }, found.valid ? "can be trained on" : "cannot be trained on")),
    el("p", {}, `${found.rows.toLocaleString()} good rows${found.format ? ` of format ${found.format}` : ""}, about ${found.approximate_tokens.toLocaleString()} tokens.`),
    problemTable(found.problems),
    found.stopped_early ? el("p", { class: "dim" }, "There may be more.") : null,
    found.warnings.map(text => el("p", { class: "dim" }, text))));
}

async function look(file, report, signal) {
  const models = (await call("GET", "models?status=ready", undefined, signal)).data;
  const select = el("select", { "aria-label": "Model" }, models.map(model => el("option", { value: model.id }, model.id)));
  const rows = el("div");
  const show = async () => rows.replaceChildren(await preview(file.id, select.value, signal));
  select.addEventListener("change", show);
  report.replaceChildren(el("div", { class: "card" }, el("h2", {}, `The first rows of ${file.filename}`), el("div", { class: "row" }, el("label", {}, "as trained by ", select)), rows));
  await show();
}
