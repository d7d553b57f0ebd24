// Digests are in keys and files that computers have stored: these values stay for ever.
import { describe, expect, it } from 'vitest';
import { base64url, digestOf, sha256 } from '../../../src/main/core/base/digest.js';

describe('digests', () => {
  it('are SHA-256 of the UTF-8 bytes, of which the first 22 characters of base64url are kept', async () => {
    expect(await digestOf('')).toBe('47DEQpj8HBSa-_TImW-5JC');
    expect(await digestOf('https://id.example\u0000ada')).toBe('7Q0lYUs6JBFfiXHnA1HUZP');
    expect(await digestOf('ä€😀')).toBe('gZ_nfRx4l8TFQeIcY9JxVN');
    expect(await sha256('ä€😀')).toHaveLength(32);
  });

  it('have base64url without padding, and with the letters that file names allow (RFC 4648 §5)', () => {
    expect(base64url(new Uint8Array([0xfb, 0xff, 0xfe, 0x00]))).toBe('-__-AA');
    expect(base64url(new Uint8Array([]))).toBe('');
  });
});
