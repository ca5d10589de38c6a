// A file of any size in parts, with a bar: a part that fails is sent again, the file is there whole or not at all.
import { call, sendForm } from "./api.js";
import { bytes, el } from "./dom.js";

const partBytes = 8 * 1024 * 1024, tries = 3;

/** Uploads and gives the file; `purpose` as of POST /uploads. */
export async function uploadFile(file, purpose, onProgress, signal) {
  const upload = await call("POST", "uploads", { filename: file.name, purpose, bytes: file.size, mime_type: file.type || "application/octet-stream" }, signal);
  const parts = [];
  try {
    for (let at = 0; at < file.size; at += partBytes) {
      const form = new FormData();
      form.append("data", file.slice(at, at + partBytes), "part");
      parts.push((await again(() => sendForm(`uploads/${upload.id}/parts`, form, sent => onProgress(Math.min(file.size, at + sent)), signal))).id);
    }
    return (await call("POST", `uploads/${upload.id}/complete`, { part_ids: parts }, signal)).file;
  } catch (error) {
    call("POST", `uploads/${upload.id}/cancel`).catch(() => {});
    throw error;
  }
}

async function again(work) {
  for (let attempt = 1; ; attempt++) {
    try { return await work(); } catch (error) {
      if (attempt === tries || error.name === "AbortError" || (error.status >= 400 && error.status < 500)) throw error;
      await new Promise(resolve => setTimeout(resolve, 1000 * attempt));
    }
  }
}

/** A bar with words below it. */
export function progressBar() {
  const bar = el("progress", { max: 1, value: 0, "aria-label": "Upload" });
  const words = el("span", { class: "dim" });
  const node = el("div", { hidden: true }, bar, words);
  return {
    node,
    show(sent, total) {
      node.hidden = false;
      bar.max = total;
      bar.value = sent;
      words.textContent = sent >= total ? "Checking what came …" : `${bytes(sent)} of ${bytes(total)}`;
    },
    hide() { node.hidden = true; },
  };
}
