"use strict";
// A button beside every command that copies it.
// An export does not know where it is served; whoever reads it there does.
if (location.protocol.startsWith("http")) {
  for (const { dataset, firstChild } of document.querySelectorAll("code[data-local]")) {
    firstChild.data = firstChild.data.replaceAll(dataset.local, new URL(dataset.root, location.href));
  }
  for (const words of document.querySelectorAll(".unserved")) words.hidden = true;
}
for (const button of document.querySelectorAll(".command .copy")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}
