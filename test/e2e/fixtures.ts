// What every e2e test stands on: a fresh provider, a private desktop of genuine parts, and the demo
// app started as a person would start it. There is no other way into the product: deep links come
// as the operating system sends them.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import type { Browser, Locator, Page } from '@playwright/test';
import { startWatchedApp } from '../../scripts/lab/app-process.mjs';
import type { WatchedApp } from '../../scripts/lab/app-process.mjs';
import { resolveElectron } from '../../scripts/electron/electron.mjs';
import { tabOf } from '../../scripts/lab/lab-browser.mjs';
import { startLab } from '../../scripts/lab/lab.mjs';
import type { Lab, LabOptions } from '../../scripts/lab/lab.mjs';
import { testKit } from '../../scripts/shared/test-kit.mjs';
import type { AttemptView, AuthView, RedirectKind } from '../../src/contract.js';
import type { PageSignInChoices, Provider, ProviderOptions } from '../../src/testing/index.js';

export { expect };
export type { AuthView, Lab, Provider, WatchedApp };

export const SCHEME = 'com.example.latchkey-demo';
/** The scheme of the packaged demo. */
export const RELEASE_SCHEME = 'com.example.latchkey-demo.release';
export const LOOPBACK = 'http://127.0.0.1/callback';

const SCHEMES = [SCHEME, RELEASE_SCHEME];

type SignedIn = Extract<AuthView, { status: 'signed-in' }>;

/** How an app is started. */
export interface Launch {
  readonly flags?: readonly string[];
  /** A packaged app instead of the repository's folder. */
  readonly executable?: string;
  /** Another folder than what the build has made. */
  readonly folder?: string;
}

/** The things of one test. All of it ends with the test. */
export interface Desk {
  readonly provider: Provider;
  readonly lab: Lab;
  /** Starts the app against the provider. */
  launch(options?: Launch): WatchedApp;
  /** The system browser; it is started when it does not run. */
  browser(): Promise<Browser>;
  /** The tab that shows the provider. */
  providerTab(path?: string): Promise<Page>;
  /** The scripted person goes through the provider's pages in the system browser. */
  person(choices?: PageSignInChoices): Promise<void>;
  /** Signs in by clicking, from the face that the app shows now, and waits until it is true. */
  signIn(app: WatchedApp): Promise<SignedIn>;
}

interface Options {
  labOptions: LabOptions;
  providerOptions: ProviderOptions;
}

export const test = base.extend<Options & { desk: Desk }, { electronPath: string }>({
  labOptions: [{}, { option: true }],
  providerOptions: [{}, { option: true }],
  electronPath: [
    async ({}, use) => {
      await use((await resolveElectron()).path);
    },
    { scope: 'worker', timeout: 300_000 },
  ],
  desk: async ({ labOptions, providerOptions, electronPath }, use, testInfo) => {
    const { startProvider, signInWithPage } = await testKit();
    const provider = await startProvider(providerOptions);
    const origin = new URL(provider.issuer).origin;
    const lab = await startLab({
      ...labOptions,
      allow: SCHEMES.map((scheme) => ({ origin, scheme })),
    });
    const apps: WatchedApp[] = [];

    const desk: Desk = {
      provider,
      lab,
      launch({ flags = [], executable, folder } = {}) {
        const app = startWatchedApp({
          electron: executable ?? electronPath,
          isRoot: lab.isRoot,
          owner: lab.owner,
          flags: [`--issuer=${provider.issuer}`, `--client-id=${provider.clientId}`, ...flags],
          ...(executable === undefined
            ? folder === undefined
              ? {}
              : { appFolder: folder }
            : { appFolder: null }),
        });
        apps.push(app);
        return app;
      },
      browser: () => lab.browser(),
      providerTab: async (path = '') => tabOf(await lab.browser(), `${origin}${path}`),
      async person(choices) {
        await signInWithPage(await desk.providerTab(), choices);
      },
      async signIn(app) {
        await lab.browser();
        const page = await app.firstWindow();
        await button(page, 'sign-in').click();
        await waiting(app);
        await desk.person();
        return signedIn(app);
      },
    };
    try {
      await use(desk);
      if (testInfo.status !== testInfo.expectedStatus) await keepEvidence(testInfo, apps);
    } finally {
      for (const app of apps) await app.end();
      await lab.stop();
      await provider.stop();
    }
  },
});

type DemoButton =
  | 'sign-in'
  | 'another-account'
  | 'retry'
  | 'reopen'
  | 'cancel'
  | 'switch'
  | 'sign-out'
  | 'another-window'
  | 'toggle-details'
  | 'other-way'
  | 'paste-instead'
  | 'continue'
  | 'copy-code';

/** A visible button of the demo. */
export function button(page: Page, action: DemoButton): Locator {
  return page.locator(`[data-testid="${action}"]:visible`);
}

export function waiting(app: WatchedApp): Promise<AuthView> {
  return app.waitForView(
    'the app to wait for the browser',
    (view) => view.status === 'signing-in' && view.attempt.stage === 'waiting',
  );
}

/** Waits until the newest way of the attempt is this one. */
export async function waitingBy(app: WatchedApp, redirect: RedirectKind): Promise<AttemptView> {
  const view = await app.waitForView(
    `the app to wait by ${redirect}`,
    (one) =>
      one.status === 'signing-in' &&
      one.attempt.stage === 'waiting' &&
      one.attempt.redirect === redirect,
  );
  if (view.status !== 'signing-in') throw new Error('the predicate holds');
  return view.attempt;
}

export async function signedIn(app: WatchedApp): Promise<SignedIn> {
  const view = await app.waitForView(
    'the app to be signed in',
    (one) => one.status === 'signed-in' && one.attempt === undefined,
    30_000,
  );
  if (view.status !== 'signed-in') throw new Error('the predicate holds');
  return view;
}

export async function signedOut(
  app: WatchedApp,
): Promise<Extract<AuthView, { status: 'signed-out' }>> {
  const view = await app.waitForView(
    'the app to be signed out',
    (one) => one.status === 'signed-out',
  );
  if (view.status !== 'signed-out') throw new Error('the predicate holds');
  return view;
}

/** How many times the provider was asked at this endpoint. */
export function requestsTo(provider: Provider, endpoint: string): number {
  return provider.requests.filter((request) => request.endpoint === endpoint).length;
}

/** Puts a script in the place of the browser, which only writes down what it was asked to open. */
export function recordBrowser({ lab }: Desk): () => string {
  const record = join(lab.root, 'opened');
  writeFileSync(join(lab.root, 'browser'), `#!/bin/sh\nprintf '%s\\n' "$1" >>'${record}'\n`);
  return () => {
    try {
      return readFileSync(record, 'utf8').trim();
    } catch {
      return '';
    }
  };
}

async function keepEvidence(
  testInfo: {
    outputPath(name: string): string;
    attach(name: string, options: { body: string; contentType: string }): Promise<void>;
  },
  apps: readonly WatchedApp[],
): Promise<void> {
  for (const [index, app] of apps.entries()) {
    await testInfo.attach(`app ${index + 1}: output`, {
      body: app.output(),
      contentType: 'text/plain',
    });
    const pages = app.child.exitCode === null ? await app.windows().catch(() => []) : [];
    for (const [number, page] of pages.entries()) {
      await page
        .screenshot({
          path: testInfo.outputPath(`app-${index + 1}-window-${number + 1}.png`),
          timeout: 5_000,
        })
        .catch(() => undefined);
    }
  }
}
