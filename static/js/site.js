// On every page: a form marked data-once that was sent cannot be sent twice.
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
})();
