// The types of events for the host's log and telemetry: as core writes them and as hosts receive
// them. event-list.ts has the list.
import type { EVENTS, EVENT_FIELDS, FieldName } from './event-list.js';

export type EventName = keyof typeof EVENTS;

type ValueOf<F extends FieldName> = {
  text: string;
  'text?': string | null;
  number: number;
  flag: boolean;
}[(typeof EVENT_FIELDS)[F]['kind']];

type FieldsOf<N extends EventName> = {
  readonly [F in (typeof EVENTS)[N]['fields'][number]]: ValueOf<F>;
};

type EventOf<N extends EventName> = {
  readonly level: (typeof EVENTS)[N]['level'];
  readonly event: N;
  /**
   * The same for all events of one attempt, or of one renewal. Random; it tells nothing.
   */
  readonly correlationId?: string | undefined;
} & (keyof FieldsOf<N> extends never
  ? { readonly fields?: Record<string, never> }
  : { readonly fields: FieldsOf<N> });

/** One event as the core writes it. The compiler knows which fields it must have. */
export type LogEvent = { [N in EventName]: EventOf<N> }[EventName];

/**
 * One event as a host gets it: named values only, checked to hold no secret. docs/events.md lists
 * them all.
 */
export interface AuthEvent {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: EventName;
  /**
   * The same for all events of one attempt, or of one renewal; null for what belongs to neither.
   */
  readonly correlationId: string | null;
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
}

/** Makes the event that hosts get: a frozen copy. */
export function toAuthEvent(event: LogEvent, at: number): AuthEvent {
  return Object.freeze({
    at,
    level: event.level,
    event: event.event,
    correlationId: event.correlationId ?? null,
    fields: Object.freeze({ ...event.fields }),
  });
}
