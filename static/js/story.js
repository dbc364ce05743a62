// The story screen: counts while you type, puts beginnings into the notes, shows the lines that must be said one by one.
(function () {
  "use strict";

  const form = document.querySelector("[data-story]");
  if (!form) return;
  const notes = form.elements.notes;

  const count = form.querySelector("[data-count]");
  function recount() {
    const { text, limit, pace, wanted } = count.dataset;
    const plain = notes.value.trim();
    const words = plain ? plain.split(/\s+/).length : 0;
    const figures = { letters: Array.from(plain).length, limit, seconds: Math.round(words / Number(pace)), wanted };
    count.textContent = text.replace(/\{(\w+)\}/g, (all, name) => figures[name] ?? all);
    count.classList.toggle("count--over", figures.letters > Number(limit));
  }
  notes.addEventListener("input", recount);
  recount();

  // A beginning becomes a button that puts it on a line of its own, with the caret behind it.
  form.querySelectorAll("[data-beginning]").forEach((item) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--quiet button--small";
    button.textContent = item.textContent;
    button.addEventListener("click", () => {
      const start = item.dataset.beginning || button.textContent.replace(/\s*…$/, " ");
      notes.value = notes.value.trimEnd() + (notes.value.trim() ? "\n" : "") + start;
      notes.focus();
      notes.setSelectionRange(notes.value.length, notes.value.length);
      notes.dispatchEvent(new Event("input", { bubbles: true }));
    });
    item.replaceChildren(button);
  });

  const lines = Array.from(form.querySelectorAll("[data-line]"));
  const add = form.querySelector("[data-add-line]");
  const field = (line) => line.querySelector("input");
  const changed = (line) => field(line).dispatchEvent(new Event("change", { bubbles: true }));
  function tidy() {
    add.hidden = lines.every((line) => !line.hidden);
  }
  lines.forEach((line) => {
    line.hidden = !field(line).value;
    const clear = line.querySelector("[data-clear-line]");
    clear.hidden = false;
    clear.addEventListener("click", () => {
      field(line).value = "";
      line.hidden = true;
      changed(line);
      tidy();
      add.focus();
    });
  });
  add.addEventListener("click", () => {
    const line = lines.find((one) => one.hidden);
    line.hidden = false;
    field(line).focus();
    tidy();
  });
  tidy();
})();
