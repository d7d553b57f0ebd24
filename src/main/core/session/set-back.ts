// Handles a wall clock that is set back while the app runs: everything that a session has timed
// keeps the time that it has left. Only a clock that nobody can set tells by how much it was set
// back. Decides nothing else, and nothing about other processes.
import type { Clock } from '../base/ports.js';
import type { TokenSet, AccessToken, PersonFacts } from '../base/tokens.js';
import type { LiveSession, Renewal, SessionState, TargetAnswer } from './session-state.js';

/** Smaller steps are added up until they reach this. */
const NOTICED_MS = 1_000;
/**
 * If the clock was set back this far, the session is renewed to correct the times in its record:
 * the next process reads them and has not seen the change.
 */
const RENEWED_MS = 60_000;

/**
 * The returned function tells by how many milliseconds the wall clock was set back since its last
 * call; 0 when it was not.
 */
export function createSetBackWatch(clock: Clock): () => number {
  let ahead = clock.now() - clock.elapsed();
  return () => {
    const back = ahead - (clock.now() - clock.elapsed());
    if (back > 0 && back < NOTICED_MS) return 0;
    ahead -= back;
    return Math.max(0, back);
  };
}

export function afterSetBack(state: SessionState, ms: number): SessionState {
  switch (state.phase) {
    case 'live':
      return liveAfter(state, ms);
    case 'adopting':
      return {
        ...state,
        tokens: moved(state.tokens, ms),
        previous: state.previous === null ? null : liveAfter(state.previous, ms),
      };
    default:
      return state;
  }
}

function liveAfter(state: LiveSession, ms: number): LiveSession {
  const { access, renewal, targetRenewal } = state;
  // No renewal corrects the times in the record, so it is written again.
  const isStoredAgain =
    ms >= RENEWED_MS && state.refreshToken === null && typeof access?.expiresAt === 'number';
  return {
    ...state,
    storeRetryAt: isStoredAgain ? 0 : state.storeRetryAt,
    ...factsAfter(state, ms),
    access: access === null ? null : moved(access, ms),
    renewal: renewalAfter(renewal, access, ms),
    targetRenewal:
      targetRenewal?.state === 'saving'
        ? { ...targetRenewal, tokens: moved(targetRenewal.tokens, ms) }
        : targetRenewal,
    targets: new Map([...state.targets].map(([key, answer]) => [key, targetAfter(answer, ms)])),
  };
}

function renewalAfter(renewal: Renewal, access: AccessToken | null, ms: number): Renewal {
  if (renewal.state === 'saving') return { ...renewal, tokens: moved(renewal.tokens, ms) };
  if (renewal.state !== 'fresh' || renewal.renewAt === null) return renewal;
  const isRenewed = ms >= RENEWED_MS && access !== null;
  return { ...renewal, renewAt: (isRenewed ? access.obtainedAt : renewal.renewAt) - ms };
}

function targetAfter(answer: TargetAnswer, ms: number): TargetAnswer {
  if (answer.state === 'refused') return answer;
  return {
    ...answer,
    access: moved(answer.access, ms),
    renewAt: answer.renewAt === null ? null : answer.renewAt - ms,
  };
}

/** Of a session, or of tokens that are being stored. */
function factsAfter({ idToken }: PersonFacts, ms: number): PersonFacts {
  return typeof idToken !== 'object'
    ? {}
    : {
        idToken: {
          ...idToken,
          obtainedAt: idToken.obtainedAt - ms,
          expiresAt: idToken.expiresAt - ms,
        },
      };
}

function moved<Timed extends AccessToken | TokenSet>(timed: Timed, ms: number): Timed {
  const { obtainedAt, expiresAt } = timed;
  return {
    ...timed,
    ...('idToken' in timed ? factsAfter(timed, ms) : {}),
    obtainedAt: obtainedAt - ms,
    expiresAt: expiresAt === null ? null : expiresAt - ms,
  };
}
