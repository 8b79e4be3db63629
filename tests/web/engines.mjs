// Browsers of other engines than Chromium's, where a system has them: Firefox over WebDriver BiDi, WebKitGTK over
// WebDriver. FIREFOX and WEBKIT_DRIVER name them where they lie elsewhere.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/**
 * @typedef {object} Tab
 * @property {(url: string) => Promise<unknown>} goto
 * @property {(run: Function, argument?: any) => Promise<any>} evaluate runs a function in the page and gives its result
 * @property {() => Promise<void>} close ends the browser, with all that it kept
 */

const found = (paths) => paths.find((path) => path && existsSync(path));
const firefoxPath = found([process.env.FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"]);
const driverPath = found([process.env.WEBKIT_DRIVER, "/usr/bin/WebKitWebDriver"]);
const xvfbPath = found(["/usr/bin/Xvfb"]);

/** Engines of this machine by name, and why others are not among them. */
export const engines = {
  Firefox: firefoxPath ? openFirefox : "there is no Firefox on this machine (FIREFOX names one)",
  WebKitGTK: driverPath && miniBrowser() && (process.env.DISPLAY || xvfbPath)
    ? openWebKit
    : "there is no WebKitWebDriver with MiniBrowser and a display on this machine (Debian: webkit2gtk-driver, xvfb)",
};

/** @param {string} modules @returns {Promise<Tab>} */
async function openFirefox(modules) {
  const puppeteer = createRequire(join(modules, "x.js"))("puppeteer-core");
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: firefoxPath, headless: true, protocolTimeout: 300_000 });
  const page = await browser.newPage();
  return {
    goto: (url) => page.goto(url),
    evaluate: (run, argument) => page.evaluate(run, argument),
    close: () => browser.close(),
  };
}

function miniBrowser() {
  const libraries = existsSync("/usr/lib") ? readdirSync("/usr/lib").map((name) => join("/usr/lib", name)) : [];
  const folders = libraries.flatMap((folder) => ["webkit2gtk-4.1", "webkitgtk-6.0", "webkit2gtk-4.0"].map((name) => join(folder, name)));
  return found(folders.map((folder) => join(folder, "MiniBrowser")));
}

/** Milliseconds within which a browser comes up; on a busy machine one sometimes does not at all. */
const STARTS_WITHIN = 60_000;

/** @returns {Promise<Tab>} */
async function openWebKit() {
  for (let left = 2; ; left--) {
    const children = [];
    try {
      return await startWebKit(children);
    } catch (error) {
      // A child that lives would keep this process.
      for (const child of children) child.kill();
      if (left === 0) throw error;
    }
  }
}

/** @param {import("node:child_process").ChildProcess[]} children gets what is started @returns {Promise<Tab>} */
async function startWebKit(children) {
  const start = (program, ...rest) => children.push(spawn(program, ...rest));
  const env = { ...process.env };
  if (!env.DISPLAY) {
    env.DISPLAY = `:${200 + Math.floor(Math.random() * 1000)}`;
    start(xvfbPath, [env.DISPLAY, "-screen", "0", "1000x900x24", "-nolisten", "tcp"], { stdio: "ignore" });
  }
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  start(driverPath, [`--port=${port}`], { env, stdio: "ignore" });
  const call = async (method, path, body) => {
    const signal = path === "/session" ? AbortSignal.timeout(STARTS_WITHIN) : undefined;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body), signal });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
    return value;
  };
  await patiently(() => call("GET", "/status"));
  const options = { binary: miniBrowser(), args: ["--automation"] };
  const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": options, timeouts: { script: 300_000 } } };
  const { sessionId } = await call("POST", "/session", { capabilities });
  const session = `/session/${sessionId}`;
  return {
    goto: (url) => call("POST", `${session}/url`, { url }),
    async evaluate(run, argument) {
      const script = `const done = arguments[1];
        (async () => (${run})(arguments[0]))().then((value) => done({ value }), (e) => done({ error: String(e) }));`;
      const { value, error } = await call("POST", `${session}/execute/async`, { script, args: [argument ?? null] });
      if (error) throw new Error(error);
      return value;
    },
    async close() {
      await call("DELETE", session).catch(() => undefined);
      for (const child of children) child.kill();
    },
  };
}

/** Calls until it works: programs take a moment to start. */
async function patiently(work) {
  for (let left = 50; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
