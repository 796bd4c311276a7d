// The keyboard: arrows move between days, 1 to 4 answer for the day that has the focus, ? lists the keys.
import { readAloud } from "./announce.js";
import { isOffline } from "./offline.js";
import { onPageChange } from "./page.js";
import { refresh } from "./refresh.js";

const SINGLE_KEYS = "slomix-keys"; // "off" in localStorage where a person switched them off
const CAME_BY_KEY = "slomix-by-key";
// In days, or in months.
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, PageUp: "before", PageDown: "after" };

let awaitedDate = null; // the day to go to when its month is there

const cellOf = (date) => document.getElementById(`cell-${date}`);

export function listenToKeys() {
  const keyList = document.getElementById("keys");
  if (!keyList) return;
  const singleKeys = rememberChoice(document.getElementById("keys-on"));
  keepFocusBetweenDays();

  document.addEventListener("keydown", (event) => {
    const { key } = event;
    if (!isForUs(event)) return;
    const focused = document.activeElement;
    const day = focused.closest("[data-day]");
    const wantsKeys = focused.closest("a, button, summary, [tabindex='0']");
    if (!day && wantsKeys) return;
    const isHandled = key in STEPS ? move(day, key) : singleKeys.checked && (answer(keyList, day, key) || explain(key));
    if (isHandled) event.preventDefault();
  });

  document.addEventListener("htmx:after:swap", () => {
    // Another part of the page may be swapped first.
    const cell = awaitedDate && cellOf(awaitedDate);
    if (!cell) return;
    cell.focus();
    awaitedDate = null;
  });
}

// Single keys can be switched off (WCAG 2.1.4); arrows are no such keys.
function rememberChoice(checkbox) {
  checkbox.checked = localStorage.getItem(SINGLE_KEYS) !== "off";
  checkbox.addEventListener("change", () => {
    if (checkbox.checked) localStorage.removeItem(SINGLE_KEYS);
    else localStorage.setItem(SINGLE_KEYS, "off");
  });
  return checkbox;
}

// A person who came to a day's page by a key goes on with keys: the day has the focus there.
function keepFocusBetweenDays() {
  document.addEventListener("click", (event) => {
    const isByKey = event.detail === 0;
    if (isByKey && event.target.closest("[data-way], .crumbs [rel]")) sessionStorage.setItem(CAME_BY_KEY, "1");
  });
  if (sessionStorage.getItem(CAME_BY_KEY)) document.querySelector("#day [data-day]")?.focus({ focusVisible: true });
  sessionStorage.removeItem(CAME_BY_KEY);
}

function isForUs(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  if (event.target.closest("input, select, textarea, dialog")) return false;
  return !event.repeat || event.key in STEPS; // a key that is held answers once
}

function explain(key) {
  if (key === "?") document.getElementById("keys-button").click();
  return key === "?";
}

function answer(keyList, day, key) {
  const { status } = keyList.querySelector(`[data-key="${CSS.escape(key)}"]`)?.dataset ?? {};
  if (!status || !day || !("mine" in day.dataset)) return false;
  const button = day.querySelector(`button[value="${status}"]`);
  if (button) button.click();
  else if (!isOffline()) postStatus(day, status);
  return true;
}

// A day without buttons of its own: the page's live part shows what came of it.
async function postStatus(day, status) {
  const { day: date } = day.dataset;
  await htmx.ajax("POST", `/day/${date}/status`, { source: day, values: { status }, swap: "none" });
  onPageChange(
    () => {
      const dayNow = document.getElementById(day.id);
      readAloud(dayNow ? wordsOf(dayNow) : "");
    },
    { once: true },
  );
  refresh();
}

// What a screen reader says of an element.
function wordsOf(element) {
  const spoken = element.cloneNode(true);
  for (const silent of spoken.querySelectorAll("[aria-hidden=true]")) silent.remove();
  return spoken.textContent.replace(/\s+/g, " ").trim();
}

function move(day, key) {
  const step = STEPS[key];
  if (day?.closest("#calendar")) return goToDate(addStep(day.dataset.day, step), step);
  if (Math.abs(step) !== 1) return false;
  const links = [...document.querySelectorAll("[data-way]:not(#calendar *)")];
  if (!links.length) {
    const page = document.querySelector(`.crumbs [rel=${step < 0 ? "prev" : "next"}]`);
    page?.click();
    return Boolean(page);
  }
  const current = links.findIndex((link) => link.closest("[data-day]") === day);
  links[Math.min(Math.max(current + step, 0), links.length - 1)].focus();
  return true;
}

function addStep(date, step) {
  const moved = new Date(`${date}T00:00Z`);
  if (typeof step === "number") {
    moved.setUTCDate(moved.getUTCDate() + step);
  } else {
    const dayOfMonth = moved.getUTCDate();
    moved.setUTCMonth(moved.getUTCMonth() + (step === "after" ? 1 : -1), 1);
    const lastOfMonth = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate();
    moved.setUTCDate(Math.min(dayOfMonth, lastOfMonth));
  }
  return moved.toISOString().slice(0, 10);
}

function goToDate(date, step) {
  const cell = cellOf(date);
  if (cell && typeof step === "number") {
    cell.focus();
  } else {
    awaitedDate = date;
    document.querySelector(`[data-month=${step === "before" || step < 0 ? "before" : "after"}]`)?.click();
  }
  return true;
}
