// What a sign-in was about: noted when the person agrees, looked up when its code and tokens come.
// oidc-provider keeps of a request what the standards name; personalities ask for more.
import type { Platform } from './registration.js';

/** One sign-in, from the person's yes to the end of its last token. */
export interface GrantNote {
  readonly subject: string;
  /** The parameters of the authorization request. */
  readonly parameters: Readonly<Record<string, string>>;
  /** When the person agreed: milliseconds since 1970. */
  readonly agreedAtMs: number;
  /** True for the first time that this person agrees. */
  readonly isFirst: boolean;
  /** Which platform the code was issued to, once a personality that asks has decided. */
  platform?: Platform;
  /** The last `claims` parameter that was answered with a token. */
  claims?: string;
}

/** The notes of one provider. */
export interface GrantNotes {
  add(grantId: string, note: Omit<GrantNote, 'isFirst'>): void;
  find(grantId: unknown): GrantNote | undefined;
}

/** Older ones are forgotten; their tokens are treated as those of an ordinary sign-in. */
const KEPT = 10_000;

/** Makes empty notes. */
export function createGrantNotes(): GrantNotes {
  const notes = new Map<unknown, GrantNote>();
  const known = new Set<string>();

  return {
    add(grantId, note) {
      notes.set(grantId, { ...note, isFirst: !known.has(note.subject) });
      known.add(note.subject);
      const oldest = notes.keys().next();
      if (notes.size > KEPT && oldest.done !== true) notes.delete(oldest.value);
    },
    find: (grantId) => notes.get(grantId),
  };
}
