// The ready sound: once for each evening, not more often than the pause, in the one tab that holds the stream.
import { livePart, onPageChange } from "./page.js";
import { holdsStream } from "./stream.js";

const LAST_PLAYED = "slomix-sound"; // { key, at }, for all tabs of this browser
const NOTES = [523.25, 659.25, 783.99]; // C, E, G

let context = null;

const readyEvening = () => livePart()?.dataset.ready ?? null;
const isAllowed = () => context.state === "running";

export function playReadySound() {
  const pause = Number(document.body.dataset.sound ?? 0) * 1000;
  const hint = document.getElementById("sound-hint");
  if (pause && hint) playWhenReady(pause, hint);
  document.getElementById("sound-try")?.addEventListener("click", async () => {
    await allow();
    chime();
  });
}

// What the browser blocked counts as not played, and the page says how to allow it.
function playWhenReady(pause, hint) {
  let before = readyEvening();
  let blocked = null; // an evening whose sound the browser blocked

  const play = (evening) => {
    const { key, at } = lastPlayed();
    if (key === evening || Date.now() - (at ?? 0) < pause) return;
    if (!isAllowed()) {
      blocked = evening;
      hint.hidden = false;
      return;
    }
    blocked = null;
    localStorage.setItem(LAST_PLAYED, JSON.stringify({ key: evening, at: Date.now() }));
    chime();
  };

  const allowAndCatchUp = async () => {
    if (isAllowed()) return;
    await allow();
    hint.hidden = true;
    if (blocked && blocked === readyEvening()) play(blocked);
  };

  context = new AudioContext();
  hint.hidden = isAllowed();
  context.onstatechange = () => (hint.hidden = isAllowed());
  for (const kind of ["click", "keydown"]) document.addEventListener(kind, allowAndCatchUp);
  onPageChange(() => {
    const evening = readyEvening();
    if (evening && evening !== before && holdsStream()) play(evening);
    before = evening;
  });
}

async function allow() {
  context ??= new AudioContext();
  if (!isAllowed()) await context.resume();
}

function lastPlayed() {
  try {
    return JSON.parse(localStorage.getItem(LAST_PLAYED)) ?? {};
  } catch {
    return {};
  }
}

function chime() {
  NOTES.forEach((pitch, number) => {
    const start = context.currentTime + number * 0.16;
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, start);
    loudness.gain.linearRampToValueAtTime(0.25, start + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.001, start + 0.5);
    tone.connect(loudness).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.5);
  });
}
