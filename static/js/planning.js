// The planning room: the clock of a draft counts down, and players can be dragged to a team where there is a mouse.
import { isOffline } from "./offline.js";
import { onPageChange } from "./page.js";

const room = () => document.getElementById("room");

export function runPlanningRoom() {
  if (!room()) return;
  countDown();
  dragPlayers();

  // What was typed outlives every refresh of the page, so it is taken away when it has been sent.
  document.addEventListener("htmx:after:swap", (event) => {
    const { response, sourceElement } = event.detail.ctx;
    if (response?.status < 400 && sourceElement?.matches?.("form.suggest")) sourceElement.reset();
  });
}

// The server says how long is left, so that a browser whose clock is wrong counts right.
function countDown() {
  let endsAt = null;
  const clock = () => room()?.querySelector(".clock");

  const show = () => {
    if (!clock() || endsAt === null) return;
    const left = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000));
    clock().textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    clock().classList.toggle("short", left <= 10);
  };

  const readTimeLeft = () => {
    const left = clock()?.dataset.left;
    endsAt = left === undefined ? null : performance.now() + left * 1000;
    show();
  };

  readTimeLeft();
  setInterval(show, 250);
  onPageChange(readTimeLeft);
}

function dragPlayers() {
  let dragged = null;
  const zones = () => document.querySelectorAll("[data-zone]");
  const zoneOf = (element) => element.closest("[data-zone]");
  const markOnly = (marked) => {
    for (const zone of zones()) zone.classList.toggle("over", zone === marked);
  };
  const endDrag = () => {
    dragged = null;
    room()?.classList.remove("dragging");
    markOnly(null);
  };

  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-player]") ?? null;
    if (!dragged) return;
    event.dataTransfer.setData("text/plain", dragged.dataset.player);
    event.dataTransfer.effectAllowed = "move";
    room().classList.add("dragging");
  });

  document.addEventListener("dragover", (event) => {
    const zone = dragged && zoneOf(event.target);
    markOnly(zone);
    if (zone) event.preventDefault();
  });

  document.addEventListener("dragend", endDrag);

  document.addEventListener("drop", (event) => {
    const player = dragged;
    const zone = player && zoneOf(event.target);
    endDrag();
    if (!zone || zone === zoneOf(player)) return;
    event.preventDefault();
    if (!isOffline()) place(player.dataset.player, zone.dataset.zone);
  });
}

function place(player, zone) {
  const form = document.getElementById("teams-form");
  const values = { do: `place:${player}:${zone}` };
  htmx.ajax("POST", form.getAttribute("hx-post"), { source: form, values, target: "#room", swap: "outerMorph" });
}
