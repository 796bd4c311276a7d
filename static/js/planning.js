// The planning room: the clock of a draft counts down, and players can be dragged to a team where there is a mouse.
"use strict";

(() => {
  const room = () => document.getElementById("room");
  if (!room()) return;

  // The server says how long is left, so that a browser whose clock is wrong counts right.
  let ends = null;

  function wind() {
    const left = room()?.querySelector(".clock")?.dataset.left;
    ends = left === undefined ? null : performance.now() + left * 1000;
    tick();
  }

  function tick() {
    const clock = room()?.querySelector(".clock");
    if (!clock || ends === null) return;
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    clock.classList.toggle("short", left <= 10);
  }

  wind();
  setInterval(tick, 250);
  document.addEventListener("slomix:seen", wind);

  // What was typed outlives every refresh of the page, so it is taken away when it has been sent.
  document.addEventListener("htmx:after:swap", (event) => {
    const { response, sourceElement } = event.detail.ctx;
    if (response?.status < 400 && sourceElement?.matches?.("form.suggest")) sourceElement.reset();
  });

  let dragged = null;
  const zoneOf = (event) => event.target.closest("[data-zone]");

  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-player]") ?? null;
    if (!dragged) return;
    event.dataTransfer.setData("text/plain", dragged.dataset.player);
    event.dataTransfer.effectAllowed = "move";
    room().classList.add("dragging");
  });

  document.addEventListener("dragover", (event) => {
    const zone = dragged && zoneOf(event);
    for (const one of document.querySelectorAll("[data-zone]")) one.classList.toggle("over", one === zone);
    if (zone) event.preventDefault();
  });

  document.addEventListener("dragend", rest);

  document.addEventListener("drop", (event) => {
    const zone = dragged && zoneOf(event);
    const player = dragged?.dataset.player;
    const from = dragged?.closest("[data-zone]");
    rest();
    if (!zone || zone === from) return;
    event.preventDefault();
    if (document.documentElement.hasAttribute("data-offline")) return;
    const form = document.getElementById("teams-form");
    const values = { do: `place:${player}:${zone.dataset.zone}` };
    htmx.ajax("POST", form.getAttribute("hx-post"), { source: form, values, target: "#room", swap: "outerMorph" });
  });

  function rest() {
    dragged = null;
    room()?.classList.remove("dragging");
    for (const one of document.querySelectorAll("[data-zone].over")) one.classList.remove("over");
  }
})();
