// Live news for a page that works without it: when the board has a new revision, the page's main part is fetched anew.
// A stream that ends, falls silent or is answered by something else (a proxy's error page) is opened again.
"use strict";
(() => {
  const note = document.getElementById("live");
  const main = document.getElementById("main");
  if (!note || !main || !window.EventSource) return;
  const scrolling = ".scroll[aria-labelledby]";
  const SILENT_MS = 40000; // the board says something every 15 seconds
  const FIRST_PAUSE_MS = 2000;
  const NEWS = "There is news; it is shown when you leave what you are in.";
  let source = null;
  let seen = null;
  let waiting = false;
  let last = 0; // when the page was fetched; news is shown at once, but every two seconds at most
  let heard = Date.now();
  let pause = FIRST_PAUSE_MS; // before the next attempt; longer after every one that fails
  let attempt = 0;
  let ended = false; // not signed in any more
  const root = document.documentElement.dataset;
  const busy = () => main.querySelector("details[open]") !== null || (main.contains(document.activeElement) && document.activeElement !== main);
  const say = (words) => { if (note.textContent !== words) note.textContent = words; };

  async function fetched() {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual", headers: { accept: "text/html" } });
      if (answer.type === "opaqueredirect" || answer.status === 403) { end(); return null; }
      if (answer.ok) return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    } catch { /* no connection: as if there were no answer */ }
    lost();
    return null;
  }

  async function refresh() {
    waiting = true;
    if (document.hidden || busy()) {
      say(NEWS);
      return;
    }
    last = Date.now();
    const fresh = await fetched();
    if (!fresh) return;
    if (busy()) { say(NEWS); return; }
    waiting = false;
    const aside = [...main.querySelectorAll(scrolling)].map((region) => [region.getAttribute("aria-labelledby"), region.scrollLeft]);
    main.replaceChildren(...fresh.childNodes);
    for (const region of main.querySelectorAll(scrolling)) {
      region.scrollLeft = (aside.find(([name]) => name === region.getAttribute("aria-labelledby")) || [null, 0])[1];
    }
    say("Updated " + new Date().toLocaleTimeString());
  }

  function settle() {
    clearTimeout(attempt);
    attempt = 0;
  }

  function open() {
    settle();
    ended = false;
    if (source) source.close();
    heard = Date.now();
    const stream = new EventSource("/live");
    source = stream;
    stream.addEventListener("error", () => {
      lost();
      // the browser has given up: until there is a stream again, the page is asked for
      if (stream.readyState === EventSource.CLOSED && !document.hidden && !busy()) refresh();
    });
    stream.addEventListener("beat", () => { heard = Date.now(); });
    stream.addEventListener("revision", (event) => {
      settle();
      heard = Date.now();
      const wasLost = "lost" in root;
      if (!waiting) pause = FIRST_PAUSE_MS;
      if (seen !== null && event.data !== seen && !waiting) {
        waiting = true;
        setTimeout(refresh, Math.max(200 * Math.random(), last + 2000 - Date.now()));
      } else if (wasLost) {
        if (waiting) refresh(); else say("Live again");
      }
      seen = event.data;
      delete root.lost;
      root.live = "";
    });
  }

  function lost() {
    if (attempt || ended) return;
    root.lost = "";
    delete root.live;
    say("Not live: no connection to the board. It is tried again.");
    attempt = setTimeout(open, pause * (0.8 + 0.4 * Math.random()));
    pause = Math.min(2 * pause, 60000);
  }

  function end() {
    settle();
    ended = true;
    source.close();
    say("You are not signed in any more; load the page again.");
  }

  const again = () => { if (waiting) setTimeout(refresh, 300); };

  function awake() {
    if (document.hidden) return;
    if (attempt || ended || Date.now() - heard > SILENT_MS) open();
    again();
  }

  open();
  setInterval(() => { if (Date.now() - heard > SILENT_MS) lost(); }, 5000);
  document.addEventListener("visibilitychange", awake);
  addEventListener("online", awake);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  main.addEventListener("focusout", again);
  main.addEventListener("toggle", again, true);
  addEventListener("pagehide", () => { settle(); source.close(); });
})();
