// Chromium with nothing that talks to anyone.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

export const executablePath = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path && existsSync(path));

/** @param {string} modules @param {string[]} [more] */
export async function launch(modules, more = []) {
  const { chromium } = createRequire(join(modules, "x.js"))("playwright-core");
  const args = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...more];
  return chromium.launch({ executablePath, args });
}
