// Where events go: to every listener, in order, frozen, with a time; a listener that throws harms
// nobody.
import { describe, expect, it } from 'vitest';
import { createEventLog } from '../../../src/main/core/base/event-log.js';
import { EVENTS, EVENT_FIELDS } from '../../../src/main/core/base/event-list.js';
import { randomId } from '../../../src/main/core/base/event-parts.js';
import type { AuthEvent } from '../../../src/main/core/base/events.js';
import { createFakeClock } from '../../support/fakes.js';

const clock = createFakeClock(7_000);

describe('an event', () => {
  it('reaches onLog and every listener, with its time, its correlation id, and its fields', () => {
    const heard: AuthEvent[][] = [[], [], []];
    const log = createEventLog(clock, (event) => heard[0]?.push(event));
    log.onEvent((event) => heard[1]?.push(event));
    log.onEvent((event) => heard[2]?.push(event));
    log.write({
      level: 'info',
      event: 'attempt-started',
      correlationId: 'attempt-x-1',
      fields: { attempt: 1 },
    });
    log.write({ level: 'warn', event: 'state-file-newer' });
    const told = [
      {
        at: 7_000,
        level: 'info',
        event: 'attempt-started',
        correlationId: 'attempt-x-1',
        fields: { attempt: 1 },
      },
      { at: 7_000, level: 'warn', event: 'state-file-newer', correlationId: null, fields: {} },
    ];
    expect(heard).toEqual([told, told, told]);
    expect(
      heard[0]?.every((event) => Object.isFrozen(event) && Object.isFrozen(event.fields)),
    ).toBe(true);
  });

  it('reaches the others when one listener throws, and the caller hears nothing of it', () => {
    const heard: string[] = [];
    const log = createEventLog(clock, () => {
      throw new Error('the disk is full');
    });
    log.onEvent(() => {
      throw new Error('a bug');
    });
    log.onEvent(({ event }) => heard.push(event));
    log.write({ level: 'warn', event: 'state-file-newer' });
    expect(heard).toEqual(['state-file-newer']);
  });

  it('does not reach who has stopped; each call of onEvent ends by itself', () => {
    const heard: string[] = [];
    const log = createEventLog(clock, () => {});
    const listener = ({ event }: AuthEvent): void => {
      heard.push(event);
    };
    const [stopFirst, stopSecond] = [log.onEvent(listener), log.onEvent(listener)];
    stopFirst();
    log.write({ level: 'warn', event: 'state-file-newer' });
    stopSecond();
    log.write({ level: 'warn', event: 'state-file-newer' });
    expect(heard).toEqual(['state-file-newer']);
  });
});

describe('the list of events', () => {
  it('names each field that it explains in some event', () => {
    const used = new Set<string>(Object.values(EVENTS).flatMap(({ fields }) => [...fields]));
    expect(Object.keys(EVENT_FIELDS).filter((name) => !used.has(name))).toEqual([]);
  });

  it('has kebab-case names and whole sentences', () => {
    for (const [name, { means }] of Object.entries(EVENTS))
      expect([name, means]).toEqual([
        expect.stringMatching(/^[a-z]+(-[a-z]+)*$/),
        expect.stringMatching(/^[A-Z].*\.$/),
      ]);
  });
});

describe('randomId', () => {
  it('is of 64 random bits', () => {
    const ids = Array.from({ length: 1_000 }, randomId);
    expect(new Set(ids).size).toBe(1_000);
    expect(ids.every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
  });
});
