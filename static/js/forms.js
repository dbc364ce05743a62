// The wizard's forms: errors get the focus, and a form that is sent stops the autosave that is still on its way.
// (site.js keeps a form with data-once from being sent twice.)
(function () {
  "use strict";

  document.querySelector("[data-focus]")?.focus();

  // A link of the error summary leads onto the field itself, also where the field is a hidden radio button's card.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-focus] a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.scrollIntoView({ block: "center" });
  });

  // Older words that arrive after the newer ones would win.
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[hx-post][data-once]")) htmx.trigger(event.target, "htmx:abort");
  });
})();
