// The port Network over Node's fetch, for tests that need no Electron.
// test/contract/network.test.ts holds it to the port.
import type { Network, NetworkFailure, NetworkTrouble } from '../../src/main/core/base/ports.js';

export const nodeNetwork: Network = {
  async fetch(url, { method, headers, body, signal }) {
    const said =
      (trouble: NetworkTrouble) =>
      (cause: unknown): never => {
        throw signal.aborted ? signal.reason : failure(trouble, cause);
      };
    const response = await fetch(url, {
      method,
      headers,
      body: body ?? null,
      signal,
      redirect: 'manual',
    }).catch(said('unreachable'));
    const { status } = response;
    if (status < 200 || status > 599) {
      await response.body?.cancel();
      throw Object.assign(failure('status', undefined), { status });
    }
    const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
    if (reader === undefined) return response;
    const whole = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await reader.read().catch(said('cut-off'));
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
    return new Response(whole, { status, headers: response.headers });
  },
};

function failure(trouble: NetworkTrouble, cause: unknown): NetworkFailure {
  return Object.assign(new Error('no answer', { cause }), { trouble });
}
