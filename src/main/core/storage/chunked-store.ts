// SecretStore over a SecretStore: writes a value that is too long for one entry in parts beside the
// old value; then one write of the entry, which becomes a header, switches to the parts. May not
// remove anything while reading, and may not put a value, a part or a checksum into a detail.
import { sha256 } from '../base/digest.js';
import { LIMITS } from '../base/limits.js';
import { type Refusal, createKeySequencer } from './key-sequencer.js';
import type { SecretOutcome, SecretReading, SecretStore } from '../base/ports.js';

/** Windows takes 2,560 bytes; the inner store needs some of them for what it adds to a value. */
const ENTRY_BYTES = 2_400;
const VALUE_BYTES = LIMITS.recordBytes;
/** How often a read starts again because another process replaces the value. */
const READ_TRIES = 4;
/** Records begin with `{`. A value that begins like a header is always split, however short. */
const HEADER_MARK = 'latchkey-split/';
/** A prefix of the key: nothing that comes from outside can imitate it there. */
const PART_MARK = 'latchkey-part:';

const TOO_LONG = {
  state: 'unavailable',
  detail: `a value must not be longer than ${VALUE_BYTES} bytes`,
} as const;
const RESERVED_KEY = {
  state: 'unavailable',
  detail: `a key must not begin with "${PART_MARK}"`,
} as const;
const LATER_VERSION = {
  state: 'unavailable',
  detail: 'the stored value was split by a later version',
} as const;
const BAD_HEADER = {
  state: 'unavailable',
  detail: 'the header of the stored value is damaged',
} as const;
const BAD_CHECKSUM = {
  state: 'unavailable',
  detail: 'the stored value does not match its checksum',
} as const;

/**
 * There are two slots for parts. The header says which one counts, so the other is free for the
 * next value.
 */
type Slot = 'a' | 'b';

interface Header {
  readonly slot: Slot;
  readonly parts: number;
  /** In UTF-16 units. */
  readonly length: number;
  /** SHA-256 in hex, of the value as JSON: unlike UTF-8, JSON keeps lone surrogates distinct. */
  readonly checksum: string;
}

/**
 * Splits values that take more than `maxBytes` (at least 128) of `inner`. Shorter values stay one
 * plain entry, as before splitting existed, and cost one inner read. The size is that of the value
 * inside a JSON string, in UTF-8, because the keychain stores that.
 *
 * A write that is stopped at any moment leaves the whole old or the whole new value. Before it
 * answers, it removes the other slot and what an interrupted write left. If that fails, the next
 * write or removal does it. A removal is `done` when the parts are gone too. If parts are missing
 * or do not match, the answer is `unavailable`; they stay until the next value replaces them.
 * Values above 65,536 bytes are refused.
 *
 * Two processes may read at any time, but must not write or remove the same key at the same time:
 * see `Lock`. A call that waits for another call on its key shares its `locked`. Each inner call
 * has the time limit of `inner`.
 */
export function createChunkedStore(
  inner: SecretStore,
  maxBytes: number = ENTRY_BYTES,
): SecretStore {
  const sequencer = createKeySequencer();

  return {
    read: (key, expected) => inSequence(key, () => read(key, expected)),
    write: (key, value) => inSequence(key, () => write(key, value)),
    remove: (key) => inSequence(key, () => remove(key)),
    close: () => inner.close(),
  };

  function inSequence<Answer extends SecretReading | SecretOutcome>(
    key: string,
    run: () => Promise<Answer>,
  ): Promise<Answer | Refusal> {
    return key.startsWith(PART_MARK) ? Promise.resolve(RESERVED_KEY) : sequencer(key, run);
  }

  async function read(key: string, expected: boolean): Promise<SecretReading> {
    let head = await inner.read(key, expected);
    for (let tries = 1; head.state === 'found' && head.value.startsWith(HEADER_MARK); tries += 1) {
      const joined = await join(key, head.value);
      if (joined.state !== 'unavailable') return joined;
      // Another process may have switched and swept between our reads. The parts are lost only if
      // the same header still names them.
      const again = await inner.read(key, true);
      if (again.state === 'found' && (again.value === head.value || tries === READ_TRIES))
        return joined;
      head = again;
    }
    return head;
  }

  async function join(
    key: string,
    headText: string,
  ): Promise<Exclude<SecretReading, { state: 'absent' }>> {
    const header = parseHeader(headText);
    if (header === null) return /^\D+1 /.test(headText) ? BAD_HEADER : LATER_VERSION;
    const parts: string[] = [];
    for (let index = 0; index < header.parts; index += 1) {
      const part = await inner.read(partKey(key, header.slot, index), true);
      if (part.state === 'absent')
        return {
          state: 'unavailable',
          detail: `part ${index + 1} of ${header.parts} of the stored value is missing`,
        };
      if (part.state !== 'found') return part;
      parts.push(part.value);
    }
    const value = parts.join('');
    const whole = value.length === header.length && (await checksumOf(value)) === header.checksum;
    return whole ? { state: 'found', value } : BAD_CHECKSUM;
  }

  async function write(key: string, value: string): Promise<SecretOutcome> {
    if (utf8Bytes(value) > VALUE_BYTES) return TOO_LONG;
    if (entryBytes(value) <= maxBytes && !value.startsWith(HEADER_MARK)) {
      const outcome = await inner.write(key, value);
      if (outcome.state === 'done') await sweepBoth(key);
      return outcome;
    }
    // `expected` true: if a locked keyring said "nothing", we would overwrite the parts that count.
    const head = await inner.read(key, true);
    if (head.state === 'locked' || head.state === 'unavailable') return head;
    const old = head.state === 'found' ? head.value : '';
    const slot = slotOf(old) === 'a' ? 'b' : 'a';
    const parts = cut(value, maxBytes);
    // Writes upwards and sweeps downwards, so that the existing parts are always 0 to n and can be
    // found by reading one after the other.
    for (const [index, part] of parts.entries()) {
      const outcome = await inner.write(partKey(key, slot, index), part);
      if (outcome.state !== 'done') return outcome;
    }
    const header = formatHeader({
      slot,
      parts: parts.length,
      length: value.length,
      checksum: await checksumOf(value),
    });
    const switched = await inner.write(key, header);
    if (switched.state !== 'done') return switched;
    const swept = await sweep(key, slot === 'a' ? 'b' : 'a', 0, parseHeader(old)?.parts ?? 0);
    if (swept.state === 'done') await sweep(key, slot, parts.length, parts.length);
    return switched;
  }

  async function remove(key: string): Promise<SecretOutcome> {
    const outcome = await inner.remove(key);
    return outcome.state === 'done' ? await sweepBoth(key) : outcome;
  }

  async function sweepBoth(key: string): Promise<SecretOutcome> {
    const outcome = await sweep(key, 'a', 0, 0);
    return outcome.state === 'done' ? await sweep(key, 'b', 0, 0) : outcome;
  }

  /**
   * Removes the parts from `from` on. `known`: so many parts surely exist. It reads on to
   * find the others, because no keyring can list its entries.
   */
  async function sweep(
    key: string,
    slot: Slot,
    from: number,
    known: number,
  ): Promise<SecretOutcome> {
    let end = known;
    for (;;) {
      // `expected` false: the keyring has just answered, and doubt would cost a probe for each
      // sweep.
      const part = await inner.read(partKey(key, slot, end), false);
      if (part.state === 'absent') break;
      if (part.state !== 'found') return part;
      end += 1;
    }
    for (let index = end - 1; index >= from; index -= 1) {
      const outcome = await inner.remove(partKey(key, slot, index));
      if (outcome.state !== 'done') return outcome;
    }
    return { state: 'done' };
  }
}

function partKey(key: string, slot: Slot, index: number): string {
  return `${PART_MARK}${slot}${index}:${key}`;
}

function formatHeader({ slot, parts, length, checksum }: Header): string {
  return `${HEADER_MARK}1 ${slot} ${parts} ${length} ${checksum}`;
}

function parseHeader(text: string): Header | null {
  const [, slot, parts, length, checksum] =
    /^latchkey-split\/1 ([ab]) ([1-9]\d{0,4}) (\d{1,6}) ([0-9a-f]{64})$/.exec(text) ?? [];
  if (slot === undefined || parts === undefined || length === undefined || checksum === undefined)
    return null;
  return {
    slot: slot === 'a' ? 'a' : 'b',
    parts: Number(parts),
    length: Number(length),
    checksum,
  };
}

/**
 * The slot has the same position in every version of the header, so that an older build does not
 * overwrite the parts of a newer one.
 */
function slotOf(text: string): Slot | null {
  const [, slot] = /^latchkey-split\/\d+ ([ab]) /.exec(text) ?? [];
  return slot === 'a' || slot === 'b' ? slot : null;
}

/** Cuts between characters, never inside a surrogate pair. */
function cut(value: string, maxBytes: number): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let end = 0;
  let bytes = 0;
  for (const character of value) {
    const more = characterBytes(character.codePointAt(0) ?? 0);
    if (bytes + more > maxBytes) {
      parts.push(value.slice(start, end));
      start = end;
      bytes = 0;
    }
    end += character.length;
    bytes += more;
  }
  parts.push(value.slice(start));
  return parts;
}

/** The most bytes that a character takes inside a JSON string, in UTF-8. */
function characterBytes(code: number): number {
  if (code === 0x22 || code === 0x5c) return 2;
  if (code < 0x20 || (code >= 0xd800 && code <= 0xdfff)) return 6;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

function entryBytes(value: string): number {
  return utf8Bytes(JSON.stringify(value)) - 2;
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

async function checksumOf(value: string): Promise<string> {
  const digest = await sha256(JSON.stringify(value));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
