// Options that say which hits are shown, in which order, and what is counted: checked by name, and written as the module reads
// them. What was written so already is left as it is.

import { wrong } from "./failure.js";

/** A number that the module takes for a count. @param {any} value */
export const isCount = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32;

/** @param {unknown} value */
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** @param {any} options */
export function pageOptions({ offset, sort, boosts, pin, hide, distinct, facets, diversity }) {
  if (offset !== undefined && !isCount(offset)) {
    throw wrong("offset", "a whole number", offset);
  }
  if (distinct !== undefined && typeof distinct !== "string") throw wrong("distinct", "the name of a field", distinct);
  if (diversity !== undefined && !(diversity >= 0 && diversity <= 1)) throw wrong("diversity", "a number from 0 to 1", diversity);
  return {
    offset,
    sort: strings("sort", typeof sort === "string" ? sort.split(",") : sort),
    boosts: named("boosts", boosts, boost),
    pin: strings("pin", pin),
    hide: strings("hide", hide),
    distinct,
    facets: named("facets", Array.isArray(facets) ? facets.map((facet) => (typeof facet === "string" ? { field: facet } : facet)) : facets, facet),
    diversity,
  };
}

/** @param {string} at @param {any} list */
function strings(at, list) {
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || !list.every((one) => typeof one === "string")) throw wrong(at, "a list of strings", list);
  return list;
}

/** An object by field names as a list. @param {string} at @param {any} value @param {(at: string, value: any) => any} read */
function named(at, value, read) {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.map((one) => ({ field: one?.field, ...read(`${at}.${one?.field}`, one) }));
  if (!isObject(value)) throw wrong(at, "an object by the names of fields", value);
  const entries = Object.entries(value).filter(([, one]) => one !== undefined && one !== false);
  return entries.map(([field, one]) => ({ field, ...read(`${at}.${field}`, one) }));
}

/** @param {string} at @param {any} value */
function boost(at, value) {
  const { weight, pivot } = typeof value === "number" ? { weight: value, pivot: undefined } : (value ?? {});
  if (!Number.isFinite(weight)) throw wrong(at, "a number, or { weight, pivot }", value);
  if (pivot !== undefined && pivot !== null && !(Number.isFinite(pivot) && pivot > 0)) throw wrong(`${at}.pivot`, "a number above 0", pivot);
  return { weight, pivot };
}

/** @param {string} at @param {any} value */
function facet(at, value) {
  if (value === true) return {};
  if (!isObject(value)) throw wrong(at, "true, or { limit, contains, ranges, histogram }", value);
  const { limit, contains, ranges, histogram } = value;
  for (const [name, count] of Object.entries({ limit, histogram })) {
    if (count !== undefined && !isCount(count)) throw wrong(`${at}.${name}`, "a whole number", count);
  }
  if (contains !== undefined && contains !== null && typeof contains !== "string") throw wrong(`${at}.contains`, "a text", contains);
  if (ranges !== undefined && !Array.isArray(ranges)) throw wrong(`${at}.ranges`, "a list of [from, to]", ranges);
  return { limit, contains, ranges: ranges?.map((/** @type {any} */ one, /** @type {number} */ i) => range(`${at}.ranges[${i}]`, one)), histogram };
}

/** @param {string} at @param {any} value */
function range(at, value) {
  const isEnd = (/** @type {any} */ end) => end === undefined || end === null || Number.isFinite(end);
  if (!Array.isArray(value) || value.length > 2 || !value.every(isEnd)) throw wrong(at, "[from, to]", value);
  return [value[0] ?? null, value[1] ?? null];
}
