// On every page: a form marked data-once that was sent cannot be sent twice, and what could not be sent is said.
(function () {
  "use strict";

  // The button says it is busy; it is released when the visitor comes back with the browser's back button.
  function busy(form, on) {
    form.querySelectorAll("button[type=submit], button:not([type])").forEach((button) => {
      if (on) button.setAttribute("aria-busy", "true");
      else button.removeAttribute("aria-busy");
    });
    if (on) form.dataset.sent = "yes";
    else delete form.dataset.sent;
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-once]") || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    busy(form, true);
  });

  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-once][data-sent]").forEach((form) => busy(form, false));
  });

  // The film's page has words of its own for this, and catches up by itself.
  function unreachable(on) {
    const shown = document.getElementById("unreachable");
    if (!on) return shown?.remove();
    if (shown || document.querySelector("[data-offline]")) return;
    const notice = document.createElement("div");
    notice.id = "unreachable";
    notice.className = "notice notice--warn";
    notice.append(Object.assign(document.createElement("p"), { textContent: document.body.dataset.unreachable }));
    document.getElementById("messages").append(notice);
    notice.scrollIntoView({ block: "nearest" });
  }
  ["htmx:sendError", "htmx:timeout", "htmx:responseError"].forEach((name) => document.addEventListener(name, () => unreachable(true)));
  document.addEventListener("htmx:afterOnLoad", (event) => { if (event.detail.successful) unreachable(false); });
})();
