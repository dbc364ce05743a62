// hx-swap="morph": changes the page where it differs and leaves the rest, so focus, scroll, open details and a playing film survive.
// An element with data-keep is not touched again once it is on the page, as long as the value is the same.
(function () {
  "use strict";

  const STAYS = new Set(["open"]); // what the visitor opened stays open

  function sameKind(a, b) {
    return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  }

  const later = new WeakMap(); // a film that plays -> the one that takes its place

  // A film is not taken from under somebody who is watching: another one comes when it stops.
  function keeps(old, fresh) {
    if (!old.hasAttribute("data-keep") || !fresh.hasAttribute("data-keep")) return false;
    if (old.dataset.keep === fresh.dataset.keep) {
      later.delete(old);
      return true;
    }
    if (!(old instanceof HTMLMediaElement) || old.paused) return false;
    if (!later.has(old)) {
      old.addEventListener("pause", () => {
        const next = later.get(old);
        later.delete(old);
        if (next) morph(old, next);
      }, { once: true });
    }
    later.set(old, fresh);
    return true;
  }

  function attributes(old, fresh) {
    for (const { name } of Array.from(old.attributes)) {
      if (!fresh.hasAttribute(name) && !STAYS.has(name)) old.removeAttribute(name);
    }
    for (const { name, value } of Array.from(fresh.attributes)) {
      if (name === "hx-swap-oob" || STAYS.has(name) || old.getAttribute(name) === value) continue;
      old.setAttribute(name, value);
    }
  }

  function morph(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (keeps(old, fresh)) return;
    attributes(old, fresh);
    children(old, fresh);
  }

  function children(old, fresh) {
    let here = old.firstChild;
    const wanted = new Set(Array.from(fresh.children, (child) => child.id).filter(Boolean));
    for (const next of Array.from(fresh.childNodes)) {
      let match = null;
      if (next.id) {
        match = Array.from(old.children).find((child) => child.id === next.id && child.nodeName === next.nodeName) || null;
      } else if (here && sameKind(here, next)) {
        match = here;
      }
      if (!match) {
        old.insertBefore(next, here);
        continue;
      }
      // What stands before it and is not wanted goes first: moving the match itself would cost its focus and its scroll.
      for (let between = here; between && between !== match;) {
        const after = between.nextSibling;
        if (!wanted.has(between.id)) {
          if (between === here) here = after;
          between.remove();
        }
        between = after;
      }
      if (match === here) here = here.nextSibling;
      else old.insertBefore(match, here);
      morph(match, next);
    }
    while (here) {
      const gone = here;
      here = here.nextSibling;
      gone.remove();
    }
  }

  htmx.defineExtension("morph", {
    isInlineSwap: (style) => style === "morph",
    handleSwap: (style, target, fragment) => {
      if (style !== "morph") return false;
      const fresh = fragment.nodeType === Node.DOCUMENT_FRAGMENT_NODE ? fragment.firstElementChild : fragment;
      if (!fresh) return false;
      // A slow answer must not take away what the socket has brought since: the film may be playing.
      if (target.hasAttribute("data-final") && Number(fresh.dataset.version) < Number(target.dataset.version)) return [];
      morph(target, fresh);
      return [target];
    },
  });
})();
