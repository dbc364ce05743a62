// The desk's versions side by side: one button plays them together, and one film that is moved moves the others.
(function () {
  "use strict";

  const APART = 0.15; // seconds two films may drift before the others are put right

  function together(box) {
    const button = box.querySelector("[data-together]");
    const films = [...box.querySelectorAll("[data-version]")];
    if (!button || films.length < 2) return;
    const lead = films[0];
    let joined = false;

    function say() {
      const playing = joined && !lead.paused;
      button.textContent = playing ? button.dataset.pause : button.dataset.play;
      button.setAttribute("aria-pressed", String(playing));
    }

    function gather(from) {
      films.forEach((film) => {
        if (film === from || !Number.isFinite(film.duration)) return;
        const second = Math.min(from.currentTime, film.duration);
        if (Math.abs(film.currentTime - second) > APART) film.currentTime = second;
      });
    }

    async function play() {
      joined = true;
      gather(lead);
      films.forEach((film) => {
        film.muted = film !== lead; // two voices at once help nobody
      });
      await Promise.allSettled(films.map((film) => film.play()));
      say();
    }

    function pause() {
      joined = false;
      films.forEach((film) => film.pause());
      gather(lead);
      say();
    }

    button.hidden = false;
    button.addEventListener("click", () => (joined && !lead.paused ? pause() : play()));
    films.forEach((film) => film.addEventListener("seeked", () => document.activeElement === film && gather(film)));
    lead.addEventListener("timeupdate", () => joined && gather(lead));
    lead.addEventListener("ended", () => {
      joined = false;
      say();
    });
    lead.addEventListener("pause", () => {
      if (joined && !lead.ended) pause();
    });
  }

  document.querySelectorAll("[data-versions]").forEach(together);
})();
