// A chat with a model; a model without a chat template continues the text instead.
import { call, stream } from "./api.js";
import { el, notice } from "./dom.js";

export async function chatPage(page, signal, wanted) {
  const models = (await call("GET", "models", undefined, signal)).data.filter(model => model.status === "ready");
  const select = el("select", { "aria-label": "Model", class: "grow" }, models.map(model => el("option", { value: model.id, selected: model.id === wanted }, model.id)));
  const temperature = el("input", { type: "number", min: 0, max: 2, step: 0.1, value: "0.7", title: "0 always takes the likeliest token" });
  const length = el("input", { type: "number", min: 1, max: 4096, value: "200", title: "The answer ends here at the latest" });
  const turns = el("div");
  const input = el("textarea", { rows: 3, placeholder: "Write something", "aria-label": "Message" });
  const button = el("button", {}, "Send");
  let history = [], running = null;

  async function send() {
    const text = input.value;
    if (!text.trim() || !select.value) return;
    const chats = models.find(model => model.id === select.value).supported_tasks.includes("chat");
    input.value = "";
    history.push({ role: "user", content: text });
    const answer = el("div", { class: "turn" });
    turns.append(el("div", { class: "turn user" }, text), answer);
    running = new AbortController();
    signal.addEventListener("abort", () => running?.abort(), { once: true });
    button.textContent = "Stop";
    const shared = { model: select.value, temperature: Number(temperature.value), max_tokens: Number(length.value) };
    try {
      const chunks = chats ? stream("chat/completions", { ...shared, messages: history }, running.signal) : stream("completions", { ...shared, prompt: text }, running.signal);
      for await (const chunk of chunks) {
        answer.append(chunk.choices[0]?.delta?.content ?? "");
        answer.scrollIntoView({ block: "nearest" });
      }
    } catch (error) {
      if (error.name !== "AbortError") turns.append(notice(error));
    } finally {
      history.push({ role: "assistant", content: answer.textContent });
      running = null;
      button.textContent = "Send";
    }
  }

  const clear = el("button", { type: "button", class: "quiet", onclick: () => { history = []; turns.replaceChildren(); } }, "Clear");
  select.addEventListener("change", () => { history = []; turns.replaceChildren(); });
  input.addEventListener("keydown", event => { if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); send(); } });
  page.replaceChildren(el("h1", {}, "Chat"), el("div", { class: "card" }, el("div", { class: "row" }, select, el("label", {}, "Temperature ", temperature), el("label", {}, "Most tokens ", length), clear)), turns,
    el("form", { class: "card", onsubmit: event => { event.preventDefault(); running ? running.abort() : send(); } }, input, el("div", { class: "row" }, button)));
  input.focus();
}
