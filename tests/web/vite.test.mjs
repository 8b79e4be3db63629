// An app bundled by Vite, as a user makes one, served from a plain static server and opened in Chromium.
// Environment: PROJECT (where the package is installed), NEARSHELF_NPM, SHELF, EXPECTED.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { launch } from "./chromium.mjs";
import { serve } from "./server.mjs";

const { PROJECT, NEARSHELF_NPM, SHELF, EXPECTED } = process.env;
const root = join(PROJECT, "app");

const builds = {
  "as it is": `import { openShelf } from "nearshelf";
    globalThis.open = () => openShelf("/shelf/");`,
  "with a worker of the bundler's own": `import { openShelf } from "nearshelf";
    import ShelfWorker from "nearshelf/worker?worker";
    globalThis.open = () => openShelf("/shelf/", { worker: () => new ShelfWorker() });`,
  "without a worker": `import { openShelf } from "nearshelf";
    globalThis.open = () => openShelf("/shelf/", { worker: false });`,
};

for (const [name, source] of Object.entries(builds)) {
  test(`an app that takes the package ${name}`, async () => {
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, "index.html"), `<!doctype html><script type="module" src="./main.js"></script>`);
    writeFileSync(join(root, "main.js"), `${source}\nimport { checkGolden } from "../golden.mjs";\nglobalThis.checkGolden = checkGolden;`);
    const vite = createRequire(join(NEARSHELF_NPM, "x.js")).resolve("vite");
    const { build } = await import(pathToFileURL(vite).href);
    const outDir = join(root, "dist");
    await build({ root, logLevel: "warn", configFile: false, build: { outDir, emptyOutDir: true } });
    const wasm = readdirSync(join(outDir, "assets")).filter((file) => file.endsWith(".wasm"));
    // Two builds of each module; the one for ONNX comes with a chunk of its own.
    assert.equal(wasm.length, 4, `modules in the bundle: ${wasm}`);

    const server = await serve({ "": outDir, shelf: SHELF });
    const browser = await launch(NEARSHELF_NPM);
    try {
      const page = await browser.newPage();
      await page.goto(`${server.url}/index.html`);
      await page.waitForFunction(() => globalThis.open !== undefined && globalThis.checkGolden !== undefined);
      const expected = JSON.parse(readFileSync(EXPECTED, "utf8")).slice(0, 20);
      const checked = await page.evaluate(async (expected) => checkGolden(await open(), expected), expected);
      assert.equal(checked, expected.length);
      const modules = server.requests.filter(({ path }) => path.endsWith(".wasm"));
      assert.equal(modules.length, 1, "one module is fetched, not both");
    } finally {
      await browser.close();
      server.close();
    }
  });
}
