// A page that uses latchkey/react, as a text: a host's tools type-check it and bundle it, on each
// React that Latchkey names. Instead of the preload's, its bridge is one that a test can push by.

/** Beside it in the bundle: `auth` as it is, but for a count of who listens. */
export const COUNTED = `
import { auth as real, isAuthFailure } from 'latchkey/renderer';
export { isAuthFailure };
globalThis.listening = 0;
export const auth = { ...real, subscribe(listener) {
  const stop = real.subscribe(listener);
  globalThis.listening += 1;
  return () => { globalThis.listening -= 1; stop(); };
} };
`;

export const PAGE = `
import { StrictMode, useEffect, useState, type ReactNode } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import {
  getServerSnapshot, SignedIn, SignedOut, useAuth,
  type AuthBridge, type AuthReply, type AuthView,
} from 'latchkey/react';

const asked: unknown[][] = [];
const listeners = new Set<(view: AuthView) => void>();
let latest: AuthView | null = null;
const ok = (name: string) => async (...values: unknown[]): Promise<AuthReply> => {
  asked.push([name, ...values]);
  return { ok: true };
};
const bridge: AuthBridge = {
  openRequest: () => () => undefined,
  initialView: { status: 'starting' },
  onView(listener) {
    listeners.add(listener);
    if (latest !== null) listener(latest);
    return () => listeners.delete(listener);
  },
  signIn: ok('signIn'), signOut: ok('signOut'), retry: ok('retry'), cancelSignIn: ok('cancelSignIn'),
  reopenBrowser: ok('reopenBrowser'), tryAnotherWay: ok('tryAnotherWay'),
  pasteCallback: ok('pasteCallback'), switchAccount: ok('switchAccount'),
};
Object.assign(window, { latchkey: bridge });

const counts = { renders: 0, effects: 0, recovered: 0 };
let again = (): void => undefined;

function Counted({ children }: { children?: ReactNode }) {
  const auth = useAuth();
  const [, setRound] = useState(0);
  again = () => setRound((round) => round + 1);
  counts.renders += 1;
  useEffect(() => { counts.effects += 1; }, [auth]);
  const { view, signIn } = auth;
  return <button onClick={() => void signIn({ prompt: 'login' })}>{view.status}{children}</button>;
}

export function Both() {
  return (
    <>
      <SignedIn>in </SignedIn>
      <SignedIn>{({ account }) => account.subject}</SignedIn>
      <SignedOut>out </SignedOut>
      <SignedOut>{(view) => view.status}</SignedOut>
    </>
  );
}

export function Wrong() {
  // @ts-expect-error nobody is signed in there
  return <SignedOut>{(view) => view.account.subject}</SignedOut>;
}

const roots = new Map<string, { element: HTMLElement; unmount: () => void }>();
const kinds = { counted: <Counted />, both: <Both />, strict: <StrictMode><Counted /><Both /></StrictMode> };

const lab = {
  counts,
  asked,
  push(view: AuthView) {
    latest = view;
    for (const listener of listeners) listener(structuredClone(view));
  },
  again: () => again(),
  mount(name: string, kind: keyof typeof kinds) {
    const element = document.body.appendChild(document.createElement('div'));
    const root = createRoot(element);
    root.render(kinds[kind]);
    roots.set(name, { element, unmount: () => root.unmount() });
  },
  server: (kind: keyof typeof kinds) => renderToString(kinds[kind]),
  hydrate(name: string, kind: keyof typeof kinds) {
    const element = document.body.appendChild(document.createElement('div'));
    element.innerHTML = renderToString(kinds[kind]);
    const root = hydrateRoot(element, kinds[kind], {
      onRecoverableError: () => { counts.recovered += 1; },
    });
    roots.set(name, { element, unmount: () => root.unmount() });
  },
  unmount(name: string) { roots.get(name)?.unmount(); },
  text: (name: string) => roots.get(name)?.element.textContent,
  isStable: () => getServerSnapshot() === getServerSnapshot(),
};
export type Lab = typeof lab;
Object.assign(window, { lab: () => lab });
`;
