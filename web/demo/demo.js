// A shop's search box over a shelf, without a framework.

import { openShelf } from "./package/src/index.js";

const DEBOUNCE_MS = 60;
const HITS = 12;

const $ = (id) => document.getElementById(id);
const [query, status, list, progress, about, suggestions] = ["query", "status", "hits", "progress", "about", "suggestions"].map($);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const price = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });

let shelf;
let running;
let timer;

function say(text, wrong = false) {
  status.textContent = text;
  status.classList.toggle("wrong", wrong);
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A text with some of its places marked. */
function marked(text, places = []) {
  const parts = [];
  let last = 0;
  for (const [start, end] of places) {
    parts.push(text.slice(last, start), element("mark", { textContent: text.slice(start, end) }));
    last = end;
  }
  return [...parts, text.slice(last)];
}

/** The reasons of a hit in a few words. */
function reasons({ weak, why }) {
  if (!why) return "";
  const meaning = why.meaning === null ? [] : [`cosine ${why.meaning.toFixed(2)}`];
  const words = why.words > 0 ? [`words ${why.words.toFixed(1)}`] : [];
  return [...words, ...meaning, ...(weak ? ["weak"] : [])].join(", ");
}

function card(hit) {
  const { score, fields, why } = hit;
  const stock = fields.in_stock === false ? " · out of stock" : "";
  const like = element("button", { type: "button", textContent: "More like this", onclick: () => ask(fields.title) });
  like.setAttribute("aria-label", `More like this: ${fields.title}`);
  const meter = element("meter", { min: 0, max: 1, value: Math.max(score, 0), title: reasons(hit) });
  meter.setAttribute("aria-label", `Score ${score.toFixed(2)}`);
  return element(
    "li",
    {},
    element("h2", {}, ...marked(fields.title, why?.fields.title)),
    element("p", { textContent: [fields.brand, fields.category].filter(Boolean).join(" · ") + stock }),
    element(
      "footer",
      {},
      element("span", { className: "price", textContent: fields.price === undefined ? "" : price.format(fields.price) }),
      meter,
      like,
    ),
  );
}

function show(hits, text) {
  list.replaceChildren(...hits.map(card));
  if (text.trim() === "") return say("Type what you are looking for.");
  const more = hits.partial ? ", more is loading" : "";
  const { encode, search } = hits.ms;
  const corrected = hits.corrected.map(({ from, to }) => `“${to[0]}” for “${from}”`);
  const notes = [...(hits.weak ? ["Nothing fits well"] : []), ...(corrected.length > 0 ? [`Looked for ${corrected.join(", ")}`] : [])];
  const note = notes.map((text) => `${text}. `).join("");
  say(`${note}${hits.length} of ${shelf.items.toLocaleString("en")} products in ${(encode + search).toFixed(1)} ms${more}`);
}

async function search() {
  if (!shelf) return;
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const text = query.value;
  const address = new URL(location.href);
  if (text) address.searchParams.set("q", text);
  else address.searchParams.delete("q");
  history.replaceState(null, "", address);
  try {
    const onPartial = (hits) => !signal.aborted && show(hits, text);
    const hits = await shelf.search(text, { k: HITS, typing: true, why: true, signal, onPartial });
    if (!signal.aborted) show(hits, text);
    const completions = await shelf.suggest(text, { k: 6, signal });
    if (!signal.aborted) suggestions.replaceChildren(...completions.map(({ text }) => element("option", { value: text })));
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, true);
  }
}

function ask(text) {
  query.value = text;
  query.focus();
  window.scrollTo({ top: 0 });
  search();
}

query.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, DEBOUNCE_MS);
});
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
for (const button of document.querySelectorAll("[data-query]")) {
  button.addEventListener("click", () => ask(button.dataset.query));
}
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== query) {
    event.preventDefault();
    query.focus();
  }
});

async function open() {
  query.value = new URL(location.href).searchParams.get("q") ?? query.value;
  // The page itself is kept by a service worker, the shelf by nearshelf.
  const worker = navigator.serviceWorker?.register("sw.js").then(
    () => navigator.serviceWorker.ready,
    (error) => console.warn(error),
  );
  const start = performance.now();
  let stored = 0;
  try {
    shelf = await openShelf("shelf/", {
      onProgress: (now) => {
        progress.value = now.loaded / now.total;
        stored = now.stored;
        if (!shelf) say(`Loading ${megabytes(now.loaded)} of ${megabytes(now.total)}…`);
      },
    });
    const seconds = ((performance.now() - start) / 1000).toFixed(2);
    about.textContent = `Ready in ${seconds} s, ${stored > 0 ? "from this device" : "downloaded"} · ${shelf.build} · ${shelf.dims} dimensions · ${shelf.shards} shards`;
    await search();
    // What no query has needed yet, for when there is no connection.
    await shelf.load();
    progress.hidden = true;
    if (await worker) document.documentElement.dataset.ready = "offline";
  } catch (error) {
    say(error.message, true);
  }
}

open();
