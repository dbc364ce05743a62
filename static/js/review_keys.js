// Single keys on the review page: what a button says with data-key is what the key does. Never while one writes or
// chooses, never with another key held down, and not at all where they are switched off (WCAG 2.1.4).
(() => {
  "use strict";
  const KEPT = "review-keys";
  const onSwitch = document.querySelector("[data-keys-switch]");
  const opened = performance.now();
  // A key that was meant for the page before must not decide about this one.
  const SETTLED = 600;
  let on = true;
  try {
    on = localStorage.getItem(KEPT) !== "off";
  } catch {
    /* a browser that keeps nothing: on until switched off */
  }
  const show = () => document.documentElement.classList.toggle("rv-no-keys", !on);
  if (onSwitch) {
    onSwitch.checked = on;
    onSwitch.addEventListener("change", () => {
      on = onSwitch.checked;
      show();
      try {
        localStorage.setItem(KEPT, on ? "on" : "off");
      } catch {
        /* as above */
      }
    });
  }
  show();

  const writes = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
  const close = () => {
    if (document.querySelector(".rv-panel:target")) location.hash = "film";
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      close();
      return;
    }
    if (!on || event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || writes(event.target)) return;
    const key = event.key.toLowerCase();
    const native = event.target.closest("button, a, summary, video");
    if (key === " ") {
      if (native) return; // it presses what is focused
      event.preventDefault();
      document.querySelector("[data-play]")?.click();
      return;
    }
    if (key === "2") {
      document.querySelector("[data-fast]")?.click();
      return;
    }
    const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!button || button.closest("[hidden]") || performance.now() - opened < SETTLED) return;
    // While a panel is open, only what is in it counts.
    if (document.querySelector(".rv-panel:target") && !button.dataset.open) return;
    event.preventDefault();
    button.click();
  });
})();
