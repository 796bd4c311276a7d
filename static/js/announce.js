// What a new state means outside the part that was swapped: the tab's title, and what a screen reader says.
import { livePart, onPageChange } from "./page.js";

const QUIET = 1500; // what changes again within this is read aloud once

export function announceChanges() {
  let announced = livePart()?.dataset.says;
  let timer = null;

  onPageChange(() => {
    const { title, says } = livePart()?.dataset ?? {};
    if (title) document.title = title;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!says || says === announced) return;
      announced = says;
      readAloud(says);
    }, QUIET);
  });
}

export function readAloud(text) {
  document.getElementById("says").textContent = text;
}
