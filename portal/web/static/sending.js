// Large opinions go piece by piece, and go on where a cut left them. Without this script the form
// sends the document whole; either way the server compares it with its SHA-256. Before anything is
// sent, whoever fills in the form must still be signed in: a form that comes too late is lost.
"use strict";

const WHOLE = 8 << 20; // Smaller documents go with the form.
const PIECE = 8 << 20;
const BUSY = ["upload_busy", "in_progress"]; // An earlier request, cut off here, is still at work there.
const PATIENCE = [1, 2, 4, 8, 15, 30, 30, 30]; // Seconds between attempts.

// SHA-256 (FIPS 180-4) of a stream: browsers can only hash what lies in memory whole.
const primes = (count) => {
  const found = [];
  for (let n = 2; found.length < count; n++) if (found.every((p) => n % p)) found.push(n);
  return found;
};
const fraction = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32) >>> 0;
const K = Uint32Array.from(primes(64), (p) => fraction(Math.cbrt(p)));
const START = primes(8).map((p) => fraction(Math.sqrt(p)));

class Sha256 {
  constructor() {
    this.state = Uint32Array.from(START);
    this.rest = new Uint8Array(0);
    this.length = 0;
    this.words = new Uint32Array(64);
  }

  update(bytes) {
    this.length += bytes.length;
    let data = bytes;
    if (this.rest.length) {
      data = new Uint8Array(this.rest.length + bytes.length);
      data.set(this.rest);
      data.set(bytes, this.rest.length);
    }
    const whole = data.length - (data.length % 64);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < whole; at += 64) this.block(view, at);
    this.rest = data.slice(whole);
  }

  block(view, at) {
    const w = this.words;
    for (let i = 0; i < 16; i++) w[i] = view.getUint32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = this.state;
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0;
      d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => (this.state[i] += value));
  }

  hex() {
    const bits = this.length * 8;
    const pad = new Uint8Array(((55 - this.length) & 63) + 9);
    pad[0] = 0x80;
    const view = new DataView(pad.buffer);
    view.setUint32(pad.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(pad.length - 4, bits >>> 0);
    this.update(pad);
    return Array.from(this.state, (word) => word.toString(16).padStart(8, "0")).join("");
  }
}

const said = (zh, en) => (document.documentElement.lang === "en" ? en : zh);
const form = document.getElementById("opinion-form");
const bar = document.getElementById("sending-bar");
const line = document.getElementById("sending-words");

const show = (text, part) => {
  document.getElementById("sending").hidden = false;
  line.textContent = text;
  if (part !== undefined) bar.value = Math.round(part * 100);
};

class Refused extends Error {}

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// Do something again until it is done or refused; the line may be away for a while.
const lasting = async (work) => {
  for (let failures = 0; ; failures++) {
    try {
      return await work(failures);
    } catch (error) {
      if (error instanceof Refused || failures >= PATIENCE.length) throw error;
      show(said("连接中断，将自动继续……", "The connection was cut; it will go on…"));
      await pause(PATIENCE[failures]);
    }
  }
};

// An answer that may come later is asked for again; one that refuses is told.
const answered = async (answer) => {
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) throw new Error(answer.statusText);
  const told = await answer.json().catch(() => ({}));
  if (BUSY.includes(told.code)) throw new Error(told.detail);
  throw new Refused(`${told.detail || told.message || `HTTP ${answer.status}`} ${told.remedy || ""}`);
};

// The token of whoever is signed in now: they may have signed in anew in another window.
const renew = async () => {
  const answer = await fetch("/tokens", { redirect: "manual", headers: { Accept: "text/html" } });
  if (answer.type === "opaqueredirect") {
    throw new Refused(said("登录已过期，所填内容还在：请在另一个窗口登录，再在此提交。", "You were signed out; what you typed is here: sign in in another window, then send again."));
  }
  if (!answer.ok) await answered(answer);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  form.elements.csrf_token.value = page.querySelector("[name=csrf_token]").value;
};

const digest = async (file) => {
  const sum = new Sha256();
  for (let at = 0; at < file.size; at += PIECE) {
    sum.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
    show(said("正在计算校验值……", "Computing the digest…"), at / file.size);
  }
  return sum.hex();
};

const announce = (file, sha256) => lasting(async () => {
  const data = new FormData(form);
  data.delete("document");
  for (const [name, value] of Object.entries({ name: file.name, size: file.size, sha256 })) data.set(name, value);
  const answer = await fetch("/commission/opinion/announce", { method: "POST", body: new URLSearchParams(data), redirect: "manual" });
  if (!answer.ok) await answered(answer);
  return answer.json();
});

const headers = () => ({ "X-CSRF-Token": form.elements.csrf_token.value });

const offset = async (address) => {
  const answer = await fetch(address, { method: "HEAD" });
  if (!answer.ok) await answered(answer);
  return Number(answer.headers.get("Upload-Offset"));
};

// Send one piece; return where the next begins.
const piece = async (file, address, at) => {
  const answer = await fetch(address, {
    method: "PATCH",
    headers: { ...headers(), "Content-Type": "application/octet-stream", "Upload-Offset": String(at) },
    body: file.slice(at, at + PIECE),
  });
  if (answer.ok) return Number(answer.headers.get("Upload-Offset"));
  const told = await answer.clone().json().catch(() => ({}));
  return told.code === "wrong_offset" ? offset(address) : answered(answer);
};

// Send from an offset; what fails for a while is asked for anew, what is refused is told.
const send = async (file, address, from) => {
  let at = from;
  while (at < file.size) {
    at = await lasting(async (failures) => piece(file, address, failures ? await offset(address) : at));
    show(`${said("正在上传", "Sending")} ${Math.floor((at / file.size) * 100)}%`, at / file.size);
  }
};

const finish = (address) => lasting(async () => {
  for (;;) {
    show(said("正在核对并入库……", "Comparing and taking in…"), 1);
    const answer = await fetch(`${address}/finish`, { method: "POST", headers: headers() });
    if (answer.status === 200) return;
    if (answer.status !== 202) await answered(answer);
    await pause(1);
  }
});

const wake = () => {
  delete form.dataset.sending;
  form.querySelector("button:not([type])").removeAttribute("aria-disabled");
};

const give = async (file) => {
  await lasting(renew);
  if (file.size < WHOLE) {
    form.submit();
    setTimeout(wake, 30 * 1000); // Whoever stopped it by hand may press again.
    return;
  }
  const upload = await announce(file, await digest(file));
  const address = `/api/v1/uploads/${upload.upload_id}`;
  await send(file, address, upload.offset);
  await finish(address);
  location.assign(`/commission?${new URLSearchParams({ number: form.dataset.number, done: "opinion" })}`);
};

form.addEventListener("submit", async (event) => {
  const file = form.elements.document.files[0];
  event.preventDefault();
  if (form.dataset.sending || !file) return;
  form.dataset.sending = "yes";
  form.querySelector("button:not([type])").setAttribute("aria-disabled", "true");
  line.removeAttribute("role");
  line.className = "small";
  show(said("正在提交……", "Sending…"));
  document.getElementById("sending").scrollIntoView({ block: "center" });
  try {
    await give(file);
  } catch (error) {
    const refused = error instanceof Refused;
    const why = refused ? error.message : said("连接中断或服务器暂时无法处理，也可能是文件已被移动。", "The line was cut, the server cannot do it now, or the file was moved.");
    line.setAttribute("role", "alert");
    line.className = "say bad";
    show(`${said("没有完成：", "Not done: ")}${why} ${said("再次提交会从中断处继续。", "Sending again goes on from where it stopped.")}`);
    wake();
  }
});

// Back from another page, the form may be sent again.
window.addEventListener("pageshow", (event) => event.persisted && wake());
