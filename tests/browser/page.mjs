// SPDX-License-Identifier: LGPL-2.1-or-later
// A browser at the end of two pipes: one request a line, one answer a line.
//
//   node page.mjs chromium|firefox EXECUTABLE PAGE [ARGUMENT...]
//
// Requests: {"id", "call": NAME, "args": [...]}: a function of the page;
// {"id", "do": "open"|"close"|"screenshot"|"quit", "path"}.
// Chromium is driven by playwright-core, which NODE_PATH leads to; Debian's
// Firefox, which is not the one that playwright patches, by WebDriver BiDi.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [kind, executable, file, ...args] = process.argv.slice (2);
const html = readFileSync (file, "utf8");
// A secure context, or there is no camera; nobody is asked for it.
const url = "https://page.test/";
const require = createRequire (join (process.env.NODE_PATH || ".", "x.js"));

async function chromium () {
  const { chromium } = require ("playwright-core");
  const browser = await chromium.launch ({ executablePath: executable, headless: true,
    args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", ...args] });
  const context = await browser.newContext ({ ignoreHTTPSErrors: true });
  let page;
  return {
    async open () {
      page = await context.newPage ();
      if (!process.env.PAGE_URL)
        await page.route ("**/*", route => route.request ().url () == url
          ? route.fulfill ({ contentType: "text/html", body: html }) : route.abort ());
      page.on ("pageerror", error => console.error ("page:", error.message));
      await page.goto (process.env.PAGE_URL || url);
    },
    close: () => page.close (),
    screenshot: path => page.screenshot ({ path }),
    call: (name, args) => page.evaluate (({ name, args }) =>
      Promise.resolve (Function ("return " + name) () (...args)), { name, args }),
    quit: () => browser.close (),
  };
}

async function firefox () {
  const WebSocket = globalThis.WebSocket || require ("playwright-core/lib/utilsBundle").ws;
  const profile = mkdtempSync (join (tmpdir (), "gst-ice-firefox-"));
  writeFileSync (join (profile, "user.js"), `
    user_pref ("media.navigator.streams.fake", true);
    user_pref ("media.navigator.permission.disabled", true);
    ${process.env.PAGE_PREFS || ""}`);
  const child = spawn (executable, ["--headless", "--no-remote", "--profile", profile,
    "--remote-debugging-port=0", ...args], { stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise ((resolve, reject) => {
    createInterface ({ input: child.stderr }).on ("line", line => {
      const found = line.match (/WebDriver BiDi listening on (ws:\/\/\S+)/);
      if (found) resolve (found[1]);
    });
    child.on ("exit", () => reject (new Error ("firefox ended")));
  });
  const socket = new WebSocket (address + "/session");
  await new Promise ((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
  let last = 0, tab;
  const waiting = new Map ();
  socket.onmessage = event => {
    const message = JSON.parse (event.data);
    const settle = waiting.get (message.id);
    waiting.delete (message.id);
    if (settle)
      message.type == "error" ? settle[1] (new Error (message.message)) : settle[0] (message.result);
  };
  const ask = (method, params) => new Promise ((resolve, reject) => {
    waiting.set (++last, [resolve, reject]);
    socket.send (JSON.stringify ({ id: last, method, params }));
  });
  await ask ("session.new", { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
  const evaluate = async expression => {
    const result = await ask ("script.evaluate", { expression: `(async () => JSON.stringify ((await ${expression}) ?? null)) ()`,
      target: { context: tab }, awaitPromise: true });
    if (result.type == "exception")
      throw new Error (result.exceptionDetails.text);
    return JSON.parse (result.result.value);
  };
  return {
    async open () {
      tab = (await ask ("browsingContext.create", { type: "tab" })).context;
      await ask ("browsingContext.navigate", { context: tab, wait: "complete",
        url: process.env.PAGE_URL || "file://" + file });
    },
    close: () => ask ("browsingContext.close", { context: tab }),
    async screenshot (path) {
      const shot = await ask ("browsingContext.captureScreenshot", { context: tab });
      writeFileSync (path, Buffer.from (shot.data, "base64"));
    },
    call: (name, args) => evaluate (`(${name}) (...${JSON.stringify (args)})`),
    async quit () {
      socket.close ();
      child.kill ();
      await new Promise (resolve => child.on ("exit", resolve));
      rmSync (profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const browser = await (kind == "firefox" ? firefox () : chromium ());
console.log (JSON.stringify ({ id: 0, result: "ready" }));

for await (const line of createInterface ({ input: process.stdin })) {
  const request = JSON.parse (line);
  try {
    const result = request.call
      ? await browser.call (request.call, request.args || [])
      : await browser[request.do] (request.path);
    console.log (JSON.stringify ({ id: request.id, result: request.call ? result ?? null : null }));
  } catch (error) {
    console.log (JSON.stringify ({ id: request.id, error: String (error) }));
  }
  if (request.do == "quit")
    process.exit (0);
}
await browser.quit ();
