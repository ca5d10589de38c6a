// Calls to the API beside which this page lies. The key lives in this tab only.
const base = new URL("../", document.baseURI);
const slot = "langtrain-key";

export const session = {
  get key() { return sessionStorage.getItem(slot); },
  set key(value) { value ? sessionStorage.setItem(slot, value) : sessionStorage.removeItem(slot); },
};

export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? `The server answered ${status}.`);
    this.status = status;
    this.code = error?.code;
  }
}

async function send(method, path, body, signal) {
  const headers = {};
  if (session.key) headers.Authorization = `Bearer ${session.key}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(new URL(path, base), { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  if (!response.ok) {
    const answer = await response.json().catch(() => null);
    if (response.status === 401) session.key = null;
    throw new ApiError(response.status, answer?.error);
  }
  return response;
}

export async function call(method, path, body, signal) {
  const response = await send(method, path, body, signal);
  return response.status === 204 ? null : response.json();
}

/** Server-sent chunks of a POST, one by one. */
export async function* stream(path, body, signal) {
  const response = await send("POST", path, { ...body, stream: true }, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const chunk = JSON.parse(line.slice(6));
      if (chunk.error) throw new ApiError(500, chunk.error);
      yield chunk;
    }
  }
}

/** Trades the ticket of a sign-in link for a key. */
export async function redeem(ticket) {
  session.key = (await call("POST", "dashboard-sessions", { ticket })).key;
}

/** Sends a form with files, telling the bytes sent so far. */
export function sendForm(path, form, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", new URL(path, base));
    if (session.key) request.setRequestHeader("Authorization", `Bearer ${session.key}`);
    request.responseType = "json";
    request.upload.onprogress = event => onProgress(event.loaded);
    request.onload = () => request.status < 300 ? resolve(request.response) : reject(new ApiError(request.status, request.response?.error));
    request.onerror = () => reject(new ApiError(0, { message: "The connection broke off." }));
    request.onabort = () => reject(new DOMException("left", "AbortError"));
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

/** The bytes of an answer, to be kept as a file. */
export async function save(path, filename) {
  const bytes = await (await send("GET", path)).blob();
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(bytes), download: filename });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Trades the sign-in of Azure's built-in authentication for a key. */
export async function enter() {
  session.key = (await call("POST", "dashboard-sessions/entra", {})).key;
}
