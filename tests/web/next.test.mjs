// The package in Next.js: a route handler on Node, bundled by Turbopack and by webpack, and a client component. Environment:
// PROJECT (where the package is installed), NEARSHELF_NPM, SHELF, EXPECTED; NODES are programs, the first builds.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { executablePath, launch } from "./chromium.mjs";

const { PROJECT, NEARSHELF_NPM, SHELF, EXPECTED } = process.env;
const nodes = process.env.NODES.split(":");
const expected = JSON.parse(readFileSync(EXPECTED, "utf8")).slice(0, 20);
const next = join(NEARSHELF_NPM, "next/dist/bin/next");

const files = {
  "package.json": `{ "private": true, "type": "module" }`,
  "app/layout.jsx": `export default function Layout({ children }) { return <html lang="en"><body>{children}</body></html>; }`,
  "app/page.jsx": `import Search from "./search.jsx";
export default function Page() { return <Search />; }`,
  "app/search.jsx": `"use client";
import { useEffect, useState } from "react";
import { openShelf } from "nearshelf";
export default function Search() {
  const [titles, setTitles] = useState([]);
  useEffect(() => {
    let shelf;
    const abort = new AbortController();
    (async () => {
      shelf = await openShelf("/shelf/", { signal: abort.signal });
      globalThis.shelf = shelf;
      setTitles((await shelf.search("rain jacket")).map((hit) => hit.fields.title));
    })().catch((error) => abort.signal.aborted || Promise.reject(error));
    return () => { abort.abort(); shelf?.dispose(); };
  }, []);
  return <ol>{titles.map((title) => <li key={title}>{title}</li>)}</ol>;
}`,
  "app/api/route.js": `import { openShelf } from "nearshelf";
export const dynamic = "force-dynamic";
let shelf;
export async function GET(request) {
  shelf ??= openShelf(process.env.SHELF);
  const hits = await (await shelf).search(new URL(request.url).searchParams.get("q"), { k: 10 });
  return Response.json(hits.map(({ id, score }) => [id, score]));
}`,
};

/** Next's own bundling of such routes by webpack ends without their manifests; it calls the edge runtime deprecated. */
const edge = {
  "app/edge/route.js": `import { openShelf } from "nearshelf";
export const runtime = "edge";
let shelf;
export async function GET(request) {
  shelf ??= openShelf(new URL("/shelf/", request.url));
  const hits = await (await shelf).search(new URL(request.url).searchParams.get("q"), { k: 10 });
  return Response.json(hits.map(({ id, score }) => [id, score]));
}`,
};

/** An app inside the folder of packages: Next takes those of the folders above. */
function app(name, files) {
  const root = join(dirname(NEARSHELF_NPM), "apps", name);
  rmSync(root, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  cpSync(join(PROJECT, "node_modules/nearshelf"), join(root, "node_modules/nearshelf"), { recursive: true });
  cpSync(SHELF, join(root, "public/shelf"), { recursive: true });
  return root;
}

const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production", CI: "1" };
delete env.NODE_TEST_CONTEXT;

/** Runs Next to its end. */
async function build(root, flags) {
  const child = spawn(nodes[0], [next, "build", ...flags], { cwd: root, env });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(code, 0, said);
}

/** Starts the app on a program of Node's, and gives its address to `run`. */
async function started(root, node, run) {
  const port = await new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
  const child = spawn(node, [next, "start", "-p", `${port}`, "-H", "127.0.0.1"], { cwd: root, env });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
  try {
    const url = `http://127.0.0.1:${port}`;
    for (let left = 100; !/Ready/.test(said); left--) {
      assert.ok(left > 0 && child.exitCode === null, said);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await run(url).catch((error) => Promise.reject(new Error(`${error.message}\n${said}`, { cause: error })));
  } finally {
    const ended = new Promise((resolve) => child.on("close", resolve));
    child.kill();
    await ended;
  }
}

/** The route handler answers as the command line does. */
async function route(url, path) {
  for (const [query, wanted] of expected) {
    const response = await fetch(`${url}${path}?q=${encodeURIComponent(query)}`);
    assert.equal(response.status, 200, query);
    const hits = await response.json();
    assert.deepEqual(hits.map(([id, score]) => [id, Math.fround(score)]), wanted.map(([id, score]) => [id, Math.fround(score)]));
  }
}

/** The client component, where there is a browser for it. */
async function inPage(root) {
  if (executablePath) await started(root, nodes[0], client);
  else console.log("skipped: the client component: there is no Chromium on this machine");
}

/** The client component shows hits, and its shelf answers as the command line does. */
async function client(url) {
  const browser = await launch(NEARSHELF_NPM);
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.waitForFunction(() => document.querySelectorAll("li").length === 10 && globalThis.shelf);
    for (const [query, wanted] of expected) {
      const hits = await page.evaluate(async (query) => (await shelf.search(query, { mode: "hybrid" })).map(({ id, score }) => [id, score]), query);
      assert.deepEqual(hits, wanted.map(([id, score]) => [id, Math.fround(score)]));
    }
  } finally {
    await browser.close();
  }
}

test("Next.js with Turbopack", async () => {
  const root = app("next-turbopack", { ...files, ...edge });
  await build(root, []);
  for (const node of nodes) await started(root, node, (url) => route(url, "/api").then(() => route(url, "/edge")));
  await inPage(root);
});

test("Next.js with webpack", async () => {
  const root = app("next-webpack", files);
  await build(root, ["--webpack"]);
  for (const node of nodes) await started(root, node, (url) => route(url, "/api"));
  await inPage(root);
});
