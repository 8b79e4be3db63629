// A plain static server, with the faults that a test asks for.
import { createReadStream, readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/**
 * @param {Record<string, string>} folders a folder by the first part of a path
 * @returns {Promise<{ url: string, requests: { path: string, range?: string }[], folders: Record<string, string>, fault: any, headers: object, close(): void }>}
 */
export async function serve(folders) {
  const state = { url: "", requests: [], folders, fault: undefined, headers: {}, close: () => (server.closeAllConnections(), server.close()) };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const { range } = request.headers;
    state.requests.push({ path: pathname, range });
    // A fault answers itself, and says so.
    if (state.fault?.(pathname, request, response)) return;
    const [, first, ...rest] = pathname.split("/");
    if (first === "names") {
      return response.writeHead(200, { "content-type": TYPES[".json"] }).end(JSON.stringify(readdirSync(folders.shelf)));
    }
    const folder = folders[first] ?? folders[""];
    const name = folders[first] ? rest.join("/") : pathname;
    const path = join(folder ?? "/nowhere", normalize(name || "index.html"));
    let size;
    try {
      const file = statSync(path);
      if (!file.isFile()) throw new Error("a folder");
      size = file.size;
    } catch {
      return response.writeHead(404, { "content-type": "text/html" }).end("<!doctype html><title>not found</title>");
    }
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    const headers = {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      "content-length": size - start,
      ...state.headers,
    };
    if (range) headers["content-range"] = `bytes ${start}-${size - 1}/${size}`;
    response.writeHead(range ? 206 : 200, headers);
    createReadStream(path, { start }).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`;
  return state;
}

/** Sends only the first bytes of a file, and ends the connection. */
export function breakOff(response, path, bytes) {
  const all = readFileSync(path);
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": all.length });
  response.write(all.subarray(0, bytes), () => setTimeout(() => response.destroy(), 50));
}
