"use strict";
// Sorting, filtering, pinning and choosing without a round trip. The server does the first two as well, from the
// same address, so that a page reads the same without this script.
{
  const STATES = ["ranked", "unranked", "retracted"];
  const FIELDS = ["state", "digest", "name", "rank", "low", "high", "best", "score", "second", "half", "half2",
    "seeds", "level", "size", "share", "repeats", "cost", "noisy", "reason"];
  const WIDTH = 160, MOST = 5, SHORT = 12;
  const table = document.getElementById("board");
  const body = document.getElementById("rows");
  const template = document.getElementById("row");
  const form = document.querySelector("form.filters");
  const { q, level } = form.elements;
  const bar = { status: document.getElementById("ticked"), clear: document.getElementById("clear"),
    submit: document.querySelector("#bar [type=submit]") };
  const address = new URLSearchParams(location.search);
  const state = {
    sort: address.get("sort") || "rank", down: address.get("down") === "1", page: Number(address.get("page")) || 1,
    pins: new Set(address.getAll("pin")), chosen: new Set(address.getAll("entry")),
  };
  let data = null, rows = [];

  const minus = (text) => text.replace("-", "−");
  const fixed = (value, digits) => value === null ? "–" : minus(value.toFixed(digits));
  const duration = (s) => {
    if (s === null) return "–";
    for (const [limit, unit, size] of [[60, "s", 1], [3600, "min", 60], [86400, "h", 3600]]) {
      if (s < limit) return `${Number((s / size).toPrecision(3))} ${unit}`;
    }
    return `${Number((s / 86400).toPrecision(3)).toLocaleString("en-US")} d`;
  };
  const at = (value) => {
    const [low, high] = data.domain;
    const share = high > low ? (value - low) / (high - low) : 0.5;
    return (4 + (WIDTH - 8) * Math.min(Math.max(share, 0), 1)).toFixed(1);
  };

  const KEYS = {
    rank: null,
    name: (r) => r.name.toLowerCase(), level: (r) => r.level,
    score: (r) => r.score, second: (r) => r.second, best: (r) => -(r.best || 0), seeds: (r) => r.seeds,
    size: (r) => r.size, repeats: (r) => r.repeats, cost: (r) => r.cost ?? Infinity,
  };

  function selected() {
    const text = q.value.trim().toLowerCase();
    const digits = text.replace("sha256:", "");
    const kept = rows.filter((r) => (!level.value || r.level === level.value)
      && (!text || r.name.toLowerCase().includes(text) || r.digest.startsWith(digits)));
    const key = KEYS[state.sort], sign = state.down ? -1 : 1;
    const compare = key ? (a, b) => { const x = key(a), y = key(b); return x < y ? -sign : x > y ? sign : a.place - b.place; }
      : (a, b) => sign * (a.place - b.place);
    return kept.sort((a, b) => a.state - b.state || compare(a, b));
  }

  function pair(cell, value, half, digits) {
    cell.querySelector("span.mean").textContent = fixed(value, digits);
    let span = cell.querySelector(".half");
    if (!span) { span = document.createElement("span"); span.className = "half"; cell.append(span); }
    span.textContent = half === null ? "" : ` ± ${fixed(half, digits)}`;
  }

  function draw(r) {
    const tr = template.content.firstElementChild.cloneNode(true);
    const find = (selector) => tr.querySelector(selector);
    const digest = r.digest.slice(0, SHORT);
    tr.className = STATES[r.state] + (r.rank === 1 && !r.noisy ? " tied" : "") + (state.pins.has(digest) ? " pinned" : "");
    tr.dataset.digest = digest;
    const tick = find("input");
    tick.value = digest; tick.disabled = r.state !== 0; tick.checked = state.chosen.has(digest);
    tick.setAttribute("aria-label", `Compare ${r.name}`);
    const pin = find(".pin");
    pin.hidden = false; pin.setAttribute("aria-pressed", state.pins.has(digest)); pin.setAttribute("aria-label", `Pin ${r.name}`);
    find(".rank").textContent = r.rank === null ? "–" : r.low === r.high ? r.low : `${r.low}–${r.high}`;
    const link = find("a.entry");
    link.textContent = r.name; link.href = table.dataset.entry.replace("DIGEST", r.digest);
    find(".noisy").hidden = !r.noisy;
    const reason = find(".reason");
    reason.hidden = !r.reason; reason.textContent = r.reason;
    pair(find(".score"), r.score, r.half, data.digits[0]);
    pair(find(".second"), r.second, r.half2, data.digits[1]);
    const reach = find("line.reach"), half = r.half || 0;
    reach.setAttribute("x1", at(r.score - half)); reach.setAttribute("x2", at(r.score + half));
    const middle = find("line.mean");
    middle.setAttribute("x1", at(r.score)); middle.setAttribute("x2", at(r.score));
    find(".best").textContent = fixed(r.best, 2);
    find(".seeds").textContent = r.seeds;
    find(".size").firstChild.textContent = `${r.size.toLocaleString("en-US")} `;
    find(".size .muted").textContent = `${Math.round(100 * r.share)}%`;
    find(".repeats").textContent = fixed(r.repeats, 2);
    find(".cost").textContent = duration(r.cost);
    const badge = find(".level");
    badge.textContent = r.level; badge.className = `level ${r.level}`;
    return tr;
  }

  function show() {
    const found = selected();
    const pages = Math.max(1, Math.ceil(found.length / data.page));
    state.page = Math.min(Math.max(state.page, 1), pages);
    const pinned = rows.filter((r) => state.pins.has(r.digest.slice(0, SHORT)));
    const rest = found.filter((r) => !state.pins.has(r.digest.slice(0, SHORT)));
    const shown = rest.slice((state.page - 1) * data.page, state.page * data.page);
    const fragment = document.createDocumentFragment();
    pinned.forEach((r) => fragment.append(draw(r)));
    let last = 0;
    for (const r of shown) {
      if (r.state !== last) {
        last = r.state;
        fragment.append(document.getElementById(`divider-${STATES[last]}`).content.cloneNode(true));
      }
      fragment.append(draw(r));
    }
    if (!shown.length && !pinned.length) {
      const tr = document.createElement("tr"), td = document.createElement("td");
      td.colSpan = 12; td.textContent = "Nothing here fits the filter."; tr.className = "none"; tr.append(td); fragment.append(tr);
    }
    body.replaceChildren(fragment);
    document.getElementById("count").textContent = `${found.length.toLocaleString("en-US")} ${found.length === 1 ? "submission" : "submissions"}`;
    for (const th of table.querySelectorAll("th[data-column]")) {
      if (th.dataset.column === state.sort) th.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    }
    turner(pages);
    ticked();
  }

  function turner(pages) {
    const nav = document.getElementById("pages");
    nav.hidden = pages < 2;
    const link = (text, page) => {
      const a = document.createElement("button");
      a.type = "button"; a.textContent = text; a.disabled = page < 1 || page > pages;
      a.addEventListener("click", () => { state.page = page; update(); table.scrollIntoView(); });
      return a;
    };
    const here = document.createElement("span");
    here.textContent = `page ${state.page} of ${pages}`;
    nav.replaceChildren(link("Previous", state.page - 1), here, link("Next", state.page + 1));
  }

  function ticked() {
    if (!bar.status) return;
    const n = state.chosen.size;
    bar.status.textContent = n === 0 ? "Tick two to five." : `${n} ticked${n < 2 ? ", one more at least" : ""}`;
    bar.clear.hidden = n === 0;
    bar.submit.disabled = n < 2;
    for (const box of body.querySelectorAll("input[name=entry]")) {
      const row = box.closest("tr");
      box.disabled = !row.classList.contains("ranked") || (n >= MOST && !box.checked);
    }
  }

  function update() {
    const kept = new URLSearchParams();
    if (state.sort !== "rank") kept.set("sort", state.sort);
    if (state.down) kept.set("down", "1");
    if (q.value.trim()) kept.set("q", q.value.trim());
    if (level.value) kept.set("level", level.value);
    if (state.page > 1) kept.set("page", state.page);
    state.pins.forEach((digest) => kept.append("pin", digest));
    state.chosen.forEach((digest) => kept.append("entry", digest));
    const search = kept.toString();
    // Files may not be allowed an address of their own; the page works all the same.
    try { history.replaceState(null, "", search ? `?${search}` : location.pathname); } catch { /* see above */ }
    show();
  }

  function toggle(set, digest) {
    if (!set.delete(digest)) set.add(digest);
  }

  function listen() {
    table.tHead.addEventListener("click", (event) => {
      const link = event.target.closest("[data-sort]");
      if (!link || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      state.down = state.sort === link.dataset.sort && !state.down;
      state.sort = link.dataset.sort; state.page = 1;
      update();
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => { state.page = 1; update(); });
    body.addEventListener("click", (event) => {
      const pin = event.target.closest(".pin");
      if (!pin) return;
      const digest = pin.closest("tr").dataset.digest;
      toggle(state.pins, digest);
      update();
      body.querySelector(`tr[data-digest="${digest}"] .pin`)?.focus();
    });
    body.addEventListener("change", (event) => {
      if (event.target.name !== "entry") return;
      toggle(state.chosen, event.target.value);
      const focused = event.target.value;
      update();
      body.querySelector(`input[value="${focused}"]`)?.focus();
    });
    bar.clear?.addEventListener("click", () => { state.chosen.clear(); update(); });
    document.getElementById("chosen").addEventListener("submit", (event) => {
      // Ticked rows of other pages of the board are in no form field.
      event.preventDefault();
      const wanted = new URLSearchParams([...state.chosen].map((digest) => ["entry", digest]));
      location.assign(`${event.target.action}?${wanted}`);
    });
  }

  async function start() {
    const inline = document.getElementById("data");
    data = inline ? JSON.parse(inline.textContent) : await (await fetch(table.dataset.rows)).json();
    rows = data.rows.map((values, place) => Object.fromEntries([["place", place], ...FIELDS.map((f, i) => [f, values[i]])]));
    if (!inline || location.search) { q.value = address.get("q") || q.value; level.value = address.get("level") || level.value; }
    listen();
    show();
    document.documentElement.dataset.ready = "board";
    performance.mark("board ready");
  }
  if (template) start().catch((error) => console.warn("the board stays as the server sent it:", error));
}
