// Filters as objects, written as the text that every runtime of nearshelf reads.

import { wrong } from "./failure.js";

/** Signs of the comparisons. @type {Record<string, string>} */
const SIGNS = { lt: "<", lte: "<=", gt: ">", gte: ">=" };

/** @param {string} text @param {string} quote */
const quoted = (text, quote) => quote + text.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`) + quote;

/** A filter as text; undefined where there is none. @param {any} where @returns {string | undefined} */
export function whereText(where) {
  if (where === undefined || typeof where === "string") return where;
  return all(where, "where") || undefined;
}

/** @param {any} where @param {string} at @returns {string} */
function all(where, at) {
  if (where === null || typeof where !== "object" || Array.isArray(where)) throw wrong(at, "an object of conditions or a text", where);
  const terms = Object.entries(where).filter(([, value]) => value !== undefined);
  return terms.map(([name, value]) => term(name, value, `${at}.${name}`)).join(" AND ");
}

/** @param {string} name @param {any} value @param {string} at @returns {string} */
function term(name, value, at) {
  if (name === "not") return `NOT (${some(all(value, at), at)})`;
  if (name === "or" || name === "and") {
    if (!Array.isArray(value) || value.length === 0) throw wrong(at, "a list of conditions", value);
    const terms = value.map((one, i) => `(${some(all(one, `${at}[${i}]`), at)})`);
    return `(${terms.join(name === "or" ? " OR " : " AND ")})`;
  }
  const field = quoted(name, "`");
  if (Array.isArray(value)) return `${field} IN [${list(value, at)}]`;
  if (value === null || typeof value !== "object") return `${field} = ${literal(value, at)}`;
  const conditions = Object.entries(value).filter(([, operand]) => operand !== undefined);
  if (conditions.length === 0) throw wrong(at, "a condition", value);
  return conditions.map(([sign, operand]) => condition(field, sign, operand, `${at}.${sign}`)).join(" AND ");
}

/** @param {string} field @param {string} sign @param {any} operand @param {string} at */
function condition(field, sign, operand, at) {
  if (SIGNS[sign]) {
    if (typeof operand !== "number") throw wrong(at, "a number", operand);
    return `${field} ${SIGNS[sign]} ${literal(operand, at)}`;
  }
  switch (sign) {
    case "eq":
      return `${field} = ${literal(operand, at)}`;
    case "ne":
      return `${field} != ${literal(operand, at)}`;
    case "in":
      return `${field} IN [${list(operand, at)}]`;
    case "notIn":
      return `${field} NOT IN [${list(operand, at)}]`;
    case "exists":
      if (typeof operand !== "boolean") throw wrong(at, "true or false", operand);
      return `${operand ? "" : "NOT "}EXISTS ${field}`;
    default:
      throw wrong(at, "eq, ne, lt, lte, gt, gte, in, notIn or exists", sign);
  }
}

/** @param {any} values @param {string} at */
function list(values, at) {
  if (!Array.isArray(values) || values.length === 0) throw wrong(at, "a list of values", values);
  return values.map((value) => literal(value, at)).join(", ");
}

/** @param {any} value @param {string} at */
function literal(value, at) {
  if (typeof value === "string") return quoted(value, '"');
  if (typeof value === "boolean" || Number.isFinite(value)) return String(value);
  throw wrong(at, "a text, a finite number, true or false", value);
}

/** @param {string} text @param {string} at */
function some(text, at) {
  if (text === "") throw wrong(at, "conditions", {});
  return text;
}
