// The demo page, used by keyboard and by what a screen reader is told. Environment: SITE, NEARSHELF_NPM; SCREENSHOT
// is a file for a picture of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launch } from "./chromium.mjs";
import { serve } from "./server.mjs";

const { SITE, NEARSHELF_NPM, SCREENSHOT } = process.env;
let browser, server, page;
before(async () => {
  browser = await launch(NEARSHELF_NPM);
  server = await serve({ "": SITE });
  page = await browser.newPage({ viewport: { width: 1000, height: 900 } });
  await page.goto(`${server.url}/`);
});
after(async () => {
  await browser?.close();
  server?.close();
});
const titles = () => page.getByRole("list", { name: "Products", exact: true }).getByRole("heading").allTextContents();
const answered = (count) => page.waitForFunction(
  (count) => document.querySelectorAll("#hits li").length === count && /products in/.test(document.querySelector("#status").textContent), count);

/** Facets come behind hits: nothing changes any more. */
const settled = () => page.waitForFunction(async () => {
  const now = () => document.querySelector("#shop").textContent;
  const before = now();
  await new Promise((resolve) => setTimeout(resolve, 300));
  return now() === before;
});

test("after the first visit every script is kept", async () => {
  await page.waitForFunction(() => document.documentElement.dataset.ready === "offline");
  const kept = await page.evaluate(async () => (await (await caches.open("nearshelf-demo")).keys()).map(({ url }) => new URL(url).pathname));
  const loaded = server.requests.map(({ path }) => path).filter((path) => path.endsWith(".js") && !path.endsWith("/sw.js"));
  assert.ok(loaded.length > 10);
  assert.deepEqual(loaded.filter((path) => !kept.includes(path)), []);
});

test("results come as one types, and the status tells how many", async () => {
  await page.keyboard.type("rain jacket for hiking", { delay: 20 });
  await page.waitForFunction(() => /jacket/i.test(document.querySelector("#hits h2")?.textContent ?? ""));
  await answered(12);
  assert.match(await page.getByRole("status").textContent(), /^12 of (more than )?[\d,]+ products in [\d.]+ ms$/);
  assert.equal(new URL(page.url()).searchParams.get("q"), "rain jacket for hiking");
  if (SCREENSHOT) await page.screenshot({ path: SCREENSHOT });
});

test("everything can be reached by keyboard", async () => {
  await page.getByRole("combobox", { name: /looking for/ }).focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#query").value === "keeps my coffee hot on the go");
  await page.waitForFunction(() => /thermos|bottle|coffee/i.test(document.querySelector("#hits h2")?.textContent ?? ""));
  const [first] = await titles();
  await page.getByRole("button", { name: `More like this: ${first}` }).press("Enter");
  await page.waitForFunction((title) => document.querySelector("#status").textContent.startsWith(`Like “${title}”. `), first);
  assert.ok(!(await titles()).includes(first));
  await page.waitForFunction((title) => document.querySelector("#because").textContent === `Because you looked at “${title}”`, first);
  assert.equal(await page.getByRole("list", { name: "Recommended products" }).getByRole("listitem").count(), 6);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "query");
  await page.getByRole("combobox", { name: /looking for/ }).fill("");
  await page.waitForFunction(() => /12 of 6,000 products/.test(document.querySelector("#status").textContent));
});

test("filters, an order and pages are those of a shop", async () => {
  await page.getByRole("combobox", { name: /looking for/ }).fill("jacket");
  await page.waitForFunction(() => Array.from(document.querySelectorAll("#hits h2"), (h2) => h2.textContent).every((title) => /jacket|coat/i.test(title)));
  await settled();
  const brand = page.locator("#brand .choice").first();
  const [name, count] = [await brand.locator("input").inputValue(), Number(await brand.locator("span").textContent())];
  await brand.locator("input").check();
  await page.waitForFunction((name) => Array.from(document.querySelectorAll("#hits li p"), (p) => p.textContent).every((text) => text.startsWith(name)), name);
  // The other brands keep their counts: one more may be chosen.
  assert.ok((await page.locator("#brand .choice").count()) > 1);
  await page.waitForFunction((count) => document.querySelector("#status").textContent.includes(` of ${count} products`), count);
  await page.getByLabel("Order").selectOption("price:asc");
  const prices = () => page.locator("#hits .price").allTextContents().then((all) => all.map((text) => Number(text.replace(/[$,]/g, ""))));
  await page.waitForFunction(() => {
    const all = Array.from(document.querySelectorAll("#hits .price"), (one) => Number(one.textContent.replace(/[$,]/g, "")));
    return all.length > 1 && all.every((price, i) => i === 0 || all[i - 1] <= price);
  });
  if (count > 12) {
    await page.getByRole("button", { name: "Show more" }).click();
    await page.waitForFunction(() => document.querySelectorAll("#hits li").length > 12);
    const all = await prices();
    assert.deepEqual(all, [...all].sort((a, b) => a - b));
  }
  await page.locator("#max").fill("60");
  await page.waitForFunction(() => Array.from(document.querySelectorAll("#hits .price"), (one) => Number(one.textContent.replace(/[$,]/g, ""))).every((price) => price <= 60));
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByLabel("Order").selectOption("");
  await page.waitForFunction((count) => !document.querySelector("#status").textContent.includes(` of ${count} products`), count);
});

test("axe finds nothing to complain about", async () => {
  const axe = createRequire(join(NEARSHELF_NPM, "x.js")).resolve("axe-core/axe.min.js");
  await page.goto(`${server.url}/?q=tent`);
  await answered(12);
  // Past the page's own policy, which allows no inline script.
  await page.evaluate(readFileSync(axe, "utf8"));
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
  assert.ok(passes.length > 10);
});

test("a reload works without a connection", async () => {
  await page.waitForFunction(() => document.documentElement.dataset.ready === "offline");
  server.fault = (path, request, response) => (response.destroy(), true);
  await page.goto(`${server.url}/?q=a+kettle+for+tea`);
  await answered(12);
  // By words first, then by both.
  await page.waitForFunction(() => /teapot|kettle/i.test(document.querySelector("#hits h2")?.textContent ?? ""));
  assert.match((await titles()).join(), /teapot|kettle/i);
  assert.match(await page.locator("#about").textContent(), /from this device/);
});
