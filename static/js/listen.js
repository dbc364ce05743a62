// "Hear the voice": a link to the sample that plays in place, one voice at a time. Without this script the link opens the sample.
(function () {
  "use strict";

  const player = new Audio();
  let playing = null;

  function show(link, on) {
    const label = link.querySelector("[data-listen-label]");
    link.dataset.listenStart = link.dataset.listenStart || label.textContent;
    label.textContent = on ? link.dataset.listenStop : link.dataset.listenStart;
    link.toggleAttribute("data-playing", on);
    link.setAttribute("aria-pressed", String(on));
  }

  function stop() {
    player.pause();
    if (playing) show(playing, false);
    playing = null;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-listen]");
    if (!link || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const same = link === playing;
    stop();
    if (same) return;
    playing = link;
    show(link, true);
    player.src = link.href;
    player.play().catch(stop);
  });

  // A link that plays is a button: it says so, and the space bar works.
  document.querySelectorAll("[data-listen]").forEach((link) => {
    link.setAttribute("role", "button");
    link.setAttribute("aria-pressed", "false");
    link.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      link.click();
    });
  });
  player.addEventListener("ended", stop);
  player.addEventListener("error", stop);
})();
