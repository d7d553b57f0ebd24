// @ts-check The storm: a real app is started, killed with SIGKILL at a drawn moment, judged, and
// started again, over and over. If a session is lost with a proof, the scripted person signs in
// again. Any other loss is a failure.
import { inspect, proveInFlight } from './soak-judge.mjs';
import { pause, startSoakDesk, until } from './soak-desk.mjs';
import { drawInSession, drawInSignIn, seeded, within } from './soak-moments.mjs';

const LIMIT_MS = 20_000;
/** Tokens of this length are split over several entries of the keyring. */
const LONG_TOKEN = 'long'.repeat(800);
const ALARMS = /latchkey: (record-|keyring-|state-file|internal)\S*/;

/**
 * `outcome` of a kill: the session was kept or lost, was still to be begun (`none`), the sign-in
 * was cut off while its answer was in flight (`cut off`), or was finished after the kill
 * (`outlived`).
 * @typedef {{ number: number, moment: string, outcome: 'kept' | 'lost' | 'none' | 'cut off' |
 *   'outlived', words: string }} Kill
 */

/**
 * `failures`: what nothing excuses. `renewals`: those that were answered. `refused`: losses that
 * the provider has confirmed.
 * @typedef {{ seed: number, kills: readonly Kill[], failures: readonly string[], renewals: number,
 *   refused: number, seconds: number }} Report
 */

/** @typedef {import('./soak-moments.mjs').Moment} Moment */
/** @typedef {import('./soak-judge.mjs').Finding} Finding */

/**
 * @param {{ electron: string, kills: number, seed: number, onKill?: (kill: Kill) => void }} options
 * @returns {Promise<Report>}
 */
export async function rage({ electron, kills: wanted, seed, onKill }) {
  const startedAt = Date.now();
  const random = seeded(seed);
  const desk = await startSoakDesk(electron);
  const { provider } = desk;
  /** @type {Kill[]} */
  const kills = [];
  /** @type {string[]} */
  const failures = [];
  /** `lost`: proven by the keyring; the provider has not been asked yet. */
  let session = /** @type {'none' | 'kept' | 'lost'} */ ('none');
  let refused = 0;
  /** @type {import('../lab/app-process.mjs').WatchedApp} */
  let app;
  let since = 0;

  try {
    while (kills.length < wanted) {
      if (session === 'none') await signInRound(drawInSignIn(random));
      else if (session === 'kept') await sessionRound(drawInSession(random));
      else await refusedRound();
    }
    // The last word on the last kill.
    if (session === 'kept')
      await sessionRound({ name: 'any time', after: 'session', delayMs: 0, slowMs: 0 }, false);
    if (session === 'lost') await refusedRound();
    if (
      provider.requests.some(
        ({ grantType, status }) => grantType === 'authorization_code' && status !== 200,
      )
    )
      failures.push('a code was posted twice');
  } catch (thrown) {
    failures.push(
      `the storm itself ended: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  } finally {
    await desk.kill();
    await desk.stop();
  }
  const renewals = provider.requests.filter(
    ({ grantType, status }) => grantType === 'refresh_token' && status === 200,
  ).length;
  return { seed, kills, failures, renewals, refused, seconds: (Date.now() - startedAt) / 1000 };

  /** @param {readonly string[]} [flags] */
  function launch(flags) {
    since = provider.requests.length;
    provider.setAccessTokenSeconds(within(random, [1, 3]));
    provider.clearFaults();
    if (random() < 0.5)
      provider.fault({
        kind: 'members',
        endpoint: 'token',
        grantType: 'refresh_token',
        set: { access_token: `${LONG_TOKEN}${kills.length}` },
      });
    app = desk.launch(flags);
  }

  /** @param {'refresh_token' | 'authorization_code'} grantType */
  function asked(grantType) {
    return provider.requests.slice(since).filter((request) => request.grantType === grantType);
  }

  /**
   * One kill in the life of a session. Without `strikes` it only waits for the renewal that proves
   * the session.
   * @param {Moment} moment
   */
  async function sessionRound(moment, strikes = true) {
    launch();
    if (moment.slowMs > 0)
      provider.fault({
        kind: 'slow',
        endpoint: 'token',
        grantType: 'refresh_token',
        delayMs: moment.slowMs,
        times: 1,
      });
    if (moment.after === 'renewal')
      await until(
        'a renewal reached the provider',
        LIMIT_MS,
        () => asked('refresh_token')[0] ?? complaint(),
      );
    if (moment.after === 'session')
      await until(
        'the session was renewed',
        LIMIT_MS,
        () => asked('refresh_token').find(({ status }) => status === 200) ?? complaint(),
      );
    await pause(moment.delayMs);
    fail(complaint());
    if (strikes) await strike(moment);
  }

  /** The provider must refuse what is left of a lost session, and the app must say so. */
  async function refusedRound() {
    launch();
    const view = await app
      .waitForView(
        'the lost session ended',
        (one) => one.status === 'signed-out' || one.status === 'locked',
        LIMIT_MS,
      )
      .catch(() => app.view());
    if (view?.status === 'signed-out' && view.reason === 'ended') refused += 1;
    else fail(`a session that was taken for lost is ${JSON.stringify(view)}`);
    session = 'none';
    // Nothing is at stake in it any more: this kill does not count.
    await desk.kill();
    damaged(await inspect(desk));
  }

  /** @param {Moment} moment */
  async function signInRound(moment) {
    desk.forgetOpened();
    launch(['--sign-in']);
    if (moment.after === 'start') {
      await pause(moment.delayMs);
      return strike(moment);
    }
    const address = await desk.nextOpened();
    if (moment.after === 'browser') return inBrowser(moment, address);

    const callback = await desk.visit(address);
    desk.openLink(callback);
    if (moment.after === 'redemption')
      await until('the code reached the provider', LIMIT_MS, () => asked('authorization_code')[0]);
    if (moment.after === 'session')
      await app.waitForView(
        'the app was signed in',
        (view) => view.status === 'signed-in' && view.attempt === undefined,
        LIMIT_MS,
      );
    if (moment.after === 'session') session = 'kept';
    await pause(moment.delayMs);
    await strike(moment);
    if (session === 'none' && random() < 0.5) await comeAgain(address, callback);
  }

  /**
   * The app is killed while the person is in the browser.
   * @param {Moment} moment
   * @param {string} address
   */
  async function inBrowser(moment, address) {
    await pause(moment.delayMs);
    await desk.kill();
    damaged(await inspect(desk));
    const outlived = await comeAgain(address, await desk.visit(address));
    note(
      moment,
      outlived ? 'outlived' : 'none',
      outlived ? '' : 'the keyring did not have the attempt yet',
    );
  }

  /**
   * The callback starts the app. If the keyring holds the attempt it must be finished; if not,
   * nothing may be posted. Nor if the app that was killed had claimed it: nobody knows whether it
   * had posted the code, which may be done once.
   * @param {string} address
   * @param {string} callback
   */
  async function comeAgain(address, callback) {
    const { latest: before } = await inspect(desk);
    const held = await desk.keyring.heldAttempt(new URL(address).searchParams.get('state') ?? '');
    const kept =
      held !== null &&
      desk.files().state?.attempts?.some(({ id, claimed }) => id === held && claimed !== true) ===
        true;
    const posted = asked('authorization_code').length;
    desk.openLink(callback);
    if (kept) {
      const signedIn = async () => {
        const { stored, latest } = await inspect(desk);
        return latest !== before && stored === latest ? true : undefined;
      };
      await until('the callback had signed in', LIMIT_MS, signedIn).catch(() =>
        fail('an attempt that was in the keyring did not outlive the kill'),
      );
    } else {
      await pause(1_500);
      if (asked('authorization_code').length > posted) fail('a code was posted again');
    }
    await pause(within(random, [0, 400]));
    await desk.kill();
    const { stored, latest } = await inspect(desk);
    session = latest !== before && stored === latest ? 'kept' : 'none';
    return session === 'kept';
  }

  /**
   * The blow, and the check of its result.
   * @param {Moment} moment
   */
  async function strike(moment) {
    const killedAt = await desk.kill();
    const before = session;
    const finding = await inspect(desk);
    damaged(finding);
    const isStored = finding.stored !== null && finding.stored === finding.latest;
    if (before === 'kept') {
      if (isStored) return note(moment, 'kept', '');
      session = 'lost';
      const proof = proveInFlight(desk, {
        grantType: 'refresh_token',
        since,
        killedAt,
        slowMs: moment.slowMs,
        finding,
        views: app.views,
      });
      if (!proof.excused)
        fail(
          `a session is lost without excuse, kill ${kills.length + 1} (${moment.name}): ${proof.words}`,
        );
      return note(moment, 'lost', proof.words);
    }
    const posted = asked('authorization_code').length > 0;
    if (!posted) return note(moment, 'none', '');
    session = isStored ? 'kept' : 'none';
    if (isStored) return note(moment, 'kept', '');
    const proof = proveInFlight(desk, {
      grantType: 'authorization_code',
      since,
      killedAt,
      slowMs: 0,
      finding,
      views: app.views,
    });
    if (!proof.excused)
      fail(
        `a sign-in is lost without excuse, kill ${kills.length + 1} (${moment.name}): ${proof.words}`,
      );
    note(moment, 'cut off', proof.words);
  }

  /** What an app with a stored session must never show or say. */
  function complaint() {
    const wrong = app.views.find(
      (view) =>
        view.status === 'locked' ||
        view.status === 'signed-out' ||
        (view.status === 'signed-in' && !view.remembered),
    );
    if (wrong !== undefined) return `a session that was kept is shown as ${JSON.stringify(wrong)}`;
    const [alarm] = ALARMS.exec(app.output()) ?? [];
    return alarm === undefined ? undefined : `the app says "${alarm}"`;
  }

  /** @param {Finding} finding */
  function damaged({ damage, accountIds }) {
    for (const one of damage) fail(`a store is damaged after kill ${kills.length + 1}: ${one}`);
    if (accountIds.length > 1) fail('one person has become several accounts');
  }

  /**
   * @param {Moment} moment
   * @param {Kill['outcome']} outcome
   * @param {string} words
   */
  function note({ name }, outcome, words) {
    const kill = { number: kills.length + 1, moment: name, outcome, words };
    kills.push(kill);
    onKill?.(kill);
  }

  /** @param {string | undefined} failure */
  function fail(failure) {
    if (failure !== undefined) failures.push(failure);
  }
}
