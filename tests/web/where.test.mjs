// Filters as objects. Environment: NEARSHELF_PACKAGE, SHELF.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const { NEARSHELF_PACKAGE, SHELF } = process.env;
const { whereText } = await import(pathToFileURL(join(NEARSHELF_PACKAGE, "src/where.js")).href);
const { openShelf } = await import(pathToFileURL(join(NEARSHELF_PACKAGE, "src/node.js")).href);

test("objects are written as the text that all runtimes read", () => {
  for (const [where, text] of [
    [undefined, undefined],
    ["price < 50", "price < 50"],
    [{}, undefined],
    [{ brand: "Calder" }, '`brand` = "Calder"'],
    [{ brand: ["Calder", 'say "hi" \\'] }, '`brand` IN ["Calder", "say \\"hi\\" \\\\"]'],
    [{ price: { gte: 10, lt: 50 }, in_stock: true }, "`price` >= 10 AND `price` < 50 AND `in_stock` = true"],
    [{ "odd`name": { exists: false } }, "NOT EXISTS `odd\\`name`"],
    [{ or: [{ a: 1 }, { not: { b: { in: [2] } } }] }, "((`a` = 1) OR (NOT (`b` IN [2])))"],
  ]) {
    assert.equal(whereText(where), text);
  }
  for (const [where, message] of [
    [5, /^where: expected an object of conditions or a text, found 5/],
    [{ price: { under: 5 } }, /^where\.price\.under: expected eq, ne, lt/],
    [{ price: { lt: "5" } }, /^where\.price\.lt: expected a number, found 5/],
    [{ price: NaN }, /^where\.price: expected a text, a finite number/],
    [{ or: [] }, /^where\.or: expected a list of conditions/],
  ]) {
    assert.throws(() => whereText(where), { code: "options", message });
  }
});

test("a search finds only what its filter allows", async () => {
  const shelf = await openShelf(SHELF);
  const hits = await shelf.search("rain jacket", { k: 50, where: { price: { lt: 120 }, category: ["outdoor", "fashion"] } });
  assert.equal(hits.length, 50);
  assert.ok(hits.every(({ fields }) => fields.price < 120 && ["outdoor", "fashion"].includes(fields.category)));
  const same = await shelf.search("rain jacket", { k: 50, where: "price < 120 AND category IN ['outdoor', 'fashion']" });
  assert.deepEqual([...same], [...hits]);
  for (const where of ["prise < 5", "price <"]) {
    await assert.rejects(shelf.search("tent", { where }), { name: "UsageError", code: "query", message: /^filter, / });
  }
  await assert.rejects(shelf.search("tent", { where: 5 }), { code: "options" });
  shelf.dispose();
});
