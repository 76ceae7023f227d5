"use strict";
// The state of a submission, asked for every few seconds while it is not at its end.
{
  const live = document.getElementById("live");
  const ENDED = ["done", "refused", "failed", "withdrawn"];
  const status = document.getElementById("status");
  const log = document.getElementById("log");
  let cursor = null, done = "";
  const duration = (s) => {
    if (s === null || s === undefined) return "–";
    for (const [limit, unit, size] of [[60, "s", 1], [3600, "min", 60], [86400, "h", 3600]]) {
      if (s < limit) return `${Number((s / size).toPrecision(3))} ${unit}`;
    }
    return `${Number((s / 86400).toPrecision(3))} d`;
  };
  const badge = (element, text) => { element.textContent = text; element.className = `state ${text}`; };

  function run(row, r) {
    const part = (name) => row.querySelector(`[data-live=${name}]`);
    badge(part("state"), r.state);
    part("reason").textContent = r.reason || "";
    const p = r.progress;
    part("bar").value = p && p.total ? p.done / p.total : r.state === "done" ? 1 : 0;
    part("progress").textContent = p && p.total
      ? `${p.done.toLocaleString("en-US")} of ${p.total.toLocaleString("en-US")} ${p.unit}${p.rate ? `, ${Number(p.rate.toPrecision(3))} a second` : ""}` : "";
    part("attempts").textContent = r.attempts;
    part("worker").textContent = r.worker || "–";
    part("heard").textContent = duration(r.heartbeat_age_seconds);
    part("record").textContent = r.record ? r.record.replace("sha256:", "").slice(0, 12) : "–";
  }

  // Whole pages of the log are kept; the last one grows, and is asked for again.
  async function lines() {
    for (;;) {
      const answer = await fetch(live.dataset.log + (cursor ? `?cursor=${cursor}` : ""));
      if (!answer.ok) return;
      const page = await answer.json();
      const text = page.items.map((one) => `seed ${one.seed_index}: ${one.line}\n`).join("");
      if (!page.next) { log.textContent = done + text; return; }
      done += text;
      cursor = page.next;
    }
  }

  async function poll() {
    const answer = await fetch(live.dataset.address);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const s = await answer.json();
    badge(live.querySelector(".facts [data-live=state]"), s.state);
    live.querySelector("[data-live=position]").textContent = s.position ?? "–";
    live.querySelector("[data-live=eta]").textContent = duration(s.eta_seconds);
    for (const r of s.runs) {
      const row = document.querySelector(`#runs tr[data-seed="${r.seed_index}"]`);
      if (!row) { location.reload(); return true; }
      run(row, r);
    }
    if (document.getElementById("log-details").open) await lines();
    return ENDED.includes(s.state);
  }

  async function watch(wait) {
    let next = 2000;
    try {
      if (await poll()) { location.reload(); return; }
      status.textContent = `Watching: asked at ${new Date().toLocaleTimeString()}. From a terminal:`;
    } catch (error) {
      next = Math.min(wait * 2, 30000);
      status.textContent = `The server does not answer (${error.message}); asking again in ${next / 1000} s.`;
    }
    setTimeout(() => watch(next), next);
  }
  document.getElementById("log-details").addEventListener("toggle", lines);
  if (!live.dataset.ended) watch(2000);
}
