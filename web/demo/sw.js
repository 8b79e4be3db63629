// Keeps the page and the package, so that a reload needs no connection. The shelf keeps itself.

const CACHE = "nearshelf-demo";
const OWN = /\/(index\.html|demo\.js|style\.css|package\/.*\.js)?$/;

// Kept before it is active: a page that waits for `serviceWorker.ready` then needs no connection.
self.addEventListener("install", (event) => event.waitUntil(keepPage().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/** Keeps the files that the page loaded before this worker was there. The wasm module and the shelf are kept by the package itself. */
async function keepPage() {
  const cache = await caches.open(CACHE);
  const files = ["index.html", "demo.js", "style.css", "package/wasm/nearshelf.js", "package/wasm/modules.js", "package/wasm/onnx/nearshelf.js"];
  const names = ["ahead", "api", "download", "errors", "failure", "front", "hits", "index", "locate", "onnx", "options", "page", "progress", "remote", "shelf", "source", "state", "store", "turns", "wasm", "where", "worker"];
  await cache.addAll(["./", ...files, ...names.map((name) => `package/src/${name}.js`)]);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || !OWN.test(url.pathname)) return;
  event.respondWith(fresh(request));
});

/** From the network and, where that cannot be reached, as it was. */
async function fresh(request) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
