// @ts-check
// What the storm rages on: a strict provider, a private desktop with a genuine keyring and genuine
// scheme handling, and the demo app. The system browser is a script that notes the address; a
// scripted person goes there by HTTP and brings the callback by xdg-open, which is all that the app
// sees of a browser.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endHelpers, startWatchedApp } from '../lab/app-process.mjs';
import { startLab } from '../lab/lab.mjs';
import { ended, sessionMembers, signal } from '../shared/processes.mjs';
import { openKeyring } from './soak-keyring.mjs';
import { testKit } from '../shared/test-kit.mjs';

const APP_NAME = 'Latchkey Demo';
const POLL_MS = 2;

/** @typedef {import('../../src/testing/index.js').Provider} Provider */
/** @typedef {import('../../src/testing/index.js').RequestRecord} RequestRecord */
/** @typedef {import('../lab/app-process.mjs').WatchedApp} WatchedApp */
/** @typedef {{ accounts: { id: string, record: string }[], attempts?: { id: string, claimed?: boolean }[] }} StateFile */
/** @typedef {Awaited<ReturnType<typeof startSoakDesk>>} SoakDesk */

/** @param {string} electron */
export async function startSoakDesk(electron) {
  const { createPerson, startProvider } = await testKit();
  const provider = await startProvider({ accessTokenSeconds: 2 });
  const lab = await startLab();
  const folder = join(lab.home, '.config', APP_NAME);
  const openedFile = join(lab.root, 'opened');
  const browser = join(lab.root, 'browser');
  writeFileSync(openedFile, '');
  writeFileSync(browser, `#!/bin/sh\nprintf '%s\\n' "$1" >>'${openedFile}'\n`);
  chmodSync(browser, 0o755);
  const keyring = await openKeyring({
    env: lab.env,
    service: `latchkey:${APP_NAME}`,
    clientId: provider.clientId,
  });
  const person = createPerson();
  /**
   * The heads of the sessions in which an app may run. @type
   * {Set<import('node:child_process').ChildProcess>}
   */
  const heads = new Set();
  let opened = 0;

  return {
    provider,
    keyring,
    /** @param {readonly string[]} [flags] */
    launch(flags = []) {
      const app = startWatchedApp({
        electron,
        isRoot: lab.isRoot,
        owner: lab.owner,
        flags: [`--issuer=${provider.issuer}`, `--client-id=${provider.clientId}`, ...flags],
      });
      heads.add(app.child);
      return app;
    },
    /** The address that the app gave to the system browser since the last call. */
    async nextOpened() {
      return until('the app opened the browser', 15_000, () => {
        const addresses = readFileSync(openedFile, 'utf8').split('\n').slice(0, -1);
        if (addresses.length <= opened) return undefined;
        opened = addresses.length;
        return addresses.at(-1);
      });
    },
    /** Nobody goes to what was opened so far. */
    forgetOpened() {
      opened = readFileSync(openedFile, 'utf8').split('\n').length - 1;
    },
    /** @param {string} address */
    visit: async (address) => (await person.signIn(address)).callbackUrl,
    /** As a browser does it: reaches the app that runs, or starts one. @param {string} url */
    openLink(url) {
      const child = spawn('xdg-open', [url], { ...lab.owner, detached: true, stdio: 'ignore' });
      heads.add(child);
    },
    /**
     * Every app at once, with its helpers, by SIGKILL. Resolves when nothing is left; answers when
     * it was.
     */
    async kill() {
      const killedAt = Date.now();
      // One call for each group: no helper outlives the app by more than the kernel needs.
      for (const head of heads) if (head.pid !== undefined) signal(-head.pid, 'SIGKILL');
      for (const head of heads) {
        for (const member of sessionMembers(head.pid ?? 0, electron)) signal(member, 'SIGKILL');
        await ended(head);
        await endHelpers(head.pid ?? 0, electron);
      }
      heads.clear();
      return killedAt;
    },
    /** @returns {{ state: StateFile | null, damage: readonly string[] }} */
    files() {
      const file = join(folder, 'latchkey.json');
      const setAside = existsSync(folder)
        ? readdirSync(folder).filter((name) => name.includes('.corrupt-'))
        : [];
      if (!existsSync(file)) return { state: null, damage: setAside };
      try {
        const parsed = /** @type {unknown} */ (JSON.parse(readFileSync(file, 'utf8')));
        return { state: /** @type {StateFile} */ (parsed), damage: setAside };
      } catch {
        return { state: null, damage: [...setAside, 'latchkey.json does not parse'] };
      }
    },
    async stop() {
      keyring.close();
      await lab.stop();
      await provider.stop();
    },
  };
}

/**
 * @template T
 * @param {string} what
 * @param {number} limitMs
 * @param {() => T | undefined | Promise<T | undefined>} probe
 * @returns {Promise<T>}
 */
export async function until(what, limitMs, probe) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const result = await probe();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs / 1000} s until ${what}`);
    await pause(POLL_MS);
  }
}

/** @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
