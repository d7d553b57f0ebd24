// Entry latchkey/react: `latchkey/renderer` as a hook and two components. Runs in a page, or where
// a page is rendered before: may import React and the renderer only.
import { Fragment, createElement, useMemo, useSyncExternalStore } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { auth } from './index.js';
import type { AuthApi, PageView, SignedInView, StartingView } from '../contract.js';

export { auth, isAuthFailure } from './index.js';
export type * from '../contract.js';

/** The view now, and the calls of `auth`. The same object until the view changes. */
export type ReactAuth = Omit<AuthApi, 'getSnapshot' | 'subscribe'> & { readonly view: PageView };

/** The view while nobody is signed in, or before it is known who is. */
export type SignedOutPageView = Exclude<PageView, SignedInView | StartingView>;

/** What is shown: a function gets the view, which then has no other status. */
export type AuthChildren<View> = ReactNode | ((view: View) => ReactNode);

const STARTING: StartingView = Object.freeze({ status: 'starting' });
const { getSnapshot, subscribe, ...calls } = auth;

/**
 * What a server renders, and a page before it has a view: nobody knows yet who is signed in. Always
 * the same object. For a `useSyncExternalStore` of your own.
 */
export const getServerSnapshot = (): PageView => STARTING;

/** Draws the component again when the view changes, and only then. Needs no provider around it. */
export function useAuth(): ReactAuth {
  const view = useSyncExternalStore(subscribe, getSnapshot, getServerSnapshot);
  return useMemo(() => ({ ...calls, view }), [view]);
}

/** Shows its children while somebody is signed in. It hides them; it protects nothing. */
export function SignedIn(props: { children?: AuthChildren<SignedInView> }): ReactElement | null {
  const { view } = useAuth();
  return view.status === 'signed-in' ? show(props.children, view) : null;
}

/**
 * Shows its children in every other status but `starting`: the place of your button. Also while
 * somebody signs in, and when the keyring is locked or the page has no bridge.
 */
export function SignedOut(props: {
  children?: AuthChildren<SignedOutPageView>;
}): ReactElement | null {
  const { view } = useAuth();
  return view.status === 'signed-in' || view.status === 'starting'
    ? null
    : show(props.children, view);
}

function show<View>(children: AuthChildren<View>, view: View): ReactElement {
  return createElement(Fragment, null, typeof children === 'function' ? children(view) : children);
}
