// The table of moments: filtered by a text and by kind. Without this script the page shows everything.
"use strict";
const rows = [...document.querySelectorAll("#moments tr[data-kind]")];
const text = document.querySelector("#find");
const boxes = [...document.querySelectorAll("input[data-kind]")];

function show() {
  const wanted = text.value.toLowerCase();
  const kinds = new Set(boxes.filter((box) => box.checked).map((box) => box.dataset.kind));
  for (const row of rows) {
    row.hidden = !kinds.has(row.dataset.kind) || !row.textContent.toLowerCase().includes(wanted);
  }
}

document.querySelector("#tools").hidden = false;
text.addEventListener("input", show);
for (const box of boxes) box.addEventListener("change", show);
