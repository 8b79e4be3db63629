// A shop over a shelf, without a framework: a search box, filters, an order, and what fits what was looked at.

import { openShelf } from "./package/src/index.js";

const DEBOUNCE_MS = 60;
const HITS = 12;
const RECOMMENDED = 6;
/** Filters that are lists of values. */
const LISTS = ["category", "brand"];

const $ = (id) => document.getElementById(id);
const [query, status, list, progress, about, suggestions, filters, sort, most, max, stock, more] = [
  "query", "status", "hits", "progress", "about", "suggestions", "filters", "sort", "most", "max", "stock", "more",
].map($);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const price = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });

let shelf;
let running;
let timer;
/** Products of the list that is shown: of a text, or like one of them. */
let asked = { text: "" };
/** Products that the visitor looked at: titles by id, the last one at the end. */
const looked = new Map();

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
  const { id, score, fields, why } = hit;
  const out = fields.in_stock === false ? " · out of stock" : "";
  const like = element("button", { type: "button", textContent: "More like this", onclick: () => look(id, fields.title) });
  like.setAttribute("aria-label", `More like this: ${fields.title}`);
  const meter = element("meter", { min: 0, max: 1, value: Math.min(Math.max(score, 0), 1), title: reasons(hit) });
  meter.setAttribute("aria-label", `Score ${score.toFixed(2)}`);
  return element(
    "li",
    {},
    element("h2", {}, ...marked(fields.title, why?.fields.title)),
    element("p", { textContent: [fields.brand, fields.category].filter(Boolean).join(" · ") + out }),
    element(
      "footer",
      {},
      element("span", { className: "price", textContent: fields.price === undefined ? "" : price.format(fields.price) }),
      ...(score > 0 ? [meter] : []),
      like,
    ),
  );
}

/** The values of a list that are chosen. */
const chosen = (name) => Array.from($(name).querySelectorAll("input:checked"), ({ value }) => value);

/** The filter that is set, without the conditions on one of its lists. */
function where(without) {
  const conditions = {};
  for (const name of LISTS) {
    const values = chosen(name);
    if (name !== without && values.length > 0) conditions[name] = { in: values };
  }
  if (Number(max.value) < Number(max.max)) conditions.price = { lte: Number(max.value) };
  if (stock.checked) conditions.in_stock = true;
  return conditions;
}

const options = (signal, page) => ({ where: where(), sort: sort.value || undefined, signal, ...page });
const search = (settings) => (asked.id ? shelf.similar(asked.id, settings) : shelf.search(asked.text, { ...settings, typing: true, why: true }));

/** The values of a list with how many products each would leave: of a list with a choice, as if there were none. */
async function counts(name, hits, signal) {
  if (chosen(name).length === 0) return hits.facets[name].values;
  const others = await search({ ...options(signal, { k: 1 }), where: where(name), facets: { [name]: { limit: 30 } } });
  return others.facets[name].values;
}

async function showFacets(hits, signal) {
  for (const name of LISTS) {
    const values = await counts(name, hits, signal);
    if (signal.aborted) return;
    const now = chosen(name);
    const focused = document.activeElement?.closest?.("fieldset") === $(name) ? document.activeElement.value : undefined;
    // What is chosen stays, though no product may have it.
    const told = [...values, ...now.filter((value) => !values.some((one) => one.value === value)).map((value) => ({ value, count: 0 }))];
    const choice = ({ value, count }) =>
      element("label", { className: "choice" }, element("input", { type: "checkbox", value, checked: now.includes(value) }), value, element("span", { textContent: count.toLocaleString("en") }));
    $(name).replaceChildren($(name).querySelector("legend"), ...told.map(choice));
    if (focused) Array.from($(name).querySelectorAll("input")).find(({ value }) => value === focused)?.focus();
  }
}

function show(hits, { append = false } = {}) {
  if (append) list.append(...hits.map(card));
  else list.replaceChildren(...hits.map(card));
  list.dataset.stage = hits.stage;
  const shown = list.children.length;
  const matches = hits.matches?.count ?? shown;
  more.hidden = hits.length < HITS;
  const byWords = hits.stage === "words" && asked.text?.trim();
  const loading = hits.partial ? ", more is loading" : byWords ? ", by words so far" : "";
  const { encode, search } = hits.ms;
  const corrected = hits.corrected.map(({ from, to }) => `“${to[0]}” for “${from}”`);
  const notes = [
    ...(asked.id ? [`Like “${asked.title}”`] : []),
    // Before meanings are compared nobody knows.
    ...(hits.weak && !byWords ? ["Nothing fits well"] : []),
    ...(corrected.length > 0 && !asked.id ? [`Looked for ${corrected.join(", ")}`] : []),
  ];
  const note = notes.map((text) => `${text}. `).join("");
  const least = hits.matches && !hits.matches.exact ? "more than " : "";
  say(`${note}${shown} of ${least}${Math.max(matches, shown).toLocaleString("en")} products in ${(encode + search).toFixed(1)} ms${loading}`);
}

/** Shows the products that are asked for, from the first one on or after those that are there. */
async function run({ append = false } = {}) {
  if (!shelf) return;
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const address = new URL(location.href);
  if (query.value) address.searchParams.set("q", query.value);
  else address.searchParams.delete("q");
  history.replaceState(null, "", address);
  try {
    const facets = { category: true, brand: { limit: 30 } };
    const onPartial = (hits) => {
      if (signal.aborted || append) return;
      show(hits);
      showFacets(hits, signal).catch(failed);
    };
    const hits = await search({ ...options(signal, { k: HITS, offset: append ? list.children.length : 0 }), facets, onPartial });
    if (signal.aborted) return;
    show(hits, { append });
    if (append) return;
    await showFacets(hits, signal);
    const completions = await shelf.suggest(query.value, { k: 6, signal });
    if (!signal.aborted) suggestions.replaceChildren(...completions.map(({ text }) => element("option", { value: text })));
  } catch (error) {
    failed(error);
  }
}

function failed(error) {
  if (error.name !== "AbortError") say(error.message, true);
}

/** Shows what is like a product, and what else fits those that were looked at. */
async function look(id, title) {
  asked = { id, title };
  looked.delete(id);
  looked.set(id, title);
  window.scrollTo({ top: 0 });
  query.focus();
  await run();
  const hits = await shelf.recommend({ like: [...looked.keys()], k: RECOMMENDED, diversity: 0.3, where: { in_stock: true } });
  const titles = [...looked.values()].slice(-2).reverse();
  $("because").textContent = `Because you looked at ${titles.map((title) => `“${title}”`).join(" and ")}`;
  $("recommended").replaceChildren(...hits.map(card));
  $("looked").hidden = false;
}

function ask(text) {
  asked = { text };
  query.value = text;
  query.focus();
  window.scrollTo({ top: 0 });
  run();
}

/** Soon, and once for many of a kind. */
function soon() {
  clearTimeout(timer);
  timer = setTimeout(run, DEBOUNCE_MS);
}

function tellPrice() {
  most.textContent = Number(max.value) < Number(max.max) ? price.format(Number(max.value)) : "any";
}

query.addEventListener("input", () => {
  asked = { text: query.value };
  soon();
});
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  asked = { text: query.value };
  run();
});
filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("input", () => {
  tellPrice();
  soon();
});
filters.addEventListener("reset", () => {
  // The fields are empty once the event is over.
  setTimeout(() => {
    for (const input of filters.querySelectorAll("input:checked")) input.checked = false;
    max.value = max.max;
    tellPrice();
    run();
  });
});
sort.addEventListener("change", () => run());
more.addEventListener("click", () => run({ append: true }));
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
  asked = { text: query.value };
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
    const { facets } = await shelf.search("", { k: 1, facets: ["price"] });
    max.max = String(Math.ceil(facets.price.max));
    max.value = max.max;
    tellPrice();
    await run();
    // What no query has needed yet, for when there is no connection.
    await shelf.load();
    progress.hidden = true;
    if (await worker) document.documentElement.dataset.ready = "offline";
  } catch (error) {
    say(error.message, true);
  }
}

open();
