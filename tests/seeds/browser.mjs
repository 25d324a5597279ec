// A browser in which the published front-end code runs as it stands: it has a page origin, obeys
// CORS, and its timers go off when a step says so.
//
//   node browser.mjs BASE ORIGIN PRODUCT SESSION STEP...
//
// A step is `poll` (the next timer goes off), `accept` or `dismiss` (a press on the toast's button),
// `complete` or `abandon` (the tour ends), or an agent state event to emit. After each step one line
// of JSON tells the toast on the screen and every answer that came in.

import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const [base, origin, product, session, ...steps] = process.argv.slice(2);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

// --- the network, as a page sees it

const network = globalThis.fetch;
const pending = new Set();
let answers = [];

const plain = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];

function readable(response) {
  return ['*', origin].includes(response.headers.get('access-control-allow-origin'));
}

async function preflight(url, { method, headers }) {
  const names = Object.keys(headers).map((name) => name.toLowerCase()).sort();
  const response = await network(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': names.join(','),
    },
  });
  const allowed = (response.headers.get('access-control-allow-headers') ?? '').toLowerCase();
  const listed = allowed.split(',').map((name) => name.trim());
  const covered = names.every((name) => listed.includes('*') || listed.includes(name));
  return response.ok && readable(response) && covered;
}

async function send(url, { method = 'GET', headers = {}, body } = {}) {
  const kind = headers['Content-Type'];
  const simple = ['GET', 'HEAD', 'POST'].includes(method) && (!kind || plain.includes(kind));
  if (!simple && !(await preflight(url, { method, headers }))) {
    answers.push({ refused: 'preflight' });
    throw new TypeError('Failed to fetch');
  }
  const response = await network(url, { method, headers: { ...headers, origin }, body });
  if (!readable(response)) {
    answers.push({ refused: 'answer', status: response.status });
    throw new TypeError('Failed to fetch');
  }
  answers.push({ status: response.status, body: await response.clone().json() });
  return response;
}

globalThis.fetch = (url, options) => {
  const sent = send(url, options);
  const settled = sent.then(() => {}, () => {}).then(() => pending.delete(settled));
  pending.add(settled);
  return sent;
};

// --- the clock, as a page sees it

const timers = new Map();
let timersSet = 0;
const clock = Date.now;
let ahead = 0;
Date.now = () => clock() + ahead;

globalThis.window = {
  setTimeout(run, delay) {
    const id = ++timersSet;
    timers.set(id, { run, at: Date.now() + delay });
    return id;
  },
  clearTimeout: (id) => timers.delete(id),
};

async function nextTimer() {
  const due = [...timers].sort(([, a], [, b]) => a.at - b.at)[0];
  if (!due) throw new Error('no timer is set');
  timers.delete(due[0]);
  ahead += Math.max(0, due[1].at - Date.now());
  await due[1].run();
}

// --- the page

const bundle = await build({
  stdin: {
    contents: `
      export { ChatWidget } from './ChatWidget.tsx';
      export { emitAgentStateEvent } from './proactiveAgentState.ts';
      export { default as posthog } from 'posthog-js';
      export * from 'react';`,
    resolveDir: here('.'),
  },
  alias: { react: here('react.mjs'), 'posthog-js': here('posthog.mjs') },
  jsxFactory: 'h',
  jsxFragment: 'Fragment',
  bundle: true,
  format: 'esm',
  write: false,
});
const code = Buffer.from(bundle.outputFiles[0].contents).toString('base64');
const page = await import(`data:text/javascript;base64,${code}`);

// What the seed leaves to the reader's own page.
let tour;
Object.assign(globalThis, {
  CONNECTOR_URL: base,
  PRODUCT_ID: product,
  SESSION_ID: session,
  posthog: page.posthog,
  useState: page.useState,
  h: page.h,
  Fragment: page.Fragment,
  DifyChatWindow: () => null,
  startVisualGuidance: (callbacks) => (tour = callbacks),
});

const text = (element) => element.props.children.join('');

function screen() {
  const elements = page.render(page.ChatWidget);
  const [dismiss, accept] = elements.filter(({ type }) => type === 'button');
  const body = elements.find(({ type }) => type === 'p');
  return body && { body: text(body), accept, dismiss };
}

function press(button) {
  const toast = screen();
  if (!toast) throw new Error(`no toast to ${button}`);
  toast[button].props.onClick();
}

const actions = {
  poll: nextTimer,
  accept: () => press('accept'),
  dismiss: () => press('dismiss'),
  complete: () => tour.onComplete(),
  abandon: () => tour.onAbandon(),
};

screen();
for (const step of steps) {
  answers = [];
  await (actions[step] ?? (() => page.emitAgentStateEvent(step)))();
  await Promise.all(pending);
  const shown = screen();
  const toast = shown ? { ...shown, accept: text(shown.accept), dismiss: text(shown.dismiss) } : null;
  console.log(JSON.stringify({ step, toast, answers }));
}
process.exit(0);
