// What the demo's timeline tells from one view to the next.
import { describe, expect, it } from 'vitest';
import type { AuthView, RenewalView } from '../../../src/contract.js';
import { describeChange, extendTimeline } from '../../../src/renderer/demo/timeline.js';
import { MINUTE, NOW, errorOf, signedIn, signedOut, signingIn } from '../../support/demo-views.js';

describe('the timeline of the demo', () => {
  it('tells a whole sign-in in order, newest first', () => {
    const trip: AuthView[] = [
      { status: 'starting' },
      signedOut,
      signingIn('preparing'),
      signingIn('waiting'),
      signingIn('redeeming'),
      signedIn(),
    ];
    const entries = trip.reduce(
      (kept: ReturnType<typeof extendTimeline>, view, index) =>
        extendTimeline(kept, trip[index - 1] ?? null, view, NOW),
      [],
    );
    expect(entries.map(({ text }) => text)).toEqual([
      'Signed in as Ada Lovelace.',
      'The callback came; main redeems its code.',
      'Waiting for the browser, which answers by loopback.',
      'An attempt began, with fresh secrets.',
      'Nothing to restore.',
      'The window opened.',
    ]);
  });

  it('tells each way of one attempt once, and who answered', () => {
    const ways = [
      signingIn('waiting', { redirect: 'custom-scheme', otherWay: 'loopback' }),
      signingIn('waiting', { redirect: 'custom-scheme' }),
      signingIn('preparing'),
      signingIn('waiting', { redirect: 'loopback' }),
      signingIn('waiting', { redirect: 'device-code' }),
      signingIn('waiting', { redirect: 'paste' }),
    ];
    expect(ways.map((view, index) => describeChange(ways[index - 1] ?? signedOut, view))).toEqual([
      'Waiting for the browser, which answers by custom scheme.',
      null,
      'Another way is being opened; what is open stays open.',
      'Waiting for the browser, which answers by loopback.',
      'Waiting for the code to be typed; main asks the provider every few seconds.',
      'Waiting for the browser’s answer to be pasted.',
    ]);
    expect(
      describeChange(ways[4] ?? null, signingIn('redeeming', { redirect: 'device-code' })),
    ).toBe('The provider said yes; its tokens are checked.');
  });

  it('is silent about a view that tells nothing new', () => {
    for (const view of [signedOut, signingIn('waiting'), signedIn()])
      expect(describeChange(view, { ...view })).toBeNull();
  });

  it('gives the reason of every end and every trouble', () => {
    const waiting: RenewalView = {
      state: 'waiting',
      since: NOW,
      expiresAt: NOW,
      nextTryAt: NOW,
      error: errorOf('server-unavailable'),
    };
    const renewed: RenewalView = {
      state: 'fresh',
      since: NOW,
      expiresAt: NOW + 10 * MINUTE,
      renewAt: null,
    };
    const ended: AuthView = {
      status: 'signed-out',
      reason: 'ended',
      error: errorOf('session-ended', 'invalid_grant'),
    };
    expect(describeChange(signedIn(), ended)).toBe(
      'The provider ended the session: session-ended (invalid_grant).',
    );
    expect(describeChange(signedIn(), { status: 'signed-out', reason: 'signed-out' })).toBe(
      'Signed out: the keychain entry is gone.',
    );
    expect(describeChange(signingIn('waiting'), signedOut)).toBe('The attempt was cancelled.');
    expect(describeChange(signedIn(), signedIn({ renewal: waiting }))).toBe(
      'Renewal failed: server-unavailable. Still signed in.',
    );
    expect(describeChange(signedIn(), signedIn({ renewal: renewed }))).toBe(
      'Renewed: a new access token for 10 min.',
    );
    expect(
      describeChange(
        { status: 'starting' },
        { status: 'locked', error: errorOf('keyring-locked') },
      ),
    ).toContain('keyring-locked');
    expect(describeChange(signedIn(), signedIn({ error: errorOf('keyring-unavailable') }))).toBe(
      'Trouble: keyring-unavailable.',
    );
  });

  it('keeps no more than the last twenty entries', () => {
    let entries: ReturnType<typeof extendTimeline> = [];
    for (let turn = 0; turn < 30; turn += 1)
      entries = extendTimeline(
        entries,
        turn % 2 === 0 ? null : signingIn('waiting'),
        signedOut,
        NOW + turn,
      );
    expect(entries).toHaveLength(20);
    expect(entries[0]?.at).toBe(NOW + 29);
  });
});
