// Digests and base64url, by the platform's Web Crypto. The results are parts of stored keys and
// files: they may not change.

/** SHA-256 of the UTF-8 bytes of a text. */
export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

/** 132 bits of SHA-256, as text that fits a file name and every keychain. */
export async function digestOf(text: string): Promise<string> {
  return base64url(await sha256(text)).slice(0, 22);
}

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
