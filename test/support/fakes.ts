// Fakes of the ports: honest stand-ins whose behaviour test/contract proves beside the real
// adapters. Typed by core/ports only; no Electron, no file, no network, no real timer.
import { loopbackUri } from '../../src/main/core/base/redirect-uri.js';
import { AuthError } from '../../src/main/core/base/errors.js';
import type {
  Browser,
  CallbackKind,
  Callbacks,
  CallbackVerdict,
  Clock,
  LegacyEntries,
  StateFileContent,
  Log,
  LogEvent,
  Network,
  NetworkRequest,
  OpenRedirect,
  RedirectOption,
  SecretOutcome,
  SecretReading,
  SecretStore,
  SystemEvent,
  SystemEvents,
  StateStore,
  PageOutcome,
} from '../../src/main/core/base/ports.js';
import { isCryptoUnderWay } from './crypto-work.js';

/** Work that hangs is not waited for. */
const QUIET_MS = 2_000;

/**
 * `works`; `locked`: no prompt possible, reads say "nothing"; `prompting`: calls wait for
 * `answerPrompt`; `unavailable`: no keyring.
 */
export type FakeKeyringMode = 'works' | 'locked' | 'prompting' | 'unavailable';

export type PromptAnswer = 'unlocked' | 'dismissed' | 'timed-out';

export interface FakeSecretStore extends SecretStore {
  /** What is stored, whatever the mode. */
  readonly entries: Map<string, string>;
  /** Every call so far, as `read key`, `write key`, `remove key`: never a value. */
  readonly calls: readonly string[];
  readonly closed: boolean;
  /** A call waits for its prompt to be answered. */
  readonly prompting: boolean;
  /** Changes how the keyring behaves from now on; calls that wait for a prompt go on waiting. */
  setMode(mode: FakeKeyringMode): void;
  /**
   * Answers the open prompt: the call runs and the mode becomes `works`; or it is refused; or all
   * that wait are `locked`.
   */
  answerPrompt(how: PromptAnswer): void;
  /** The next write is answered so, once; nothing is stored. */
  failNextWrite(outcome: SecretFailure): void;
}

type SecretFailure = Exclude<SecretOutcome, { state: 'done' }>;

/**
 * A keyring in memory that can lock, prompt and be missing, with the manners of the real one.
 * Processes of one computer share `entries`.
 */
export function createFakeSecretStore(
  mode: FakeKeyringMode = 'works',
  entries: Map<string, string> = new Map(),
): FakeSecretStore {
  const calls: string[] = [];
  let current = mode;
  let closed = false;
  let prompting = false;
  let refusal: SecretOutcome | null = null;
  let answerPrompt: (answer: PromptAnswer) => void = () => {};
  // When the time of one call is up, the worker is killed and every call that waits is `locked`.
  let timedOutUpTo = 0;
  let tail: Promise<unknown> = Promise.resolve();

  const gone = { state: 'unavailable', detail: 'the keychain was closed' } as const;
  const missing = { state: 'unavailable', detail: 'no secret service is running' } as const;
  const locked = { state: 'locked', detail: 'the keyring is locked' } as const;
  const badKey = { state: 'unavailable', detail: 'a key must not be empty or hold NUL' } as const;

  // One at a time, in order: as the real adapter, where a hanging call holds up all others.
  function inTurn<Answer>(
    name: string,
    run: () => Answer,
    refused: () => Answer | SecretFailure,
  ): Promise<Answer | SecretFailure> {
    const number = calls.push(name);
    if (/ $|\0/.test(name)) return Promise.resolve(badKey);
    const turn = tail.then(async () => {
      if (closed) return gone;
      if (number <= timedOutUpTo) return locked;
      if (current === 'prompting') {
        prompting = true;
        const answer = await new Promise<PromptAnswer>((resolve) => (answerPrompt = resolve));
        prompting = false;
        if (closed) return gone;
        if (answer === 'timed-out') return locked;
        if (answer === 'dismissed') return refused();
      }
      if (current === 'unavailable') return missing;
      return current === 'locked' ? refused() : run();
    });
    tail = turn;
    return turn;
  }

  return {
    entries,
    calls,
    get closed() {
      return closed;
    },
    get prompting() {
      return prompting;
    },
    setMode(next) {
      current = next;
    },
    answerPrompt(how) {
      if (how === 'unlocked') current = 'works';
      if (how === 'timed-out') timedOutUpTo = calls.length;
      answerPrompt(how);
    },
    failNextWrite(outcome) {
      refusal = outcome;
    },
    read(key, expected): Promise<SecretReading> {
      const find = (): SecretReading => {
        const value = entries.get(key);
        return value === undefined ? { state: 'absent' } : { state: 'found', value };
      };
      return inTurn<SecretReading>(`read ${key}`, find, () =>
        expected ? locked : { state: 'absent' },
      );
    },
    write(key, value): Promise<SecretOutcome> {
      const store = (): SecretOutcome => {
        const answer = refusal;
        refusal = null;
        if (answer !== null) return answer;
        entries.set(key, value);
        return { state: 'done' };
      };
      return inTurn<SecretOutcome>(`write ${key}`, store, () => locked);
    },
    remove(key): Promise<SecretOutcome> {
      const drop = (): SecretOutcome => {
        entries.delete(key);
        return { state: 'done' };
      };
      return inTurn<SecretOutcome>(`remove ${key}`, drop, () => locked);
    },
    close() {
      closed = true;
      answerPrompt('dismissed');
    },
  };
}

export interface FakeLegacyEntries extends LegacyEntries {
  /** What the earlier versions left, by their place; null: nothing. */
  readonly values: (string | null)[];
  /** Every call so far, as `read 0`, `remove 0`. */
  readonly calls: readonly string[];
  /** `locked` and `unavailable`: every call is answered so. */
  setMode(mode: 'works' | 'locked' | 'unavailable'): void;
}

export function createFakeLegacyEntries(...values: (string | null)[]): FakeLegacyEntries {
  const calls: string[] = [];
  let mode: 'works' | 'locked' | 'unavailable' = 'works';
  const answer = async <Answer>(
    call: string,
    run: () => Answer,
  ): Promise<Answer | SecretFailure> => {
    calls.push(call);
    return mode === 'works' ? run() : { state: mode, detail: 'no' };
  };
  return {
    values,
    calls,
    setMode(next) {
      mode = next;
    },
    read: (index) =>
      answer(`read ${index}`, (): SecretReading => {
        const value = values[index] ?? null;
        return value === null ? { state: 'absent' } : { state: 'found', value };
      }),
    remove: (index) =>
      answer(`remove ${index}`, (): SecretOutcome => {
        values[index] = null;
        return { state: 'done' };
      }),
  };
}

export interface FakeStateStore extends StateStore {
  /** What `load` answers: what was saved last, or what the test put here. */
  content: unknown;
  readonly saves: readonly StateFileContent[];
  /** The next save rejects, once. */
  failNextSave(): void;
  /** Not null: the system's error with which the file cannot be read, until this is null again. */
  unreadable: string | null;
}

export function createFakeStateStore(content: unknown = null): FakeStateStore {
  const saves: StateFileContent[] = [];
  let failing = false;
  const store: FakeStateStore = {
    content,
    saves,
    unreadable: null,
    failNextSave() {
      failing = true;
    },
    async load() {
      refuse();
      return structuredClone(store.content);
    },
    async save(state) {
      refuse();
      if (failing) {
        failing = false;
        throw new Error('the disk refuses');
      }
      store.content = structuredClone(state);
      saves.push(structuredClone(state));
    },
  };
  function refuse(): void {
    if (store.unreadable !== null)
      throw Object.assign(new Error('the disk refuses'), { code: store.unreadable });
  }
  return store;
}

export interface FakeCallbacks extends Callbacks {
  /**
   * A URL arrives from outside. `early` when the engine does not listen yet: it is delivered later.
   */
  arrive(callbackUrl: string): CallbackVerdict | 'early';
  /** Redirects that are open now, oldest first. */
  readonly open: readonly OpenRedirect[];
  /** What each closed redirect told the browser, in order. */
  readonly outcomes: readonly PageOutcome[];
  readonly stopped: boolean;
  /** From now on `prepare` answers `unavailable` with this detail; null: it works again. */
  setUnavailable(detail: string | null): void;
  /** From now on `prepare` answers only after the returned function was called. */
  holdPrepare(): () => void;
}

/**
 * One way back without browser or operating system. A loopback redirect gets port 49152, 49153, …
 */
export function createFakeCallbacks(kind: CallbackKind): FakeCallbacks {
  const open: OpenRedirect[] = [];
  const outcomes: PageOutcome[] = [];
  let early: string[] = [];
  let listener: ((callbackUrl: string) => CallbackVerdict) | null = null;
  let unavailable: string | null = null;
  let gate: Promise<void> = Promise.resolve();
  let nextPort = 49152;
  let stopped = false;

  return {
    open,
    outcomes,
    get stopped() {
      return stopped;
    },
    setUnavailable(detail) {
      unavailable = detail;
    },
    holdPrepare() {
      let release = (): void => {};
      gate = new Promise((resolve) => (release = resolve));
      return release;
    },
    arrive(callbackUrl) {
      if (stopped) return 'foreign';
      if (listener !== null) return listener(callbackUrl);
      early.push(callbackUrl);
      return 'early';
    },
    onCallback(next) {
      listener = next;
      const buffered = early;
      early = [];
      for (const callbackUrl of buffered) next(callbackUrl);
    },
    async prepare(redirect) {
      await gate;
      if (stopped) return { state: 'unavailable', detail: 'stopped' };
      if (unavailable !== null) return { state: 'unavailable', detail: unavailable };
      if (redirect.kind === 'device-code' || redirect.kind === 'paste' || redirect.kind !== kind)
        return { state: 'unavailable', detail: `not a ${kind} redirect` };
      let closed = false;
      const opened: OpenRedirect = {
        kind,
        redirectUri: exactUri(redirect),
        close(outcome) {
          if (closed) return;
          closed = true;
          open.splice(open.indexOf(opened), 1);
          outcomes.push(outcome);
        },
      };
      open.push(opened);
      return { state: 'ready', redirect: opened };
    },
    stop() {
      stopped = true;
      open.splice(0);
    },
  };

  function exactUri(redirect: Extract<RedirectOption, { kind: CallbackKind }>): string {
    return redirect.kind === 'custom-scheme'
      ? redirect.uri
      : loopbackUri(redirect, redirect.port ?? nextPort++);
  }
}

export interface FakeClock extends Clock {
  /**
   * Lets time pass: runs every timer that falls due, in order, and lets promises settle after each.
   */
  advance(ms: number): Promise<void>;
  /**
   * Sets the wall clock, forward or back, without running a timer: what a sleeping laptop or a user
   * does.
   */
  jumpTo(wallMs: number): void;
  /** How many timers are pending. */
  readonly pending: number;
}

/** Virtual time: starts at 2026-01-01 and moves only when told. */
export function createFakeClock(startMs: number = Date.UTC(2026, 0, 1), quiet = settle): FakeClock {
  interface Timer {
    readonly due: number;
    readonly run: () => void;
  }
  const timers = new Set<Timer>();
  let wall = startMs;
  let elapsed = 0;

  function nextDueBy(limit: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of timers)
      if (timer.due <= limit && (next === null || timer.due < next.due)) next = timer;
    return next;
  }

  return {
    now: () => wall,
    elapsed: () => elapsed,
    after(delayMs, run) {
      const timer = {
        due: Number.isNaN(delayMs) ? Infinity : elapsed + Math.max(0, Math.ceil(delayMs)),
        run,
      };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      const end = elapsed + ms;
      await quiet();
      for (let timer = nextDueBy(end); timer !== null; timer = nextDueBy(end)) {
        timers.delete(timer);
        wall += timer.due - elapsed;
        elapsed = timer.due;
        timer.run();
        await quiet();
      }
      wall += end - elapsed;
      elapsed = end;
    },
    jumpTo(wallMs) {
      wall = wallMs;
    },
    get pending() {
      return timers.size;
    },
  };
}

export interface FakeSignals extends SystemEvents {
  /**
   * The operating system says so; nobody hears it before `listen` or after `stop`, nor `online`
   * that nobody waits for.
   */
  emit(signal: SystemEvent): void;
  /** The network is watched, for somebody waits for it. */
  readonly watching: boolean;
  /** Somebody hears. */
  readonly listening: boolean;
  /** Every word on whether the network is to be watched, oldest first. */
  readonly watched: readonly boolean[];
  readonly stopped: boolean;
}

export function createFakeSystemEvents(): FakeSignals {
  const watched: boolean[] = [];
  let listener: ((signal: SystemEvent) => void) | null = null;
  let stopped = false;
  return {
    watched,
    get stopped() {
      return stopped;
    },
    get watching() {
      return !stopped && watched.at(-1) === true;
    },
    get listening() {
      return !stopped && listener !== null;
    },
    emit(signal) {
      if (stopped || (signal === 'online' && watched.at(-1) !== true)) return;
      try {
        listener?.(signal);
      } catch {
        // As ports.ts says: it harms nobody.
      }
    },
    listen(next) {
      listener = next;
    },
    watchNetwork(wanted) {
      if (watched.at(-1) !== wanted) watched.push(wanted);
    },
    stop() {
      stopped = true;
    },
  };
}

/** Lets everything that is ready run: microtasks, the event loop, and what WebCrypto is at. */
export async function settle(): Promise<void> {
  const end = performance.now() + QUIET_MS;
  for (let turn = 0; turn < 5 && performance.now() < end; turn = isCryptoUnderWay() ? 0 : turn + 1)
    await new Promise((resolve) => setImmediate(resolve));
}

/**
 * One scripted exchange: which request is expected next and what answers it. `hang`: until `signal`
 * aborts.
 */
export interface NetworkStep {
  readonly method?: string;
  /** The whole URL, its start up to a `*`, or a test of it. */
  readonly url: string | ((url: string) => boolean);
  readonly answer:
    | Response
    | 'hang'
    | Error
    | ((request: NetworkRequest, url: string) => Response | Promise<Response>);
}

export interface FakeNetwork extends Network {
  readonly requests: readonly { readonly url: string; readonly init: NetworkRequest }[];
  thenExpect(...steps: readonly NetworkStep[]): FakeNetwork;
  /** Throws when a scripted answer was not used. */
  assertUsedUp(): void;
}

/**
 * A network that follows a script, in order; whatever is off-script rejects and is told by
 * `assertUsedUp`.
 */
export function createFakeNetwork(...script: readonly NetworkStep[]): FakeNetwork {
  const steps = [...script];
  const requests: { url: string; init: NetworkRequest }[] = [];
  const offScript: string[] = [];

  const network: FakeNetwork = {
    requests,
    thenExpect(...more) {
      steps.push(...more);
      return network;
    },
    async fetch(url, init) {
      requests.push({ url, init });
      const step = steps[0];
      if (step === undefined || !fits(step, url, init)) {
        offScript.push(`${init.method} ${url.split('?')[0]}`);
        throw new TypeError('off-script request');
      }
      steps.shift();
      const { answer } = step;
      if (answer === 'hang') return await untilAborted(init.signal);
      if (answer instanceof Error) throw answer;
      return typeof answer === 'function' ? await answer(init, url) : answer;
    },
    assertUsedUp() {
      if (offScript.length > 0) throw new Error(`off-script requests: ${offScript.join(', ')}`);
      if (steps.length > 0) throw new Error(`${steps.length} scripted answers were not used`);
    },
  };
  return network;
}

function fits(step: NetworkStep, url: string, init: NetworkRequest): boolean {
  if (step.method !== undefined && step.method !== init.method) return false;
  if (typeof step.url === 'function') return step.url(url);
  return step.url.endsWith('*') ? url.startsWith(step.url.slice(0, -1)) : url === step.url;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

export interface FakeBrowser extends Browser {
  /** Every URL that was opened, oldest first. */
  readonly opened: readonly string[];
  /** Every URL that went into the clipboard, oldest first. */
  readonly copied: readonly string[];
  /** Every form that was posted, oldest first. */
  readonly posted: readonly { readonly url: string; readonly fields: Record<string, string> }[];
  /** The next open or copy rejects, once. */
  failNext(): void;
}

export function createFakeBrowser(): FakeBrowser {
  const opened: string[] = [];
  const copied: string[] = [];
  const posted: { url: string; fields: Record<string, string> }[] = [];
  let failing = false;
  return {
    opened,
    failNext() {
      failing = true;
    },
    copied,
    posted,
    post: async (url, fields) =>
      void posted.push({ url: accept(url), fields: Object.fromEntries(fields) }),
    open: async (url) => void opened.push(accept(url)),
    copy: async (url) => void copied.push(accept(url)),
  };

  function accept(url: string): string {
    if (failing) {
      failing = false;
      throw new AuthError('browser-failed', 'no browser');
    }
    const parsed = /^[^\s\p{Cc}]{1,131000}$/u.test(url) && URL.canParse(url) ? new URL(url) : null;
    const isGood =
      parsed !== null &&
      /^https?:$/.test(parsed.protocol) &&
      parsed.username === '' &&
      parsed.password === '';
    if (!isGood) throw new AuthError('browser-failed', 'not a web page');
    // The page on loopback that a long URL starts from is the adapter's; a person arrives here.
    return parsed.href;
  }
}

export function createFakeLog(): Log & {
  readonly events: readonly LogEvent[];
  names(): readonly string[];
} {
  const events: LogEvent[] = [];
  return {
    events,
    names: () => events.map(({ event }) => event),
    write: (event) => void events.push(event),
  };
}
