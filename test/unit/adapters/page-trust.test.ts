// Which pages may use Latchkey (adapters/pages/page-trust.ts): by address and by origin. The same
// kinds of pages run in a real Electron in test/e2e/frames.spec.ts.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, posix, win32 } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isBelow, isTrustedPage, originOf } from '../../../src/main/adapters/pages/page-trust.js';
import { hintFor } from '../../../src/main/adapters/pages/page-hints.js';

const trust = {
  trustedOrigins: ['app://notes', 'https://app.example.com', 'http://localhost:5173'],
  appPath: '/opt/notes/resources/app.asar',
};
const page = (url: string, origin = originOf(url)) => ({
  url,
  origin: url.startsWith('file:') ? 'file://' : origin,
});

describe('a page is trusted', () => {
  it.each([
    'app://notes/index.html',
    'https://app.example.com/any/page?query#part',
    'http://localhost:5173/',
    'file:///opt/notes/resources/app.asar/index.html',
  ])('when its origin is named, or its file is in the app: %s', (url) => {
    expect(isTrustedPage(page(url), trust)).toBe(true);
  });

  it.each([
    ['that has lost its origin to a sandbox', 'app://notes/', 'null'],
    ['that has lost its origin to a sandbox', 'https://app.example.com/', 'null'],
    ['of a file in a sandbox', 'file:///opt/notes/resources/app.asar/index.html', 'null'],
    ['that inherits an origin', 'about:blank', 'app://notes'],
    ['that inherits an origin', '', 'app://notes'],
    ['that inherits an origin', 'about:srcdoc', 'https://app.example.com'],
    ['made of a blob', 'blob:https://app.example.com/1', 'https://app.example.com'],
    ['made of a blob of a file', 'blob:file:///1', 'file://'],
    ['that is at another address', 'https://evil.example/', 'app://notes'],
    ['of an origin that is not named', 'app://other/', 'app://other'],
    ['of a scheme that is not standard', 'notes:index.html', 'null'],
  ])('never when it is one %s: %s, %s', (_name, url, origin) => {
    expect(isTrustedPage({ url, origin }, trust)).toBe(false);
  });

  it.each([
    ['of the web', 'https://evil.example/'],
    ['of a host that ends like a trusted one', 'https://app.example.com.evil.example/'],
    ['of a trusted host without TLS', 'http://app.example.com/'],
    ['of another port', 'http://localhost:5174/'],
    ['with the trusted origin as user name', 'https://app.example.com@evil.example/'],
    ['of a file beside the app', 'file:///opt/notes/resources/app.asar.evil/index.html'],
    ['of a file above the app', 'file:///opt/notes/resources/app.asar/../evil.html'],
    ['of a file elsewhere', 'file:///tmp/downloads/evil.html'],
    ['of a file with a crafted path', 'file:///opt/notes/resources/app.asar/..%2fevil.html'],
    ['of a file with a crafted path', 'file:///opt/notes/resources/app.asar/%2e%2e/evil.html'],
    ['of a server', 'file://server/opt/notes/resources/app.asar/index.html'],
    ['that is the folder', 'file:///opt/notes/resources/app.asar'],
    ['made of data', 'data:text/html,hello'],
    ['under the scheme that brings callbacks', 'com.example.notes:/callback'],
    ['of an extension', 'chrome-extension://abcdef/page.html'],
    ['of the developer tools', 'devtools://devtools/bundled/inspector.html'],
    ['of the browser', 'chrome://gpu'],
    ['of an error', 'chrome-error://chromewebdata/'],
    ['of source', 'view-source:https://app.example.com'],
    ['of a script', 'javascript:alert(1)'],
    ['whose URL does not parse', 'not a url'],
    ['without a URL', ''],
  ])('never when it is one %s: %s', (_name, url) => {
    expect(isTrustedPage(page(url), trust)).toBe(false);
  });
});

describe('a file', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(realpathSync(tmpdir()), "latchkey-o'brien ü-"));
    mkdirSync(join(root, 'notes', 'dist'), { recursive: true });
    mkdirSync(join(root, 'notes', 'pages'));
    mkdirSync(join(root, 'loose'));
    for (const file of ['notes/package.json', 'notes/pages/index.html', 'evil.html'])
      writeFileSync(join(root, file), '{}');
    symlinkSync(join(root, 'notes'), join(root, 'linked'));
    symlinkSync(join(root, 'evil.html'), join(root, 'notes', 'link.html'));
    symlinkSync('circle.html', join(root, 'notes', 'circle.html'));
  });
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const isIn = (file: string, appPath: string): boolean =>
    isTrustedPage(page(pathToFileURL(join(root, file)).href), {
      trustedOrigins: [],
      appPath: join(root, appPath),
    });

  it.each([
    ['the app was started by its folder', 'notes/pages/index.html', 'notes'],
    ['the app was started by a file in a folder below', 'notes/pages/index.html', 'notes/dist'],
    ['the app was started through a link', 'notes/pages/index.html', 'linked'],
    ['the page was loaded through a link', 'linked/pages/index.html', 'notes'],
    ['the file is gone since an update', 'notes/pages/gone/index.html', 'linked'],
    ['there is no package.json', 'loose/index.html', 'loose'],
  ])('belongs to the app although %s', (_name, file, appPath) => {
    expect(isIn(file, appPath)).toBe(true);
  });

  it.each([
    ['is above the app', 'evil.html', 'notes/dist'],
    ['is a link out of the app', 'notes/link.html', 'notes'],
    ['is a link that leads nowhere but to itself', 'notes/circle.html', 'notes'],
    ['only begins like the app', 'notes-evil/index.html', 'notes'],
    ['is above a folder without package.json', 'evil.html', 'loose'],
  ])('does not belong to the app when it %s', (_name, file, appPath) => {
    expect(isIn(file, appPath)).toBe(false);
  });

  it("in the person's home folder does not belong to a loose script there", () => {
    const home = process.env['HOME'];
    process.env['HOME'] = root;
    try {
      writeFileSync(join(root, 'package.json'), '{}');
      expect(homedir()).toBe(root);
      expect(isIn('evil.html', 'loose')).toBe(false);
      // A HOME through a link, as with an automounter, is the same folder.
      symlinkSync(root, join(root, 'loose', 'home'));
      process.env['HOME'] = join(root, 'loose', 'home');
      expect(isIn('evil.html', 'loose')).toBe(false);
      // A home that cannot be found costs the app nothing: a link in a circle, or none.
      symlinkSync(join(root, 'loose', 'circle'), join(root, 'loose', 'circle'));
      for (const nowhere of [join(root, 'loose', 'circle'), '']) {
        process.env['HOME'] = nowhere;
        expect(isIn('notes/pages/index.html', 'notes/dist')).toBe(true);
      }
      symlinkSync(root, join(root, 'home'));
      process.env['HOME'] = join(root, 'home');
      expect(isIn('evil.html', 'home/loose')).toBe(false);
      expect(isIn('loose/index.html', 'home/loose')).toBe(true);
      process.env['HOME'] = join(root, 'elsewhere');
      expect(isIn('evil.html', 'loose')).toBe(true);
      process.env['HOME'] = join(root, 'evil.html', 'below a file');
      expect(isIn('loose/index.html', 'loose')).toBe(true);
    } finally {
      process.env['HOME'] = home;
      rmSync(join(root, 'package.json'));
    }
  });

  it.each([
    [true, 'c:\\program files\\NOTES\\pages\\x.html', 'C:\\Program Files\\Notes', win32],
    [false, 'C:\\Program Files\\Notes-evil\\x.html', 'C:\\Program Files\\Notes', win32],
    [false, 'D:\\Program Files\\Notes\\x.html', 'C:\\Program Files\\Notes', win32],
    [false, '\\\\server\\Notes\\x.html', 'C:\\Notes', win32],
    [true, '/opt/notes/..x.html', '/opt/notes', posix],
    [false, '/opt/NOTES/x.html', '/opt/notes', posix],
    [false, '/opt/x.html', '/opt/notes', posix],
    [false, '/opt', '/opt/notes', posix],
  ])('is below a folder (%s): %s in %s, with case or without as the system has it', (...row) => {
    const [expected, file, folder, paths] = row;
    expect(isBelow(file, folder, paths)).toBe(expected);
  });
});

describe('the hint for a page that is refused', () => {
  it.each([
    ['a page of the web', 'https://evil.example/', 'https://evil.example', /"trustedOrigins"/],
    ['a file elsewhere', 'file:///tmp/x.html', 'file://', /package\.json.*"electron \."/],
    ['a scheme that is not standard', 'notes://app/', 'null', /registerSchemes.*standard: true/],
    ['a page in a sandbox', 'https://app.example.com/', 'null', /sandboxed/],
    ['a popup that inherits', 'about:blank', 'https://app.example.com', /inherited/],
  ])('can be followed: %s', (_name, url, origin, hint) => {
    expect(hintFor({ url, origin, isTop: true })).toMatch(hint);
  });

  it('does not ask to trust or to move a page whose frame is refused', () => {
    for (const url of ['file:///opt/notes/frame.html', 'https://app.example.com/'])
      expect(hintFor({ ...page(url), isTop: false })).toMatch(/^a frame .* the page around it$/);
  });
});
