// A request's own page: times in the reader's zone, the way back with its filters, the command to the clipboard.
"use strict";

for (const time of document.querySelectorAll("time")) {
  const when = new Date(time.dateTime);
  if (Number.isNaN(when.getTime())) continue;
  time.title = time.textContent;
  time.textContent = `${yearAndTimeOfDay.format(when)} (${zone})`;
}
try {
  const query = sessionStorage.getItem("overcoat.logs");
  if (query && query.startsWith("?")) document.getElementById("back").href = `./${query}`;
} catch { /* private windows may refuse */ }
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const place = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(place.textContent);
      button.textContent = "Copied";
    } catch {  // without https there may be no clipboard
      getSelection().selectAllChildren(place);
      button.textContent = "Selected";
    }
  });
}
