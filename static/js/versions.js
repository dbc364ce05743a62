// The desk's versions side by side: what is done to one film — play, pause, move — is done to all. The script adds a button.
(function () {
  "use strict";

  const NEAR = 0.15; // seconds two films may stand apart
  const FAR = 1; // from here on a film that plays jumps; below it hurries, or waits
  const HURRY = 0.1; // of the speed

  function together(box) {
    const button = box.querySelector("[data-together]");
    const films = [...box.querySelectorAll("[data-version]")];
    if (!button || films.length < 2) return;
    let lead = films[0];
    // What we did ourselves comes back as an event, once: nobody has touched that film.
    const ours = { play: new WeakSet(), seeked: new WeakSet() };
    const hushed = new WeakSet();
    const others = (from) => films.filter((film) => film !== from && Number.isFinite(film.duration));

    function say() {
      const playing = films.some((film) => !film.paused);
      button.textContent = playing ? button.dataset.pause : button.dataset.play;
      button.setAttribute("aria-pressed", String(playing));
    }

    function move(film, second) {
      ours.seeked.add(film);
      film.currentTime = Math.min(second, film.duration);
    }

    function gather(from) {
      for (const film of others(from)) {
        if (Math.abs(film.currentTime - Math.min(from.currentTime, film.duration)) > NEAR) move(film, from.currentTime);
      }
    }

    // Two voices at once help nobody: who was started is heard.
    function hear(film) {
      for (const other of films) {
        if (other !== film && !other.muted) {
          other.muted = true;
          hushed.add(other);
        }
      }
      if (hushed.delete(film)) film.muted = false;
    }

    function play(from) {
      lead = from;
      hear(from);
      gather(from);
      for (const film of others(from)) {
        if (!film.paused || from.currentTime >= film.duration - NEAR) continue; // a shorter one is over
        ours.play.add(film);
        film.play().catch(() => ours.play.delete(film));
      }
      say();
    }

    function pause(from) {
      const playing = films.filter((film) => !film.paused);
      if (!from.ended && playing.length) {
        for (const film of playing) film.pause();
        gather(from);
      }
      say();
    }

    function follow() {
      for (const film of others(lead)) {
        const behind = lead.currentTime - film.currentTime;
        if (film.paused || film.seeking) continue;
        if (Math.abs(behind) > FAR) move(film, lead.currentTime);
        else film.playbackRate = lead.playbackRate * (Math.abs(behind) < NEAR / 2 ? 1 : 1 + Math.sign(behind) * HURRY);
      }
    }

    button.hidden = false;
    button.addEventListener("click", () => {
      if (films.some((film) => !film.paused)) pause(lead);
      else lead.play().catch(() => {});
    });
    for (const film of films) {
      film.addEventListener("play", () => ours.play.delete(film) || play(film));
      film.addEventListener("pause", () => pause(film));
      film.addEventListener("seeked", () => ours.seeked.delete(film) || gather(film));
      film.addEventListener("timeupdate", () => film === lead && !film.paused && follow());
    }
  }

  document.querySelectorAll("[data-versions]").forEach(together);
})();
