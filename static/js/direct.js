// How a photo travels: through us, or straight to the file store where the form has the address of a ticket.
(function () {
  "use strict";

  // The request when it is answered, whatever the answer; a rejection when the network fails. `bar` shows the way.
  function post(address, fields, headers, bar) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const body = new FormData();
      fields.forEach(([name, value]) => body.append(name, value));
      request.open("POST", address);
      Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));
      if (bar) {
        bar.value = 0;
        request.upload.onprogress = (event) => {
          if (event.lengthComputable) bar.value = Math.round((event.loaded / event.total) * 100);
        };
        request.upload.onload = () => bar.removeAttribute("value"); // all of it is there; the answer is not yet
      }
      request.onload = () => resolve(request);
      request.onerror = request.ontimeout = () => reject(new Error("lost"));
      request.send(body);
    });
  }

  // Our own answer to this photo: the new list, or a sentence. `straight` is whether to try the store first.
  window.uploadPhoto = async function (form, file, bar, straight) {
    const ours = { "X-Requested-With": "XMLHttpRequest", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
    if (!straight) return post(form.action, [["photos", file]], ours, bar);
    const about = [["name", file.name], ["size", file.size], ["type", file.type]];
    const answer = await post(form.dataset.ticket, about, ours);
    if (answer.status !== 200) return answer;
    const { url, fields, token } = JSON.parse(answer.responseText);
    const stored = await post(url, [...Object.entries(fields), ["file", file]], {}, bar); // the file comes last
    if (stored.status !== 201) throw new Error("not stored");
    return post(form.dataset.arrived, [["token", token], ["name", file.name]], ours);
  };
})();
