// Which page is shown, and who is signed in.
import { call, enter, redeem, session } from "./api.js";
import { el, notice } from "./dom.js";
import { chatPage } from "./chat.js";
import { filesPage } from "./files.js";
import { jobPage, jobsPage } from "./jobs.js";
import { keysPage } from "./keys.js";
import { modelsPage } from "./models.js";
import { trainPage } from "./train.js";
import { usagePage } from "./usage.js";
import { webhooksPage } from "./webhooks.js";

const page = document.getElementById("page");
let leave = null;

async function show() {
  leave?.abort();
  leave = new AbortController();
  const ticket = /^#ticket=(.+)$/.exec(location.hash);
  if (ticket) {
    // The ticket goes out of the address before anything else happens.
    history.replaceState(null, "", "#/jobs");
    try { await redeem(ticket[1]); } catch (error) { signIn(error); return; }
  }

  if (!session.key) { signIn(); return; }
  const [, name = "jobs", ...rest] = location.hash.split("/");
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#/${name}`) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }

  try {
    document.getElementById("sign-out").hidden = false;
    const profile = await call("GET", "user/profile", undefined, leave.signal);
    document.getElementById("who").textContent = `${profile.name} · ${profile.tier}`;
    const pages = { jobs: rest[0] ? jobPage : jobsPage, files: filesPage, train: trainPage, models: modelsPage, chat: chatPage, usage: usagePage, keys: keysPage, webhooks: webhooksPage };
    await (pages[name] ?? jobsPage)(page, leave.signal, decodeURIComponent(rest.join("/")));
  } catch (error) {
    if (error.name === "AbortError") return;
    session.key ? page.replaceChildren(notice(error)) : signIn(error);
  }
}

function signIn(error) {
  document.getElementById("who").textContent = "";
  document.getElementById("sign-out").hidden = true;
  const key = el("input", { type: "password", id: "key", autocomplete: "off", required: true, class: "grow" });
  page.replaceChildren(el("form", {
    class: "card",
    onsubmit: event => { event.preventDefault(); session.key = key.value.trim(); show(); },
  }, el("h1", {}, "Sign in"), error ? notice(error) : null,
  el("p", { class: "dim" }, "Open the dashboard link that the server printed, or paste an API key. It stays in this tab."),
  el("label", { for: "key" }, "API key"), el("div", { class: "row" }, key, el("button", {}, "Sign in"))));
  key.focus();
  offerEntra();
}

// Where the server sits behind Entra ID: whoever has signed in there comes in at once, anybody else finds the button.
async function offerEntra() {
  const { ways } = await call("GET", "dashboard-sessions").catch(() => ({ ways: [] }));
  if (!ways.includes("entra")) return;
  const back = encodeURIComponent(location.pathname + "#/jobs");
  page.querySelector("form")?.append(el("p", {}, el("a", { href: `/.auth/login/aad?post_login_redirect_uri=${back}` }, "Sign in with Microsoft Entra ID")));
  if (sessionStorage.getItem("langtrain-left")) return;
  try { await enter(); show(); } catch (error) { if (error.status !== 401) page.prepend(notice(error)); }
}

document.getElementById("sign-out").addEventListener("click", () => { session.key = null; sessionStorage.setItem("langtrain-left", "1"); show(); });
addEventListener("hashchange", show);
show();
