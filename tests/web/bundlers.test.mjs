// Apps that take the package as a user's do, by bundlers and without one, opened in Chromium. Environment: PROJECT
// (where the package is installed), NEARSHELF_NPM, SHELF, EXPECTED.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { launch } from "./chromium.mjs";
import { serve } from "./server.mjs";

const { PROJECT, NEARSHELF_NPM, SHELF, EXPECTED } = process.env;
const require = createRequire(join(NEARSHELF_NPM, "x.js"));
const expected = JSON.parse(readFileSync(EXPECTED, "utf8")).slice(0, 20);

let browser;
before(async () => {
  browser = await launch(NEARSHELF_NPM);
});
after(() => browser?.close());

/** The ways to take the package. */
const sources = {
  "as it is": `import { openShelf } from "nearshelf";
    globalThis.open = () => openShelf("/shelf/");`,
  "with a worker of the bundler's own": `import { openShelf } from "nearshelf";
    import ShelfWorker from "nearshelf/worker?worker";
    globalThis.open = () => openShelf("/shelf/", { worker: () => new ShelfWorker() });`,
  "without a worker": `import { openShelf } from "nearshelf";
    globalThis.open = () => openShelf("/shelf/", { worker: false });`,
};

/** An app of one page. @returns its folder */
function app(name, source) {
  const root = join(PROJECT, "apps", name);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "index.html"), `<!doctype html><script type="module" src="./main.js"></script>`);
  writeFileSync(join(root, "main.js"), `${source}\nimport { checkGolden } from "../../golden.mjs";\nglobalThis.checkGolden = checkGolden;`);
  return root;
}

/** Opens the app and compares its answers; the page, and the modules that it fetched. */
async function answers(url) {
  const page = await browser.newPage();
  const modules = [];
  page.on("request", (request) => new URL(request.url()).pathname.endsWith(".wasm") && modules.push(request.url()));
  try {
    await page.goto(url);
    await page.waitForFunction(() => globalThis.open !== undefined && globalThis.checkGolden !== undefined);
    const checked = await page.evaluate(async (expected) => checkGolden(await open(), expected), expected);
    assert.equal(checked, expected.length);
    const name = await page.evaluate(async () => {
      try {
        await (await open()).search("tent", { k: -1 });
      } catch (error) {
        return `${error.name} ${error.code}`;
      }
    });
    assert.equal(name, "UsageError options", "errors keep their names");
    // Workers' requests are not the page's: they are counted by the servers, where these are ours.
    return modules;
  } finally {
    await page.close();
  }
}

/** Serves a bundle beside the shelf, and expects one module to be fetched. */
async function bundled(folder) {
  const server = await serve({ "": folder, shelf: SHELF });
  try {
    await answers(`${server.url}/index.html`);
    const modules = new Set(server.requests.map(({ path }) => path).filter((path) => path.endsWith(".wasm")));
    assert.equal(modules.size, 1, `one module is fetched, not both: ${[...modules]}`);
  } finally {
    server.close();
  }
}

/** A version of Vite, by its module's own file: its entry for `require` is another. */
const vite = (name) => import(pathToFileURL(join(NEARSHELF_NPM, name, "dist/node/index.js")).href);
const modulesIn = (folder) => readdirSync(folder).filter((file) => file.endsWith(".wasm"));

for (const version of ["vite", "vite-5"]) {
  for (const [how, source] of Object.entries(sources)) {
    test(`an app bundled by ${version} that takes the package ${how}`, async () => {
      const root = app(version, source);
      const { build } = await vite(version);
      const outDir = join(root, "dist");
      await build({ root, logLevel: "warn", configFile: false, build: { outDir, emptyOutDir: true } });
      // Two builds of each module.
      assert.equal(modulesIn(join(outDir, "assets")).length, 3);
      await bundled(outDir);
    });
  }

  test(`an app in ${version}'s development server`, async () => {
    await developed(version, ["nearshelf"], answers);
  });
}

test("what Vite 5 prebundles says so", async () => {
  await developed("vite-5", [], async (url) => {
    const page = await browser.newPage();
    try {
      await page.goto(url);
      await page.waitForFunction(() => globalThis.open !== undefined && globalThis.checkGolden !== undefined);
      const error = await page.evaluate(() => open().then(() => undefined, (e) => ({ code: e.code, message: e.message })));
      assert.equal(error?.code, "worker-blocked");
      assert.match(error.message, /keep the bundler from prebundling the package/);
    } finally {
      await page.close();
    }
  });
});

/** Gives `run` the address of an app in Vite's development server. */
async function developed(version, exclude, run) {
  const root = app(`${version}-dev-${exclude.length}`, sources["as it is"]);
  const { createServer } = await vite(version);
  const server = await createServer({
    root,
    logLevel: "silent",
    configFile: false,
    publicDir: dirname(SHELF),
    cacheDir: join(root, "cache"),
    optimizeDeps: { exclude },
    server: { port: 0, host: "127.0.0.1", fs: { strict: false } },
  });
  try {
    await server.listen();
    await run(server.resolvedUrls.local[0]);
  } finally {
    await server.close();
  }
}

/** Bundles the app with webpack, without any configuration of its own but where things lie. */
async function pack(root, publicPath) {
  const webpack = require("webpack");
  const path = join(root, "dist");
  const stats = await new Promise((resolve, reject) => {
    const options = { mode: "production", context: root, entry: "./main.js", output: { path, publicPath }, performance: { hints: false } };
    webpack(options, (error, stats) => (error ? reject(error) : resolve(stats)));
  });
  assert.equal(stats.hasErrors(), false, stats.toString("errors-only"));
  writeFileSync(join(path, "index.html"), `<!doctype html><script src="${publicPath}main.js"></script>`);
  return path;
}

test("an app bundled by webpack", async () => {
  const folder = await pack(app("webpack", sources["as it is"]), "/");
  assert.equal(modulesIn(folder).length, 3);
  await bundled(folder);
});

test("an app bundled by webpack, its scripts on another origin", async () => {
  const root = app("webpack-cdn", sources["as it is"]);
  const cdn = await serve({ "": join(root, "dist") });
  cdn.headers = { "access-control-allow-origin": "*" };
  const server = await serve({ "": join(root, "dist"), shelf: SHELF });
  try {
    await pack(root, `${cdn.url}/`);
    await answers(`${server.url}/index.html`);
    const scripts = server.requests.filter(({ path }) => /\.(js|wasm)$/.test(path));
    assert.deepEqual(scripts, [], "scripts of the page's own origin");
    assert.equal(cdn.requests.filter(({ path }) => path.endsWith(".wasm")).length, 1);
  } finally {
    cdn.close();
    server.close();
  }
});

test("a page without a bundler, with an import map", async () => {
  const root = app("plain", sources["as it is"]);
  const map = { imports: { nearshelf: "/package/src/index.js" } };
  const page = `<!doctype html><script type="importmap">${JSON.stringify(map)}</script><script type="module" src="./main.js"></script>`;
  writeFileSync(join(root, "index.html"), page);
  const source = readFileSync(join(root, "main.js"), "utf8").replace("../../golden.mjs", "/project/golden.mjs");
  writeFileSync(join(root, "main.js"), source);
  const server = await serve({ "": root, shelf: SHELF, package: join(PROJECT, "node_modules/nearshelf"), project: PROJECT });
  try {
    await answers(`${server.url}/index.html`);
  } finally {
    server.close();
  }
});
