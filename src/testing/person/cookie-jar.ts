// The cookies of the scripted person: one host, names and paths, nothing more.

/** Cookies (RFC 6265) of one host. Expiry other than "now", domains and attributes are ignored. */
export interface CookieJar {
  /** Takes the values of `Set-Cookie` headers. */
  take(setCookies: readonly string[]): void;
  /** The value of the `Cookie` header for a path; empty when there is none. */
  header(path: string): string;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** Makes an empty jar. */
export function createCookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>();

  return {
    take(setCookies) {
      for (const line of setCookies) {
        const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
        const [name = '', value = ''] = splitOnce(pair);
        const read = new Map(
          attributes
            .map((part) => splitOnce(part))
            .map(([key = '', text = '']) => [key.toLowerCase(), text]),
        );
        const path = read.get('path') ?? '/';
        const expires = read.get('expires');
        const isGone = value === '' || (expires !== undefined && Date.parse(expires) <= Date.now());
        if (isGone) cookies.delete(`${path} ${name}`);
        else cookies.set(`${path} ${name}`, { name, value, path });
      }
    },
    header: (path) =>
      [...cookies.values()]
        .filter(
          (cookie) =>
            cookie.path === '/' || path === cookie.path || path.startsWith(`${cookie.path}/`),
        )
        .map(({ name, value }) => `${name}=${value}`)
        .join('; '),
  };
}

function splitOnce(text: string): readonly string[] {
  const at = text.indexOf('=');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
