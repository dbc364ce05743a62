// Uploads photos one after another with progress, shows them at once, and offers again what the network lost.
(function () {
  "use strict";

  const form = document.querySelector("[data-uploader]");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector("[data-drop]");
  const waiting = form.querySelector("[data-uploads]");
  const pattern = document.getElementById("upload-item");
  const news = document.querySelector("[data-news]");
  const previews = new Map(); // a photo's token → the picture on this device
  const queue = [];
  let busy = false;

  const say = (text) => { if (text) news.textContent = text; };

  function list() {
    return document.getElementById("photo-list");
  }

  // Until a photo is checked the server has no small picture of it; this device does.
  function dress() {
    const shown = list();
    shown.querySelectorAll("[data-awaiting]").forEach((image) => {
      const url = previews.get(image.dataset.awaiting);
      if (!url) return;
      image.onload = () => { image.hidden = false; };
      image.src = url;
    });
    input.disabled = "full" in shown.dataset;
    drop.classList.toggle("drop--full", input.disabled);
  }

  // What the page said before counts no more once a photo has come.
  function forgive() {
    document.getElementById("errors")?.remove();
    document.getElementById("photos-error")?.remove();
    input.removeAttribute("aria-invalid");
    input.setAttribute("aria-describedby", "photos-hint");
  }

  function enqueue(file) {
    const element = pattern.content.firstElementChild.cloneNode(true);
    const part = (name) => element.querySelector(`[data-${name}]`);
    const entry = { file, element, part, url: URL.createObjectURL(file), straight: "ticket" in form.dataset };
    part("name").textContent = file.name;
    part("bar").setAttribute("aria-label", file.name);
    part("preview").onerror = () => { part("preview").hidden = true; };
    part("preview").src = entry.url;
    part("retry").onclick = () => {
      part("fault").hidden = part("actions").hidden = true;
      part("bar").hidden = false;
      queue.push(entry);
      next();
    };
    part("dismiss").onclick = () => {
      element.remove();
      URL.revokeObjectURL(entry.url);
      input.focus();
    };
    waiting.append(element);
    if (!file.size) fail(entry, form.dataset.empty, false);
    else if (file.size > Number(form.dataset.maxBytes)) fail(entry, `${file.name}: ${form.dataset.big}`, false);
    else queue.push(entry);
  }

  function fail(entry, sentence, again) {
    entry.part("bar").hidden = true;
    entry.part("fault").textContent = sentence;
    entry.part("fault").hidden = entry.part("actions").hidden = false;
    entry.part("retry").hidden = !again;
  }

  function next() {
    if (busy || !queue.length) return;
    busy = true;
    send(queue.shift());
  }

  async function send(entry) {
    const sent = uploadPhoto(form, entry.file, entry.part("bar"), entry.straight);
    const request = await sent.catch(() => null);
    if (request) answered(entry, request);
    else {
      entry.straight = false; // whatever keeps this browser from the file store, the next try goes through us
      fail(entry, form.dataset.lost, true);
    }
    busy = false;
    next();
  }

  function answered(entry, request) {
    const type = request.getResponseHeader("Content-Type") || "";
    if (request.status === 200) {
      previews.set(request.getResponseHeader("X-Photo"), entry.url);
      entry.element.remove();
      htmx.swap(list(), request.responseText, { swapStyle: "outerHTML" });
      dress();
      forgive();
      say(`${form.dataset.added} ${list().querySelector("h2").textContent}`);
    } else if (type.startsWith("text/plain")) {
      // Our own trouble passes, a full list gets room, what was lost on its way may go again.
      fail(entry, request.responseText, request.status >= 500 || request.status === 409);
    } else {
      fail(entry, form.dataset.lost, true);
    }
  }

  function take(files) {
    Array.from(files).forEach(enqueue);
    next();
  }

  form.dataset.live = "";
  input.addEventListener("change", () => {
    take(input.files);
    input.value = ""; // the same file may be chosen again
  });
  ["dragenter", "dragover"].forEach((name) => drop.addEventListener(name, () => drop.classList.add("drop--over")));
  ["dragleave", "drop"].forEach((name) => drop.addEventListener(name, () => drop.classList.remove("drop--over")));
  // A photo dropped beside the zone must not replace the page.
  ["dragover", "drop"].forEach((name) => document.addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    if (event.target === input && !input.disabled) return;
    event.preventDefault();
    if (name === "drop" && !input.disabled) take(event.dataTransfer.files);
  }));
  window.addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });
  document.addEventListener("htmx:afterSettle", dress);
  // What the server has to say after a move or a removal, and where the focus goes when its button is gone.
  document.addEventListener("say", (event) => {
    say(event.detail.text);
    if (event.detail.focus) document.getElementById(event.detail.focus)?.focus();
  });
  dress();
})();
