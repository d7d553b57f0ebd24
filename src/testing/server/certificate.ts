// A certificate for 127.0.0.1 and localhost, signed by itself: X.509 (RFC 5280) in DER, written by
// hand because Node makes keys but no certificates. Valid for a day. For tests only.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** What a TLS server needs. Both in PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly privateKey: string;
}

/** One DER value: tag, length, content. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}

const sequence = (...contents: readonly Buffer[]): Buffer => der(0x30, ...contents);
const object = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const octets = (content: Buffer): Buffer => der(0x04, content);
const bits = (content: Buffer): Buffer => der(0x03, Buffer.from([0]), content);
const TRUE = der(0x01, Buffer.from([255]));

const ECDSA_WITH_SHA256 = sequence(object('2a8648ce3d040302'));
const COMMON_NAME = '550403';
const BASIC_CONSTRAINTS = '551d13';
const SUBJECT_ALT_NAME = '551d11';
const DAY_MS = 86_400_000;

/**
 * Makes a fresh key and its certificate, valid from yesterday until tomorrow. Clients trust it as
 * an authority.
 */
export function createCertificate(nowMs: number): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(
    der(0x31, sequence(object(COMMON_NAME), der(0x0c, Buffer.from('latchkey test provider')))),
  );
  const names = sequence(
    der(0x87, Buffer.from([127, 0, 0, 1])),
    der(0x82, Buffer.from('localhost')),
  );
  const extensions = sequence(
    sequence(object(BASIC_CONSTRAINTS), TRUE, octets(sequence(TRUE))),
    sequence(object(SUBJECT_ALT_NAME), octets(names)),
  );
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    // The highest bit would make the number negative.
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(nowMs - DAY_MS), time(nowMs + DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const certificate = sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, privateKey)));
  return {
    certificate: pem(certificate),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** UTCTime: `YYMMDDhhmmssZ` (RFC 5280 §4.1.2.5.1), until 2049. */
function time(ms: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
