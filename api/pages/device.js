// Brings a page of requests up to date when the bank says that it is old. The
// page works without this.
"use strict";
(() => {
  const page = document.querySelector("[data-events]");
  if (!page || !window.EventSource || !window.fetch) return;
  let busy = false, again = false, sent = false, told = page.dataset.version;

  // refresh fetches the page as it is now, and again if that is not yet what was
  // told: nodes learn one after the other. Who is typing an answer is left alone
  // as long as the answer can count.
  async function refresh() {
    again = true;
    if (busy || sent) return;
    busy = true;
    try {
      for (let tries = 0; again && !sent; again ||= told && told !== page.dataset.version && ++tries < 20) {
        if (tries) await new Promise((resume) => setTimeout(resume, 250));
        again = false;
        await update();
      }
    } catch { // no connection: the next event, or the next try, brings it
    } finally {
      busy = false;
    }
  }

  async function update() {
    const answer = await fetch(page.dataset.page, { cache: "no-store", redirect: "manual" });
    const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = fresh && fresh.querySelector("[data-events]");
    if (sent) return;
    if (!now) return leave(); // signed out, or answered
    page.dataset.version = now.dataset.version;
    if ("keep" in page.dataset) return;
    const focused = document.activeElement && document.activeElement.id;
    page.replaceChildren(...now.childNodes);
    if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
    const said = document.getElementById("status"), says = fresh.getElementById("status");
    if (said.textContent !== says.textContent) said.textContent = says.textContent;
  }

  // leave opens the page afresh. The one that is open may be the answer to a
  // form, which must not be sent again.
  function leave() {
    location.replace(page.dataset.page);
  }

  const events = new EventSource(page.dataset.events);
  events.addEventListener("requests", (e) => {
    told = e.data;
    if (told !== page.dataset.version) refresh();
  });
  events.addEventListener("over", leave);
  events.addEventListener("error", () => {
    told = ""; // until there is a connection again, which tells at once
    if (events.readyState === EventSource.CLOSED && !sent) setInterval(refresh, 10000);
  });
  document.addEventListener("submit", () => { // what comes next is its answer
    sent = true;
    events.close();
  });
})();
