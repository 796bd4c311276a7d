// The keyboard: arrows move between days, 1 to 4 answer for the day that has the focus, ? lists the keys.
"use strict";

(() => {
  const OFF = "slomix-keys";
  const list = document.getElementById("keys");
  if (!list) return;

  // Single keys can be switched off (WCAG 2.1.4); arrows are no such keys.
  const choice = document.getElementById("keys-on");
  choice.checked = localStorage.getItem(OFF) !== "off";
  choice.addEventListener("change", () => {
    if (choice.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "off");
  });

  // Who came to a day's page by a key goes on with keys: the day has the focus there.
  const BY_KEY = "slomix-by-key";
  document.addEventListener("click", (event) => {
    if (event.detail === 0 && event.target.closest("[data-way], .crumbs [rel]")) sessionStorage.setItem(BY_KEY, "1");
  });
  if (sessionStorage.getItem(BY_KEY)) document.querySelector("#day [data-day]")?.focus({ focusVisible: true });
  sessionStorage.removeItem(BY_KEY);

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, select, textarea, dialog")) return;
    if (event.repeat && !(event.key in STEPS)) return; // a key that is held answers once
    const focused = document.activeElement;
    const day = focused.closest("[data-day]");
    const isFree = !focused.closest("a, button, summary, [tabindex='0']"); // nothing that may want the key has the focus
    if (!day && !isFree) return;
    const handled =
      event.key in STEPS ? move(day, event.key) : choice.checked && (answer(day, event.key) || explain(event.key));
    if (handled) event.preventDefault();
  });

  function explain(key) {
    if (key === "?") document.getElementById("keys-button").click();
    return key === "?";
  }

  function answer(day, key) {
    const { status } = list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.dataset ?? {};
    if (!status || !day || !("mine" in day.dataset)) return false;
    const button = day.querySelector(`button[value="${status}"]`);
    if (button) button.click();
    else if (!document.documentElement.hasAttribute("data-offline")) post(day, status);
    return true;
  }

  // A day without buttons of its own: the page's live part shows what came of it.
  async function post(day, status) {
    const { day: date } = day.dataset;
    await htmx.ajax("POST", `/day/${date}/status`, { source: day, values: { status }, swap: "none" });
    document.addEventListener(
      "slomix:seen",
      () => {
        const now = document.getElementById(day.id);
        // biome-ignore lint/performance/useDomNodeTextContent: that would read out what is hidden, and run words together
        document.getElementById("says").textContent = now ? now.innerText.replace(/\s+/g, " ") : "";
      },
      { once: true },
    );
    document.dispatchEvent(new CustomEvent("slomix:stale"));
  }

  const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, PageUp: "before", PageDown: "after" };
  let wanted = null; // the day to go to when its month is there

  function move(day, key) {
    const cell = day?.closest("#calendar") ? day : null;
    if (cell) return visit(later(cell.dataset.day, STEPS[key]), STEPS[key]);
    if (Math.abs(STEPS[key]) !== 1) return false;
    const ways = [...document.querySelectorAll("[data-way]:not(#calendar *)")];
    if (!ways.length) {
      const page = document.querySelector(`.crumbs [rel=${STEPS[key] < 0 ? "prev" : "next"}]`);
      page?.click();
      return Boolean(page);
    }
    const here = ways.findIndex((way) => way.closest("[data-day]") === day);
    ways[Math.min(Math.max(here + STEPS[key], 0), ways.length - 1)].focus();
    return true;
  }

  function later(date, step) {
    const moved = new Date(`${date}T00:00Z`);
    if (typeof step === "number") {
      moved.setUTCDate(moved.getUTCDate() + step);
    } else {
      const dayOfMonth = moved.getUTCDate();
      moved.setUTCMonth(moved.getUTCMonth() + (step === "after" ? 1 : -1), 1);
      const last = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate();
      moved.setUTCDate(Math.min(dayOfMonth, last));
    }
    return moved.toISOString().slice(0, 10);
  }

  function visit(date, step) {
    const cell = document.getElementById(`cell-${date}`);
    if (cell && typeof step === "number") {
      cell.focus();
    } else {
      wanted = date;
      document.querySelector(`[data-month=${step === "before" || step < 0 ? "before" : "after"}]`)?.click();
    }
    return true;
  }

  document.addEventListener("htmx:after:swap", () => {
    if (wanted) document.getElementById(`cell-${wanted}`)?.focus();
    wanted = null;
  });
})();
