"use strict";
// Each static drawing is replaced by the same figure with tooltips; where that fails, the drawing stays.
for (const drawing of document.querySelectorAll(".drawing[data-spec]")) {
  const live = document.createElement("div");
  const spec = JSON.parse(document.getElementById(drawing.dataset.spec).textContent);
  // `ast` interprets expressions instead of compiling them, which the page's policy forbids.
  vegaEmbed(live, spec, { mode: "vega-lite", renderer: "svg", actions: false, ast: true })
    .then(() => drawing.replaceChildren(live), (error) => console.warn(drawing.dataset.spec, error));
}
