// The ready sound: once for each evening, not more often than the pause, in the one tab that holds the stream.
"use strict";

(() => {
  const PLAYED = "slomix-sound"; // { key, at } of the last one, for all tabs of this browser
  const NOTES = [523.25, 659.25, 783.99]; // C, E, G
  const pause = Number(document.body.dataset.sound ?? 0) * 1000;
  const hint = document.getElementById("sound-hint");
  const sample = document.getElementById("sound-try");
  const ready = () => document.querySelector("[data-live]")?.dataset.ready ?? null;
  if (!pause && !sample) return;

  let context = null;
  let before = ready();
  let owed = null; // an evening whose sound the browser blocked

  function chime() {
    NOTES.forEach((pitch, number) => {
      const begin = context.currentTime + number * 0.16;
      const tone = context.createOscillator();
      const loudness = context.createGain();
      tone.frequency.value = pitch;
      loudness.gain.setValueAtTime(0, begin);
      loudness.gain.linearRampToValueAtTime(0.25, begin + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.001, begin + 0.5);
      tone.connect(loudness).connect(context.destination);
      tone.start(begin);
      tone.stop(begin + 0.5);
    });
  }

  function last() {
    try {
      return JSON.parse(localStorage.getItem(PLAYED)) ?? {};
    } catch {
      return {};
    }
  }

  // What the browser blocked counts as not played, and the page says how to allow it.
  function play(key) {
    const { key: played, at } = last();
    if (played === key || Date.now() - (at ?? 0) < pause) return;
    if (context.state !== "running") {
      owed = key;
      hint.hidden = false;
      return;
    }
    owed = null;
    localStorage.setItem(PLAYED, JSON.stringify({ key, at: Date.now() }));
    chime();
  }

  async function allow() {
    context ??= new AudioContext();
    if (context.state !== "running") await context.resume();
    if (hint) hint.hidden = true;
    if (owed && owed === ready()) play(owed);
  }

  if (pause && hint) {
    context = new AudioContext();
    hint.hidden = context.state === "running";
    context.onstatechange = () => (hint.hidden = context.state === "running");
    for (const kind of ["click", "keydown"]) {
      document.addEventListener(kind, () => context.state !== "running" && allow());
    }
    document.addEventListener("slomix:seen", (event) => {
      const now = ready();
      if (now && now !== before && event.detail.leads) play(now);
      before = now;
    });
  }

  sample?.addEventListener("click", async () => {
    await allow();
    chime();
  });
})();
