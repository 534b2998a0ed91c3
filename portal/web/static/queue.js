// What makes the pages pleasant; all of them work without it. It says nothing to any other host.
"use strict";

document.documentElement.classList.add("js");

const words = (zh, en) => (document.documentElement.lang === "en" ? en : zh);

const announce = (text) => {
  const place = document.getElementById("announced");
  if (place) place.textContent = text;
};

// A button pressed twice sends its form once; the server would not mind either. After a while it
// may be pressed again: whoever stopped the page by hand is not left with a form that does nothing.
const ONCE_MS = 30 * 1000;
const wake = (form) => {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
};
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post") return;
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  announce(words("正在提交……", "Sending…"));
  setTimeout(() => wake(form), ONCE_MS);
});

// Back from another page, a form may be sent again.
window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach(wake));

// Digests are copied whole, without the blanks that the eye needs.
const copied = async (button) => {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const before = button.textContent;
  button.textContent = words("已复制", "Copied");
  announce(words("已复制到剪贴板", "Copied to the clipboard"));
  setTimeout(() => (button.textContent = before), 2000);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button) copied(button);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-tick]");
  for (const box of button ? button.form.querySelectorAll(`[name=${button.dataset.tick}]`) : []) box.checked = true;
});

// Nobody looks: no news is fetched, so that a session left alone ends as its time says.
const PATIENCE_MS = 10 * 60 * 1000;
let touched = Date.now();
for (const kind of ["pointerdown", "keydown", "scroll"]) {
  addEventListener(kind, () => (touched = Date.now()), { passive: true });
}
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden || Date.now() - touched > PATIENCE_MS) event.preventDefault();
});

// A list that could not be asked for says so: nobody takes an old one for the newest.
const stale = (yes) => {
  const place = document.getElementById("stale");
  if (place) place.hidden = !yes;
};
document.addEventListener("htmx:sendError", () => stale(true));
document.addEventListener("htmx:responseError", () => stale(true));
document.addEventListener("htmx:afterOnLoad", (event) => event.detail.successful && stale(false));

// What came in while the page was open is told, and marked for a moment.
document.addEventListener("htmx:afterSwap", (event) => {
  const news = document.querySelector("[data-news]");
  if (news && event.detail.target.id === "rows") announce(news.dataset.news);
});

// A message about what went wrong is where reading goes on.
const first = document.querySelector("[data-focus]");
if (first) first.focus();
