// A caller whose promise is kept open: answered later, by an owner.
import type { AuthError } from './errors.js';

export interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: AuthError) => void;
}
