// @ts-check
// The same app with Latchkey, which also restores the person who is signed in while the window is
// made.
import { app } from 'electron';
import { createAuth } from '../../dist/main/index.js';
import { tokenAtStart } from '../peers/latchkey.mjs';
import { JOB, measure } from './talk.mjs';
import { firstPaint } from './window.mjs';

const auth = createAuth({
  issuer: JOB.issuer,
  clientId: JOB.clientId,
  redirects: ['com.example.bench:/callback', 'http://127.0.0.1/callback'],
  keychainService: `bench:${JOB.profile}`,
  singleInstanceLock: false,
});

measure(async () => {
  await app.whenReady();
  const result = await firstPaint();
  await tokenAtStart(auth);
  return { ...result, valid: auth.getView().status === 'signed-in' };
});
