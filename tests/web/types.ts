// What a user of the types writes; it is compiled, not run.
import { openShelf, NearshelfError, type Hits, type Shelf } from "nearshelf";

interface Product {
  title: string;
  price?: number;
  tags?: string[];
}

const shelf: Shelf<Product> = await openShelf<Product>("/shelf/", {
  onProgress: ({ loaded, total }) => console.log(loaded / total),
  signal: AbortSignal.timeout(10_000),
});
const hits: Hits<Product> = await shelf.search("rain jacket", { k: 5, onPartial: (some) => console.log(some.length) });
const titles: string[] = hits.map((hit) => hit.fields.title?.toUpperCase() ?? "");
// @ts-expect-error: an item may be without it.
hits[0]?.fields.price.toFixed(2);
await shelf.search("jacket", { where: { price: { lt: 50 }, tags: ["rain"], or: [{ title: "a" }, { not: { price: 5 } }] } });
// @ts-expect-error: a number is compared with numbers.
await shelf.search("jacket", { where: { price: "cheap" } });
const reasons = await shelf.search("jacket", { mode: "words", weight: 0.5, typing: true, leaveWeak: true, why: true });
const places: [number, number][] = reasons[0]?.why?.fields["title"] ?? [];
const said: string[] = [...reasons.unknownWords, ...reasons.corrected.map(({ from, to }) => `${from} ${to[0]}`)];
// @ts-expect-error: no such mode.
await shelf.search("jacket", { mode: "fuzzy" });
const completed: string[] = (await shelf.suggest("jack", { k: 3 })).map(({ text }) => text);
console.log(places, said, completed, reasons.weak);
const price: number = hits[0]?.fields.price ?? 0;
// @ts-expect-error: no such field.
hits[0].fields.colour;
// @ts-expect-error: a number is no query.
await shelf.search(5);
const shop = await shelf.search("jacket", {
  offset: 10,
  sort: ["price:asc"],
  boosts: { price: { weight: 0.2, pivot: 30 } },
  distinct: "title",
  pin: ["a"],
  facets: { tags: { limit: 5, contains: "ra" }, price: { ranges: [[0, 20], [20]], histogram: 8 } },
});
const counts: number[] = shop.facets.tags?.values.map(({ count }) => count) ?? [];
const largest: number | null = shop.facets.price?.max ?? null;
// @ts-expect-error: a facet of numbers has no values.
shop.facets.price?.values;
// @ts-expect-error: no such field.
await shelf.search("jacket", { sort: "colour:asc" });
// @ts-expect-error: texts lift nothing.
await shelf.search("jacket", { boosts: { title: 1 } });
const similar: Hits<Product> = await shelf.similar("a", { diversity: 0.3 });
const fitting: Hits<Product> = await shelf.recommend({ like: ["a", "b"], weights: [1, 0.5], text: "blue", where: { price: { lt: 5 } } });
const one: string | undefined = (await shelf.get("a"))?.fields.title;
console.log(counts, largest, similar, fitting, one, shop.matches?.exact, shop[0]?.variants);
const like = await shelf.searchVector(await shelf.encode(titles[0] ?? ""), { probe: 2 });
console.log(price, like.shards.searched, like.ms.encode);
try {
  await openShelf(async (name) => new Uint8Array(name.length));
} catch (error) {
  if (error instanceof NearshelfError && error.code === "format") console.log(error.message);
}
shelf.dispose();
