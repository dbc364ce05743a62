// The order page: a clock that ticks, the tab's title, a word when the site cannot be reached; a film whose link ran out goes on.
(function () {
  "use strict";

  const clocks = new WeakMap(); // element -> what the server said last, and when we heard it

  function two(n) {
    return String(n).padStart(2, "0");
  }

  function tick() {
    const clock = document.querySelector("[data-elapsed]");
    if (!clock) return;
    const said = Number(clock.dataset.elapsed);
    const known = clocks.get(clock);
    if (!known || known.said !== said) clocks.set(clock, { said, at: Date.now() });
    const { at } = clocks.get(clock);
    const seconds = said + Math.floor((Date.now() - at) / 1000);
    clock.textContent = Math.floor(seconds / 60) + ":" + two(seconds % 60);
  }

  function title() {
    const progress = document.getElementById("progress");
    if (progress && progress.dataset.title) document.title = progress.dataset.title;
  }

  function offline(on) {
    const notice = document.querySelector("[data-offline]");
    if (notice) notice.hidden = !on;
  }

  // --- the film ---

  const SOONEST = 5000; // ms between two renewals of one player
  const renewed = new WeakMap(); // player -> when it was last renewed

  // Links to films run out. A page that was left open takes the link of a fresh one, and plays on where it was.
  async function renew(player) {
    const wait = (renewed.get(player) || -SOONEST) + SOONEST - performance.now();
    if (player.dataset.renewing) return;
    player.dataset.renewing = "yes";
    const at = player.currentTime;
    const plays = !player.paused;
    try {
      if (wait > 0) await new Promise((done) => setTimeout(done, wait));
      renewed.set(player, performance.now());
      const answer = await fetch(location.href);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(player.id);
      if (!fresh) return; // signed out, or taken back: the page says so when it is opened again
      const track = player.querySelector("track");
      if (track && fresh.querySelector("track")) track.src = fresh.querySelector("track").src;
      player.addEventListener("loadedmetadata", () => {
        player.currentTime = at;
        if (plays) player.play().catch(() => {}); // the browser may want a click first
      }, { once: true });
      player.src = fresh.src;
      offline(false);
    } catch {
      offline(true);
      setTimeout(() => renew(player), SOONEST);
    } finally {
      delete player.dataset.renewing;
    }
  }

  // What is wrong with a player does not bubble. Code 3 is a film that cannot be read: a new link would be as bad.
  document.addEventListener("error", (event) => {
    const player = event.target;
    if (player instanceof HTMLVideoElement && player.id && player.error && player.error.code !== 3) renew(player);
  }, true);

  document.addEventListener("htmx:sendError", () => offline(true));
  document.addEventListener("htmx:responseError", () => offline(true));
  document.addEventListener("htmx:afterSwap", () => { offline(false); title(); });
  document.addEventListener("htmx:wsAfterMessage", () => { offline(false); title(); tick(); });
  setInterval(tick, 1000);
  title();
})();
