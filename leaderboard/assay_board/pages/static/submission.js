"use strict";
// The page of a submission, asked for again every few seconds until it has ended, and shown where it has changed.
{
  const CHANGING = ["facts", "news", "runs", "screening"];
  const live = document.getElementById("live");
  const status = document.getElementById("status");
  const log = document.getElementById("log");
  let cursor = null, done = "";

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
    const answer = await fetch(location.href);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of CHANGING) {
      const shown = document.getElementById(id), news = page.getElementById(id);
      if (!shown.isEqualNode(news)) shown.replaceChildren(...news.childNodes);
    }
    if (document.getElementById("log-details").open) await lines();
    return "pending" in page.getElementById("live").dataset;
  }

  async function watch(wait) {
    let next = 2000;
    try {
      const pending = await poll();
      status.textContent = pending ? `Watching: asked at ${new Date().toLocaleTimeString()}. From a terminal:` : "From a terminal:";
      if (!pending) return;
    } catch (error) {
      next = Math.min(wait * 2, 30000);
      status.textContent = `The server does not answer (${error.message}); asking again in ${next / 1000} s.`;
    }
    setTimeout(() => watch(next), next);
  }
  document.getElementById("log-details").addEventListener("toggle", lines);
  if ("pending" in live.dataset) watch(2000);
}
