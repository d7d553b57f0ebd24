// Where a personality has its endpoints. Inside, every provider has the paths of exchange.ts;
// outside, those of its model.
import { parseUrl, PATHS, readEndpoint } from './exchange.js';
import type { Exchange } from './exchange.js';

/**
 * A place inside, by its name, and its path outside; null: there is no such place. `{tenant}`
 * stands for one segment.
 */
export type OuterPaths = Readonly<Partial<Record<keyof typeof PATHS, string | null>>>;

/** The way in and out of one provider. */
export interface PathMap {
  /**
   * The same request at the inner path, and the segment that stood for `{tenant}`. What has another
   * path outside is not found inside.
   */
  inward(exchange: Exchange): { readonly exchange: Exchange; readonly tenant: string };
  /** The path outside; null when there is none. */
  outward(inner: string, tenant?: string): string | null;
}

/** Leads nowhere: inside and outside it is answered with 404. */
const NOWHERE = '/not-found';

/** Makes the map. `tenant` is put for `{tenant}` unless another one was asked for. */
export function createPathMap(outer: OuterPaths, tenant: string): PathMap {
  const rows = Object.entries(outer).map(([name, template]) => {
    const pattern =
      template === null
        ? null
        : new RegExp(`^${template.split('{tenant}').map(escape).join('([^/]+)')}$`);
    return { inner: PATHS[name as keyof typeof PATHS], template, pattern };
  });

  return {
    inward(exchange) {
      for (const { inner, pattern } of rows) {
        const match = pattern?.exec(exchange.path);
        if (match) return { exchange: at(exchange, inner), tenant: match[1] ?? tenant };
      }
      const isHidden = rows.some(({ inner }) => inner === exchange.path);
      return { exchange: isHidden ? at(exchange, NOWHERE) : exchange, tenant };
    },
    outward(inner, asked = tenant) {
      const row = rows.find((candidate) => candidate.inner === inner);
      return row === undefined ? inner : (row.template?.replace('{tenant}', asked) ?? null);
    },
  };
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The same request at another path. */
function at(exchange: Exchange, path: string): Exchange {
  const query = exchange.query.toString();
  return {
    ...exchange,
    path,
    url: query === '' ? path : `${path}?${query}`,
    endpoint: readEndpoint(path),
  };
}

/** The metadata with its endpoints as they are outside; those that are nowhere are left out. */
export function outerMetadata(
  members: Readonly<Record<string, unknown>>,
  origin: string,
  outward: (inner: string) => string | null,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => {
      const url = typeof value === 'string' && name !== 'issuer' ? parseUrl(value) : null;
      if (url?.origin !== origin) return [[name, value]];
      const path = outward(url.pathname);
      return path === null ? [] : [[name, origin + path]];
    }),
  );
}
