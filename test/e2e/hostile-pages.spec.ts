// Hostile pages in a real Electron, while a person is signed in: none learns anything, signs in or
// out, or makes the app stand still. What a document is allowed to is decided in frames.spec.ts;
// here each tries every message, and more than messages. The host is support/hostile-host.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { build } from '../../scripts/build.mjs';
import { resolveElectron } from '../../scripts/electron/electron.mjs';
import { APP_FOLDER, ROOT_FOLDER, appCommand } from '../../scripts/lab/app-process.mjs';
import { startLab } from '../../scripts/lab/lab.mjs';
import { testKit } from '../../scripts/shared/test-kit.mjs';
import { EMPTY, MALFORMED, REQUESTS } from '../support/hostile-host/requests.mjs';
import { expect, test } from './fixtures.js';

interface Told {
  readonly from: string;
  readonly got: readonly unknown[];
}
interface Flood {
  readonly sent: number;
  readonly done: number;
  readonly tookMs: number;
  /** Of the main process: half, 99 of 100, and the longest. */
  readonly delayMs: readonly [number, number, number];
  readonly honest: { readonly answers: number; readonly slowestMs: number };
  readonly logged: number;
}

test.describe.configure({ mode: 'default', timeout: 120_000 });

const NAMES = Object.keys(REQUESTS);
const REFUSED = Object.fromEntries(NAMES.map((name) => [name, 'page-refused']));
let said: Readonly<Record<string, object | string>>;
let api: readonly string[];
let logged: Readonly<Record<string, number>>;
let output = '';
/** What the provider and the browser were asked while the hostile pages tried. */
let asked: readonly string[];
let secrets: readonly string[];

test.beforeAll(async () => {
  test.setTimeout(600_000);
  await build({ ifNeeded: true });
  const electron = await resolveElectron();
  const { startProvider, createPerson } = await testKit();
  const provider = await startProvider({ redirectUris: ['http://127.0.0.1/callback'] });
  const lab = await startLab({ keyring: 'none' });
  try {
    const opened = join(lab.root, 'opened');
    writeFileSync(join(lab.root, 'browser'), `#!/bin/sh\necho "$1" >>'${opened}'\n`);
    const elsewhere = join(lab.root, 'elsewhere.html');
    writeFileSync(elsewhere, '<!doctype html><body>a file elsewhere');
    const [program = '', ...args] = appCommand({
      electron: electron.path,
      appFolder: join(ROOT_FOLDER, 'test', 'support', 'hostile-host'),
      isRoot: lab.isRoot,
      flags: [],
    });
    const host = spawn(program, args, {
      ...lab.owner,
      env: {
        ...lab.env,
        LATCHKEY_MAIN: pathToFileURL(join(APP_FOLDER, 'main', 'index.js')).href,
        LATCHKEY_ISSUER: provider.issuer,
        LATCHKEY_CLIENT: provider.clientId,
        LATCHKEY_ELSEWHERE: elsewhere,
      },
      timeout: 540_000,
      killSignal: 'SIGKILL',
    });
    host.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const traces = (): readonly string[] => [
      ...provider.requests.map(({ endpoint }) => endpoint ?? 'another'),
      ...(existsSync(opened) ? readFileSync(opened, 'utf8').trim().split('\n') : []),
    ];
    let before = 0;
    for await (const line of createInterface({ input: host.stdout })) {
      output += `${line}\n`;
      if (!line.startsWith('{"')) continue;
      const words = JSON.parse(line) as Record<string, unknown>;
      if (typeof words['open'] === 'string')
        await createPerson().signIn(words['open'], { login: 'ada', visit: true });
      if ('begins' in words) before = traces().length;
      if ('ends' in words) asked = traces().slice(before);
      if ('said' in words) ({ said, api, logged } = words as never);
    }
    secrets = provider.issued.map(({ value }) => value);
  } finally {
    await provider.stop();
    await lab.stop();
  }
  expect(said, output).toBeDefined();
});

test('a trusted page gets an answer to each message of the attack, the view, and its changes', () => {
  const { replies, ...got } = said['a trusted page'] as { replies: Record<string, unknown> };
  expect(got).toMatchObject({ bridge: 'object', view: { status: 'signed-in' } });
  expect(got).toMatchObject({ status: 'signed-out' });
  expect(replies).toEqual({
    signIn: 'sign-in-cancelled',
    cancelSignIn: { ok: true },
    reopenBrowser: { ok: true },
    tryAnotherWay: { ok: true },
    pasteCallback: 'callback-invalid',
    switchAccount: 'signed-out',
    retry: { ok: true },
    signOut: { ok: true },
  });
});

/** Every document, and the origin that shows that it is the one which the test means. */
for (const [name, origin] of [
  ['another origin', /^http:\/\/localhost/],
  ['another port of the same site', /^http:\/\/127/],
  ['another origin with Node and without isolation', /^http:\/\/localhost/],
  ['an address of two megabytes', /^http:\/\/localhost/],
  ['a page that its server sandboxes', /^null$/],
  ['about:blank', /^null$/],
  ['data:', /^null$/],
  ['blob: of a trusted page', /^http:\/\/127/],
  ['a popup of a trusted page on another origin', /^http:\/\/localhost/],
  ['a frame of another origin', /^http:\/\/localhost/],
  ['a frame of the same origin', /^http:\/\/127/],
  ['a frame with srcdoc', /^http:\/\/127/],
  ['a frame in a sandbox', /^null$/],
  ['a frame of a trusted page inside a stranger', /^http:\/\/127/],
  ['a stranger in a <webview> of a trusted page', /^http:\/\/localhost/],
  ['a stranger in a <webview> with Node', /^http:\/\/localhost/],
  ['a trusted page in a <webview> of a stranger', /^http:\/\/127/],
  ['a file elsewhere', /^file:\/\/$/],
  ['a trusted address that is redirected', /^http:\/\/localhost/],
  ['a trusted page whose script leads elsewhere', /^http:\/\/localhost/],
  ['a trusted page that is refreshed to elsewhere', /^http:\/\/localhost/],
  ['a stranger after a trusted page', /^http:\/\/localhost/],
] as const)
  test(`is refused everything, and hears nothing: ${name}`, () => {
    expect(said[name]).toEqual({
      bridge: 'undefined',
      view: null,
      replies: REFUSED,
      heard: [],
      origin: expect.stringMatching(origin) as unknown,
      status: 'signed-in',
    });
  });

for (const name of [
  'a stranger that asks and leaves for a trusted page',
  'a neighbour that asks and leaves for a trusted page',
])
  test(`gets nothing, not even while it goes: ${name}`, () => {
    const { told, status } = said[name] as { told: readonly string[]; status: string };
    const reports = told.map((text) => JSON.parse(text) as Told);
    // From the document itself, and from its last events.
    expect(reports.length).toBeGreaterThan(30);
    expect(reports.filter(({ got }) => got[0] !== null)).toEqual([]);
    expect(status).toBe('signed-in');
  });

test('a page that asks and leaves does not leave an answer or a view to the next one', () => {
  expect(said['a trusted page that asks and leaves for a neighbour']).toEqual({
    heard: Array.from({ length: 15 }, () => 0),
    status: 'signed-in',
  });
});

test('a service worker has no way to main, whatever its origin', () => {
  expect(said['workers of a trusted page and of a stranger']).toEqual({
    seen: { trusted: [], stranger: [] },
    status: 'signed-in',
  });
});

test('each malformed value of a trusted page ends in a documented code, and changes nothing', () => {
  const { odd, views, status } = said['malformed values of a trusted page'] as {
    odd: Record<string, string>;
    views: readonly string[];
    status: string;
  };
  const codes = (call: string): (string | undefined)[] => [
    ...new Set(Object.keys(odd).flatMap((key) => (key.startsWith(`${call} `) ? [odd[key]] : []))),
  ];
  expect(Object.keys(odd)).toHaveLength(4 * MALFORMED.length + 3 * EMPTY.length);
  expect(codes('signIn')).toEqual(['invalid-options']);
  expect(codes('pasteCallback')).toEqual(['callback-invalid']);
  // A text that is no account of this app.
  expect(codes('switchAccount').sort()).toEqual(['invalid-options', 'signed-out']);
  expect(codes('signOut').sort()).toEqual(['invalid-options', '{"ok":true}']);
  expect(views).toEqual(Array.from({ length: 6 }, () => 'object'));
  expect(status).toBe('signed-in');
});

for (const [name, isTrusted] of [
  ['a flood of another origin', false],
  ['a flood of an address of two megabytes', false],
  ['a flood of a file elsewhere', false],
  ['a flood of a frame inside of a trusted page', false],
  ['a flood of a trusted page', true],
] as const)
  test(`10,000 messages a second do not keep the app from its work: ${name}`, () => {
    const { sent, done, tookMs, delayMs, honest, logged: lines } = said[name] as Flood;
    console.log(
      `${name}: ${sent} messages in ${tookMs} ms; delay of the event loop: half ${delayMs[0]} ms, 99 % ${delayMs[1]} ms, longest ${delayMs[2]} ms; a trusted page waited ${honest.slowestMs} ms at most`,
    );
    expect(said[name]).toMatchObject({ status: 'signed-in' });
    expect(sent).toBeGreaterThanOrEqual(10_000);
    expect(done).toBe(isTrusted ? sent : 0);
    expect(honest.answers).toBeGreaterThan(0);
    expect(tookMs).toBeLessThan(60_000);
    expect(lines).toBeLessThan(5);
  });

test('nobody was asked anything for a hostile page: neither the provider, nor the browser, nor an API', () => {
  expect(asked).toEqual([]);
  // The host's own request shows that the API would have been heard.
  expect(api).toEqual(['/own with a token']);
});

test('no secret of the run is in anything that a page got, nor in what the app wrote', () => {
  expect(secrets.length).toBeGreaterThan(3);
  const everything = JSON.stringify(said) + output;
  expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  expect(logged['page-refused']).toBeLessThanOrEqual(32);
});
