// A caller whose promise is still pending: an owner settles it later.
import type { AuthError } from './errors.js';

export interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: AuthError) => void;
}
