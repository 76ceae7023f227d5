"use strict";
// Each figure is drawn from the specification beside it; where that fails, its table says the same.
for (const drawing of document.querySelectorAll(".drawing[data-spec]")) {
  const spec = JSON.parse(document.getElementById(drawing.dataset.spec).textContent);
  // `ast` interprets expressions instead of compiling them, and styles are in the page's own sheet: the policy
  // forbids anything else.
  const options = {
    mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
  };
  const details = drawing.parentElement.querySelector("details.numbers");
  vegaEmbed(drawing, spec, options).then(
    () => { drawing.hidden = false; if (details) details.open = false; },
    (error) => console.warn(drawing.dataset.spec, error),
  );
}
