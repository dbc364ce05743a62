// The order page while the film is made: a clock that ticks, the tab's title, and a word when the site cannot be reached.
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

  document.addEventListener("htmx:sendError", () => offline(true));
  document.addEventListener("htmx:responseError", () => offline(true));
  document.addEventListener("htmx:afterSwap", () => { offline(false); title(); });
  document.addEventListener("htmx:wsAfterMessage", () => { offline(false); title(); tick(); });
  setInterval(tick, 1000);
  title();
})();
