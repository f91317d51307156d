// Live news for a page that works without it: when the board has a new revision, the page's main part is fetched anew.
"use strict";
(() => {
  const note = document.getElementById("live");
  const main = document.getElementById("main");
  if (!note || !main || !window.EventSource) return;
  const scrolling = ".scroll[aria-labelledby]";
  let seen = null;
  let waiting = false;
  let last = 0; // when the page was fetched; news is shown at once, but every two seconds at most
  const busy = () => main.querySelector("details[open]") !== null || (main.contains(document.activeElement) && document.activeElement !== main);

  async function refresh() {
    waiting = false;
    last = Date.now();
    if (document.hidden || busy()) {
      waiting = true;
      note.textContent = "There is news; it is shown when you leave what you are in.";
      return;
    }
    const answer = await fetch(location.href, { credentials: "same-origin", headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    if (!fresh || busy()) return;
    const aside = [...main.querySelectorAll(scrolling)].map((region) => [region.getAttribute("aria-labelledby"), region.scrollLeft]);
    main.replaceChildren(...fresh.childNodes);
    for (const region of main.querySelectorAll(scrolling)) {
      region.scrollLeft = (aside.find(([name]) => name === region.getAttribute("aria-labelledby")) || [null, 0])[1];
    }
    note.textContent = "Updated " + new Date().toLocaleTimeString();
  }

  const source = new EventSource("/live");
  source.addEventListener("revision", (event) => {
    if (seen !== null && event.data !== seen && !waiting) {
      waiting = true;
      setTimeout(refresh, Math.max(200 * Math.random(), last + 2000 - Date.now()));
    }
    seen = event.data;
    document.documentElement.dataset.live = "";
  });
  const again = () => { if (waiting) setTimeout(refresh, 300); };
  document.addEventListener("visibilitychange", again);
  main.addEventListener("focusout", again);
  main.addEventListener("toggle", again, true);
  addEventListener("pagehide", () => source.close());
})();
