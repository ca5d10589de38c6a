// Rows as a model is trained on them: what is learned stands out, the rest is context.
import { call } from "./api.js";
import { el, notice } from "./dom.js";

export async function preview(fileId, modelId, signal, rows = 3) {
  try {
    const shown = await call("GET", `files/${fileId}/preview?model=${encodeURIComponent(modelId)}&rows=${rows}`, undefined, signal);
    return el("div", {}, el("p", { class: "dim" }, "Marked text is learned; the rest is context."), shown.rows.map((row, i) => el("div", {},
      row.error ? el("p", { class: "notice" }, `Row ${i + 1}: ${row.error}`) : null,
      row.examples.map((example, j) => el("div", {},
        el("div", { class: "dim" }, `Row ${i + 1}${row.examples.length > 1 ? (j === 0 ? ", chosen" : ", rejected") : ""}: ${example.ids.length} tokens, ${example.trained_tokens} learned`),
        el("p", { class: "turn mono" }, example.segments.map(piece => piece.trained ? el("mark", {}, piece.text) : el("span", { class: "dim" }, piece.text))))))));
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return notice(error);
  }
}

// What is wrong with data, line by line.
export const problemTable = problems => problems.length === 0 ? null : el("table", {}, el("tbody", {}, problems.map(problem =>
  el("tr", {}, el("td", { class: "mono" }, problem.line ? `line ${problem.line}` : "file"), el("td", {}, problem.message)))));
