// @ts-check
// A host app in a real Electron in which a person is signed in, and pages of every kind try to get
// something of that. Tells in one line what each of them got. Started by e2e/hostile-pages.spec.ts,
// which is the person.
/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-deprecated -- one host for Electron 33 and later, without types of its own */
import { join } from 'node:path';
import { app, BrowserWindow, session } from 'electron';
import { documents, open } from './documents.mjs';
import { floods } from './floods.mjs';
import { REQUESTS } from './requests.mjs';
import { serve } from './server.mjs';
import { trials } from './trials.mjs';

/** @typedef {import('electron').WebFrameMain} Frame */

const { createAuth } = /** @type {typeof import('../../../src/main/index.js')} */ (
  await import(String(process.env['LATCHKEY_MAIN']))
);
const web = await serve();
/** How often each event was logged. @type {Record<string, number>} */
const logged = {};
const auth = createAuth({
  issuer: String(process.env['LATCHKEY_ISSUER']),
  clientId: String(process.env['LATCHKEY_CLIENT']),
  redirects: ['http://127.0.0.1/callback'],
  secretStore: 'memory',
  trustedOrigins: [web.trusted],
  apis: { notes: { origin: web.api } },
  onLog({ event }) {
    logged[event] = (logged[event] ?? 0) + 1;
  },
});
const status = () => auth.getView().status;

/** The view changes twice, and stays what it was. */
async function change() {
  await auth.signIn({ open: () => void auth.cancelSignIn() }).catch(() => undefined);
}

/** What a document got by all that it tried. @param {Frame} frame */
async function attack(frame) {
  const code = `(async () => {
    const soon = (answer) =>
      Promise.race([answer, new Promise((resolve) => setTimeout(() => resolve('none'), 3000))]);
    const replies = {};
    const got = { bridge: typeof latchkey, view: raw.view(true), replies };
    const all = Object.entries(${JSON.stringify(REQUESTS)}).map(async ([name, [channel, values]]) => {
      raw.others(channel, values[0]);
      const reply = await soon(raw.invoke(channel, values).catch(String));
      replies[name] = reply.ok === false ? reply.error.code : reply;
    });
    await Promise.all(all);
    return got;
  })()`;
  const got = /** @type {object} */ (await frame.executeJavaScript(code, true));
  await change();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const heard = await frame.executeJavaScript('raw.heard()', true);
  return { ...got, heard, origin: frame.origin, status: status() };
}

void app.whenReady().then(async () => {
  const preload = join(app.getAppPath(), 'raw-preload.cjs');
  session.defaultSession.setPreloads([...session.defaultSession.getPreloads(), preload]);
  app.on('window-all-closed', () => undefined);
  await auth.signIn({ open: (url) => console.log(JSON.stringify({ open: url })) });
  await auth.fetch(`${web.api}/own`);
  console.log(JSON.stringify({ begins: true }));

  /** @type {Record<string, unknown>} */
  const said = {};
  /** @param {string} name @param {() => Promise<unknown>} judge */
  const note = async (name, judge) => {
    console.log(`trying ${name} …`);
    said[name] = await judge().catch(String);
    for (const one of BrowserWindow.getAllWindows()) one.destroy();
  };
  for (const [name, opening] of Object.entries(documents(web)))
    await note(name, async () => attack(await opening()));
  for (const [name, judge] of Object.entries({ ...trials(web, change), ...floods(web, logged) }))
    await note(name, async () => ({ ...(await judge()), status: status() }));
  console.log(JSON.stringify({ ends: true }));
  // Last, for it signs out: the attack is one that a trusted page can make.
  await note('a trusted page', async () => attack((await open(`${web.trusted}/`)).mainFrame));
  console.log(JSON.stringify({ said, api: web.asked(), told: web.told(), logged }));
  await auth.stop();
  app.exit(0);
});
