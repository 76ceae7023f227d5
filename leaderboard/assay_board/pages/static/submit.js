"use strict";
// A list checked in place and handed in. Whatever the server answers is shown as text, never as markup.
{
  const form = document.getElementById("submit");
  const get = (id) => document.getElementById(id);
  const report = get("report"), sent = get("sent"), token = get("token"), remember = get("remember");
  const KEY = "assay-token";
  const store = (where) => { try { return window[where]; } catch { return null; } };
  form.hidden = false;
  const kept = store("localStorage")?.getItem(KEY);
  token.value = kept || store("sessionStorage")?.getItem(KEY) || "";
  remember.checked = Boolean(kept);

  function keep() {
    for (const where of ["localStorage", "sessionStorage"]) store(where)?.removeItem(KEY);
    if (token.value) store(remember.checked ? "localStorage" : "sessionStorage")?.setItem(KEY, token.value);
  }
  token.addEventListener("change", keep);
  remember.addEventListener("change", keep);

  function line(className, ...parts) {
    const p = document.createElement("p");
    p.className = className;
    for (const part of parts) p.append(part);
    report.append(p);
    return p;
  }
  const strong = (text) => { const b = document.createElement("strong"); b.textContent = text; return b; };

  function findings(list) {
    for (const f of list || []) {
      line(`finding ${f.severity || "error"}`, strong(f.rule || ""), ` ${f.message || ""}`,
        f.row === null || f.row === undefined ? "" : ` (row ${f.row})`);
    }
  }

  function facts(r) {
    const parts = ["n", "unique", "tokens", "samples", "repeats", "form", "unit"].filter((k) => r[k] !== undefined && r[k] !== null)
      .map((k) => `${k} ${typeof r[k] === "number" ? r[k].toLocaleString("en-US") : r[k]}`);
    if (parts.length) line("muted", parts.join(", "));
    if (r.digest) { const code = document.createElement("code"); code.textContent = r.digest; code.className = "digest"; line("", code); }
  }

  async function fields() {
    const [track, scale] = get("scale").value.split("/");
    const data = new FormData();
    const file = get("list").files[0];
    data.append("list", file, file.name);
    data.append("track", track);
    data.append("scale", scale);
    const manifest = get("manifest").files[0] ? JSON.parse(await get("manifest").files[0].text()) : {};
    for (const key of ["name", "method", "code"]) if (get(key).value.trim()) manifest[key] = get(key).value.trim();
    data.append("manifest", JSON.stringify(manifest));
    return data;
  }

  // Only this old interface tells how much was sent.
  function post(path, data) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", `${form.dataset.root}/${path}`);
      if (token.value) request.setRequestHeader("Authorization", `Bearer ${token.value}`);
      request.upload.addEventListener("progress", (e) => { if (e.lengthComputable) sent.value = e.loaded / e.total; });
      request.addEventListener("load", () => {
        let body = null;
        try { body = JSON.parse(request.responseText); } catch { /* no document: the status says it */ }
        resolve({ status: request.status, body, wait: Number(request.getResponseHeader("Retry-After")) });
      });
      request.addEventListener("error", () => reject(new Error("the server cannot be reached")));
      request.send(data);
    });
  }

  // A server that has to build a scale's pool first says when to ask again.
  async function patiently(path, data) {
    let waiting = null;
    for (let patience = 600; ; ) {
      const answer = await post(path, data);
      patience -= answer.wait;
      if (answer.status !== 503 || !answer.wait || patience < 0) { waiting?.remove(); return answer; }
      waiting ??= line("notice", `${answer.body?.detail || "The server is busy"}. This page goes on asking.`);
      await new Promise((resolve) => { setTimeout(resolve, answer.wait * 1000); });
    }
  }

  function refused({ status, body }) {
    line("notice bad", strong(`Refused${body?.rule ? `, rule ${body.rule}` : ""}. `), body?.detail || `HTTP ${status}`);
    findings(body?.findings);
  }

  async function send(handIn) {
    report.replaceChildren();
    if (!get("list").files[0]) { line("notice", "Choose a list first."); return; }
    // Asked for before anything is sent: a list takes long.
    if (!token.value) { line("notice", "A token is needed, to check a list too: register a team above, which takes a name."); return; }
    sent.hidden = false; sent.value = 0;
    try {
      const checked = await patiently("validations", await fields());
      if (checked.status >= 400 || checked.body?.ok === false) { refused(checked); return; }
      line("notice good", strong("The list is fine. "), handIn ? "Handing it in…" : "Nothing was kept.");
      facts(checked.body || {});
      findings(checked.body?.findings);
      if (!handIn) return;
      const data = await fields();
      data.append("seeds", get("seeds").value);
      const answer = await patiently("submissions", data);
      if (answer.status >= 400) { refused(answer); return; }
      const link = document.createElement("a");
      link.href = `${form.dataset.pages}/${encodeURIComponent(answer.body.submission.id)}`;
      link.textContent = "Watch it";
      line("notice good", strong(answer.status === 200 ? "This list was handed in before. " : "Handed in. "), link);
    } catch (error) {
      line("notice bad", error.message);
    } finally {
      sent.hidden = true;
    }
  }

  function chosen() {
    const file = get("list").files[0];
    get("chosen-file").textContent = file ? `${file.name}, ${file.size.toLocaleString("en-US")} bytes` : "";
    if (file && !get("name").value) get("name").value = file.name.replace(/\.[^.]*$/, "");
  }
  get("list").addEventListener("change", chosen);
  const drop = get("drop");
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (e) => { e.preventDefault(); drop.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (e) => { e.preventDefault(); if (e.dataTransfer.files.length) { get("list").files = e.dataTransfer.files; chosen(); } });
  get("check").addEventListener("click", () => send(false));
  form.addEventListener("submit", (event) => { event.preventDefault(); send(true); });
  get("register").addEventListener("click", async () => {
    report.replaceChildren();
    const answer = await fetch(`${form.dataset.root}/teams`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name: get("team").value }),
    }).catch(() => null);
    const body = await answer?.json().catch(() => null);
    if (!answer?.ok) { line("notice bad", body?.detail || "The server did not register the team."); return; }
    token.value = body.token;
    keep();
    line("notice good", "Registered. The token is in the field above; it is shown nowhere else.");
  });
}
