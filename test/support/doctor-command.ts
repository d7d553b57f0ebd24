// Runs `latchkey doctor` in this process with a keyring and an environment of the test's choice,
// and reads what it says.
import { run } from '../../src/cli/doctor.js';
import type { PlainSourcesOptions } from '../../src/cli/plain-sources.js';
import type { WorkerProcess } from '../../src/main/adapters/secrets/keychain-protocol.js';
import type { Diagnosis } from '../../src/main/diagnosis/diagnosis.js';
import type { Finding, FindingId } from '../../src/main/diagnosis/findings.js';

export interface Examined {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command's words, its exit code, and all that it wrote. */
export async function doctor(
  args: readonly string[],
  surroundings: Partial<PlainSourcesOptions>,
): Promise<Examined> {
  const written = { out: '', err: '' };
  const code = await run(
    args,
    { out: (text) => void (written.out += text), err: (text) => void (written.err += text) },
    surroundings,
  );
  return { code, ...written };
}

/** The same, as JSON, with the findings that are not "ok". */
export async function diagnosed(
  args: readonly string[],
  surroundings: Partial<PlainSourcesOptions>,
): Promise<{
  readonly code: number;
  readonly troubles: readonly Finding[];
  find(id: FindingId): Finding | undefined;
}> {
  const { code, out } = await doctor([...args, '--json'], surroundings);
  const { findings } = JSON.parse(out) as Diagnosis;
  return {
    code,
    troubles: findings.filter(({ level }) => level !== 'ok'),
    find: (id) => findings.find((finding) => finding.id === id),
  };
}

/** A keyring that works at once and keeps nothing: for tests that are about something else. */
export function workingKeyring(): WorkerProcess {
  let reply: (message: unknown) => void = () => undefined;
  const entries = new Map<string, string>();
  return {
    pid: undefined,
    postMessage(message) {
      const { id, account } = message;
      const value =
        message.op === 'get'
          ? (entries.get(account) ?? null)
          : message.op === 'delete'
            ? entries.delete(account)
            : true;
      if (message.op === 'set') entries.set(account, message.value);
      setImmediate(() => {
        reply({ id, ok: true, value, tookMs: 0 });
      });
    },
    on(event: 'message' | 'exit' | 'spawn', listener: (value: never) => void) {
      if (event === 'message') reply = listener as (message: unknown) => void;
    },
    kill: () => true,
  };
}
