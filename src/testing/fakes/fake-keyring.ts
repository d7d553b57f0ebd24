// A keyring that exists in memory only, behind the messages of Latchkey's keychain process: with it
// no test touches the keyring of the desk. Its troubles are those that were measured on the genuine
// one (KEYRING_FAILURES, test/contract).
import { EventEmitter } from 'node:events';
import type {
  WorkerProcess,
  WorkerReply,
  WorkerRequest,
} from '../../main/adapters/secrets/keychain-protocol.js';

/**
 * `working` · `locked`: it hides what is stored and refuses to store, without a dialog · `hanging`:
 * its dialog is open, and no call ends before `unlock` · `crashing`: every call ends the keychain
 * process · `absent`: there is none.
 */
export type KeyringMode = 'working' | 'locked' | 'hanging' | 'crashing' | 'absent';

/** One keyring. It outlives the apps of a test, as the genuine one outlives a process. */
export interface FakeKeyring {
  /** May be changed at any time; calls that hang go on hanging. */
  mode: KeyringMode;
  /** What is stored, by `service account`. */
  readonly entries: Map<string, string>;
  /** The person answers the dialog: hanging calls are carried out, and the mode is `working`. */
  unlock(): void;
  /** Empty and `working`. */
  reset(): void;
}

type Answer = WorkerReply | 'nothing' | 'crash';

const SEGMENTATION_FAULT = 11;

/** Creates an empty keyring, and a function that starts a keychain process on it. */
export function createFakeKeyring(): {
  readonly keyring: FakeKeyring;
  readonly fork: () => WorkerProcess;
} {
  const entries = new Map<string, string>();
  let hanging: (() => void)[] = [];

  const keyring: FakeKeyring = {
    mode: 'working',
    entries,
    unlock() {
      keyring.mode = 'working';
      for (const goOn of hanging.splice(0)) goOn();
    },
    reset() {
      entries.clear();
      hanging = [];
      keyring.mode = 'working';
    },
  };

  const fork = (): WorkerProcess => {
    const events = new EventEmitter();
    let running = true;
    const end = (code: number): boolean => {
      if (!running) return false;
      running = false;
      setImmediate(() => events.emit('exit', code));
      return true;
    };
    const send = (answer: Answer): void => {
      if (answer === 'crash') end(SEGMENTATION_FAULT);
      else if (answer !== 'nothing' && running)
        setImmediate(() => running && events.emit('message', answer));
    };
    setImmediate(() => events.emit('spawn'));
    return {
      // None: killing it by number would kill a stranger's process.
      pid: undefined,
      postMessage(request) {
        if (!running) return;
        if (keyring.mode === 'hanging') hanging.push(() => send(answerTo(request)));
        else send(answerTo(request));
      },
      on: (event: 'message' | 'exit' | 'spawn', listener: (value: never) => void) =>
        events.on(event, listener as (value: unknown) => void),
      kill: () => end(0),
    };
  };

  function answerTo(request: WorkerRequest): Answer {
    const { id } = request;
    const key = `${request.service} ${request.account}`;
    switch (keyring.mode) {
      case 'hanging':
        return 'nothing';
      case 'crashing':
        return 'crash';
      case 'absent':
        return {
          id,
          ok: false,
          text: 'The name org.freedesktop.secrets was not provided by any .service files',
        };
      case 'locked':
        if (request.op === 'set')
          return { id, ok: false, text: 'Cannot create an item in a locked collection' };
        return { id, ok: true, value: request.op === 'delete' ? false : null, tookMs: 1 };
      case 'working':
        if (request.op !== 'set')
          return {
            id,
            ok: true,
            value: request.op === 'delete' ? entries.delete(key) : (entries.get(key) ?? null),
            tookMs: 1,
          };
        entries.set(key, request.value);
        return { id, ok: true, value: true, tookMs: 1 };
    }
  }

  return { keyring, fork };
}
