// Options of the callers, checked by their names.

import { failure, wrong } from "./failure.js";
import { isCount, pageOptions } from "./page.js";
import { whereText } from "./where.js";

/** When the encoder comes. */
const ENCODERS = ["eager", "lazy", "none"];

/** Checks the options of openShelf, each by its name. @param {any} options */
export function checkOpening(options) {
  if (options === null || typeof options !== "object") {
    throw failure("options", `openShelf: expected an object of options, found ${options}.`);
  }
  const { worker, signal, timeout, ...rest } = options;
  const kind = typeof worker;
  const isWorker = kind === "object" && worker !== null && typeof worker.postMessage === "function";
  if (worker !== undefined && kind !== "boolean" && kind !== "function" && !isWorker) {
    throw failure("options", `worker: expected a boolean, a Worker or a function that makes one, found ${String(worker)}.`);
  }
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw failure("options", `signal: expected an AbortSignal, found ${typeof signal}.`);
  }
  if (rest.encoder !== undefined && !ENCODERS.includes(rest.encoder)) throw wrong("encoder", ENCODERS.join(", "), rest.encoder);
  for (const name of ["onProgress", "onUpdate", "onWarning", "fetch", "waitUntil"]) {
    if (rest[name] !== undefined && typeof rest[name] !== "function") {
      throw failure("options", `${name}: expected a function, found ${typeof rest[name]}.`);
    }
  }
  if (rest.revalidate !== undefined && !(Number.isFinite(rest.revalidate) && rest.revalidate >= 0)) {
    throw failure("options", `revalidate: expected seconds, found ${String(rest.revalidate)}.`);
  }
  for (const name of ["manifest", "stall"]) {
    const ms = timeout?.[name];
    if (ms !== undefined && !(Number.isFinite(ms) && ms > 0)) {
      throw failure("options", `timeout.${name}: expected milliseconds, found ${String(ms)}.`);
    }
  }
}

/** The parts of a text that items are compared by. */
const MODES = ["hybrid", "words", "meaning"];

/** The options of a search or another call, each checked by its name; the filter as text. @param {any} options */
export function searching(options = {}) {
  if (options === null || typeof options !== "object") {
    throw failure("options", `options: expected an object, found ${options}.`);
  }
  const { k, probe, ef, mode, weight, signal, onPartial } = options;
  for (const [name, value] of Object.entries({ k, probe, ef })) {
    if (value !== undefined && !isCount(value)) {
      throw failure("options", `${name}: expected a whole number, found ${String(value)}.`);
    }
  }
  if (mode !== undefined && !MODES.includes(mode)) {
    throw failure("options", `mode: expected ${MODES.join(", ")}, found ${String(mode)}.`);
  }
  if (weight !== undefined && !(weight >= 0 && weight <= 1)) {
    throw failure("options", `weight: expected a number from 0 to 1, found ${String(weight)}.`);
  }
  for (const name of ["typing", "leaveWeak", "why"]) {
    if (options[name] !== undefined && typeof options[name] !== "boolean") {
      throw failure("options", `${name}: expected true or false, found ${String(options[name])}.`);
    }
  }
  if (onPartial !== undefined && typeof onPartial !== "function") {
    throw failure("options", `onPartial: expected a function, found ${typeof onPartial}.`);
  }
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw failure("options", `signal: expected an AbortSignal, found ${typeof signal}.`);
  }
  return { ...options, ...pageOptions(options), where: whereText(options.where) };
}
