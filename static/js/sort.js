// Puts the photos in order by dragging, with mouse, pen or finger. The buttons on each photo do the same by keyboard.
(function () {
  "use strict";

  const EDGE = 72; // px from the window's edge where dragging scrolls
  let held = null; // { card, x, y, moved, target, after }

  const list = () => document.getElementById("photo-list");
  const cards = () => Array.from(list().querySelectorAll("[data-photo]"));

  function mark(target, after) {
    cards().forEach((card) => card.classList.remove("photo--before", "photo--after"));
    if (target) target.classList.add(after ? "photo--after" : "photo--before");
    held.target = target;
    held.after = after;
  }

  function letGo() {
    if (!held) return;
    mark(null, false);
    held.card.classList.remove("photo--held");
    held.card.removeAttribute("style"); // an empty one, copied by a swap, would offend the content policy
    held = null;
  }

  function settle() {
    const { card, target, after } = held;
    const before = cards().map((c) => c.dataset.photo).join();
    letGo();
    if (!target) return;
    if (after) target.after(card);
    else target.before(card);
    const order = cards().map((c) => c.dataset.photo).join();
    if (order === before) return;
    const csrfmiddlewaretoken = list().querySelector("[name=csrfmiddlewaretoken]").value;
    const values = { csrfmiddlewaretoken, order, move: card.dataset.photo };
    htmx.ajax("POST", list().dataset.sort, { values, target: "#photo-list", swap: "outerHTML" });
  }

  document.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest?.("[data-grip]");
    // A finger on the picture scrolls the page; only its handle drags.
    if (!grip || event.button || (event.pointerType === "touch" && !event.target.closest(".photo__grip"))) return;
    event.preventDefault();
    held = { card: grip.closest("[data-photo]"), x: event.clientX, y: event.clientY + window.scrollY, moved: false };
  });

  document.addEventListener("pointermove", (event) => {
    if (!held) return;
    const dx = event.clientX - held.x;
    const dy = event.clientY + window.scrollY - held.y;
    if (!held.moved && Math.hypot(dx, dy) < 6) return;
    held.moved = true;
    held.card.classList.add("photo--held");
    held.card.style.translate = `${dx}px ${dy}px`;
    const under = cards().find((card) => {
      const box = card.getBoundingClientRect();
      return card !== held.card && event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    });
    const box = under?.getBoundingClientRect();
    mark(under || null, Boolean(box) && event.clientX > box.left + box.width / 2);
    if (event.clientY < EDGE) window.scrollBy(0, -16);
    else if (event.clientY > window.innerHeight - EDGE) window.scrollBy(0, 16);
  });

  document.addEventListener("pointerup", () => { if (held) settle(); });
  document.addEventListener("pointercancel", letGo);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") letGo(); });
  // A list that arrives while a photo is in the hand waits for the next one.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (held?.moved && event.detail.target.id === "photo-list") event.detail.shouldSwap = false;
  });
})();
