// The review desk: the film plays, frames lead to their place in it, clocks run, a change says what it takes.
(() => {
  "use strict";
  const one = (name, from = document) => from.querySelector(`[data-${name}]`);
  const all = (name) => document.querySelectorAll(`[data-${name}]`);
  const film = one("film");
  const remembered = (key, fallback) => {
    try {
      return localStorage.getItem(key) ?? fallback;
    } catch {
      return fallback;
    }
  };
  const remember = (key, value) => {
    try {
      localStorage.setItem(key, value);
    } catch {
      /* a browser that keeps nothing */
    }
  };

  for (const part of all("scripted")) part.hidden = false;

  if (film) {
    const play = one("play");
    const fast = one("fast");
    const itself = one("autoplay");
    const toggle = () => (film.paused ? film.play().catch(() => {}) : film.pause());
    const speed = (on) => {
      film.playbackRate = on ? 2 : 1;
      fast.setAttribute("aria-pressed", String(on));
      remember("review-fast", on ? "1" : "");
    };
    play.addEventListener("click", toggle);
    fast.addEventListener("click", () => speed(film.playbackRate === 1));
    film.addEventListener("loadedmetadata", () => speed(remembered("review-fast", "") === "1"), { once: true });
    if (film.readyState > 0) speed(remembered("review-fast", "") === "1");
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    itself.checked = remembered("review-autoplay", calm ? "" : "1") === "1";
    itself.addEventListener("change", () => remember("review-autoplay", itself.checked ? "1" : ""));
    // Where the browser wants a hand first, the poster stays.
    if (itself.checked && !location.hash) film.play().catch(() => {});
    document.addEventListener("click", (event) => {
      const place = event.target.closest("[data-seek]");
      if (!place || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      film.currentTime = Number(place.dataset.seek);
      film.play().catch(() => {});
    });
  }

  // --- clocks ---------------------------------------------------------------------------------------------------
  for (const toast of all("toast")) {
    const until = Date.now() + 1000 * Number(toast.dataset.toast);
    const left = one("left", toast);
    const tick = setInterval(() => {
      const seconds = Math.ceil((until - Date.now()) / 1000);
      if (seconds > 0) {
        left.textContent = seconds;
        return;
      }
      clearInterval(tick);
      toast.hidden = true;
    }, 250);
  }

  // --- whose it is ----------------------------------------------------------------------------------------------
  const desk = one("hold");
  if (desk) {
    setInterval(() => {
      if (document.hidden) return;
      const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
      fetch(desk.dataset.hold, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => {});
    }, 45000);
  }

  // --- what a change takes --------------------------------------------------------------------------------------
  const change = one("change");
  if (change) {
    let asked = 0;
    const show = () => {
      const code = new FormData(change).get("code") || "";
      for (const field of change.querySelectorAll("[data-for]")) field.hidden = !field.dataset.for.split(" ").includes(code);
    };
    const plan = async () => {
      show();
      const turn = ++asked;
      const told = new FormData(change);
      told.delete("csrfmiddlewaretoken");
      try {
        const answer = await fetch(`${change.dataset.change}?${new URLSearchParams(told)}`);
        if (!answer.ok || turn !== asked) return;
        const made = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-plan]");
        if (!made) return;
        one("plan", change).replaceWith(made);
        tell(made);
        // Nobody has something made again without having seen what it takes.
        one("go", change).disabled = !made.querySelector("dl");
      } catch {
        one("ask-plan", change).hidden = false; // it asks again
      }
    };
    // On a phone the plan may lie below what is seen: its price and time stand beside the button, too.
    const tell = (made) => {
      one("short", change).textContent = made.dataset.says;
    };
    tell(one("plan", change));
    one("ask-plan", change).hidden = true; // what is chosen asks by itself
    let waiting = 0;
    change.addEventListener("input", () => {
      show();
      clearTimeout(waiting);
      waiting = setTimeout(plan, 200);
    });
    show();
  }

  // A panel takes the focus when it opens; whoever closes it is back at what opened it.
  const opened = () => {
    const panel = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const first = panel && panel.matches(".rv-panel") && panel.querySelector("input:not([type=hidden]):checked, input:not([type=hidden])");
    if (first) {
      film?.pause();
      first.focus({ preventScroll: true });
    }
  };
  addEventListener("hashchange", (event) => {
    const before = new URL(event.oldURL).hash.slice(1);
    opened();
    if (before && location.hash === "#film") document.querySelector(`[data-open="${before}"]`)?.focus();
  });
  opened();
})();
