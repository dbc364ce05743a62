// The wizard's forms: errors get the focus and go when their field is changed; sending stops an autosave on its way.
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

  // What was said of a field is about what stood there before; the server looks again when the form is sent.
  document.addEventListener("input", (event) => {
    const block = event.target.closest(".field--error");
    if (!block) return;
    block.classList.remove("field--error");
    block.querySelectorAll(".field__error").forEach((sentence) => sentence.remove());
    block.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
    block.parentElement.querySelectorAll("[aria-describedby]").forEach((field) => {
      const there = field.getAttribute("aria-describedby").split(" ").filter((id) => document.getElementById(id));
      field.setAttribute("aria-describedby", there.join(" "));
    });
    const summary = document.getElementById("errors");
    block.querySelectorAll("[id]").forEach((part) => {
      summary?.querySelector(`a[href="#${CSS.escape(part.id)}"]`)?.closest("li").remove();
    });
    if (summary && !summary.querySelector("li")) summary.remove();
    else if (summary) summary.querySelector(".notice__title").hidden = true;
  });

  // Older words that arrive after the newer ones would win; and what is saved while the page is being left never arrives.
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[hx-post][data-once]")) htmx.trigger(event.target, "htmx:abort");
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches("form[data-once][data-sent]")) event.preventDefault();
  });
})();
