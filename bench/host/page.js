// The bench's page: says when it painted, and acknowledges each view that reaches it, by whichever
// way it came.
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    bench.say(entry.name, performance.timeOrigin + entry.startTime);
}).observe({ type: 'paint', buffered: true });
bench.onPush((view) => bench.say('seen', view.renewal.since));
// Latchkey's bridge, as latchkey/renderer uses it.
globalThis.latchkey?.onView((view) => bench.say('view', view.status));
addEventListener('DOMContentLoaded', () => bench.say('loaded', 0));
