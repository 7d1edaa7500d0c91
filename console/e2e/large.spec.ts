import { type Page } from '@playwright/test';
import { expect, test } from './support/test';

// A hundred thousand agents take minutes to come: only where it is asked for, with programs of the release profile.
const AGENTS = Number(process.env.TIDEGATE_E2E_AGENTS ?? 0);
test.skip(AGENTS === 0, 'TIDEGATE_E2E_AGENTS=100000 runs it');
test.use({ file: 'large' });

let swarm: (command: string) => void;

test.beforeAll(async ({ world: { fleet } }) => {
  test.setTimeout(900_000);
  swarm = fleet.swarm(1, ['--in-flight', '64']);
  swarm(`connect ${AGENTS} health mux 500`);
  await fleet.matching('name:*', AGENTS, 840_000);
});

/** Milliseconds from the start of a navigation until something is there. */
async function until(page: Page, url: string, selector: string): Promise<number> {
  await page.goto(url, { waitUntil: 'commit' });
  await page.locator(selector).first().waitFor();
  return page.evaluate(() => Math.round(performance.now()));
}

test('given a hundred thousand agents, when the table is opened, then it holds few rows and reaches its end, and how long that takes is printed', async ({ console: page, world }) => {
  const overview = await until(page, world.url, '.axes section a');
  const table = await until(page, `${world.url}/agents`, '[role=row] [role=gridcell] a');
  const { paint, script } = await page.evaluate(() => ({
    paint: Math.round(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1),
    script: performance.getEntriesByType('resource').reduce((sum, one) => sum + (one.name.endsWith('.js') ? (one as PerformanceResourceTiming).encodedBodySize : 0), 0),
  }));
  await page.getByRole('grid').focus();
  const from = Date.now();
  await page.keyboard.press('End');
  await expect(page.locator(`[role=row][aria-rowindex="${AGENTS + 1}"] [role=gridcell] a`)).toBeVisible({ timeout: 60_000 });
  const end = Date.now() - from;
  expect(await page.getByRole('row').count()).toBeLessThanOrEqual(81);
  console.log(`overview ${overview} ms, table ${table} ms, first paint ${paint} ms, scripts ${script} bytes as sent, to the end ${end} ms`);
});

test('given a hundred thousand agents, when a query is completed, then how long that takes is printed', async ({ console: page }) => {
  const took = await page.evaluate(async () => {
    const all: number[] = [];
    for (const q of ['n', 'name:node-0', 'health:', 'version:', 'os:l', 'attr.', 'node-0', 'connection:connected heal']) {
      for (let times = 0; times < 25; times += 1) {
        const from = performance.now();
        const answer = await fetch(`/api/v1/agents/completions?q=${encodeURIComponent(q)}&at=${q.length}`);
        const { items } = (await answer.json()) as { items: unknown[] };
        all.push(performance.now() - from);
        if (!answer.ok || items.length === 0) throw new Error(`${q}: ${answer.status}, ${items.length} items`);
      }
    }
    return all.sort((a, b) => a - b);
  });
  const at = (share: number) => (took[Math.floor(took.length * share)] ?? NaN).toFixed(1);
  console.log(`completions: median ${at(0.5)} ms, p95 ${at(0.95)} ms, slowest ${at(0.999)} ms`);
});

test('given a thousand changes a second, when the pages are open, then they stay live, and how long tasks hold the browser is printed', async ({ console: page, world }) => {
  test.setTimeout(180_000);
  for (const path of ['/', '/agents']) {
    await page.goto(world.url + path);
    await expect(page.getByText('live', { exact: true })).toBeVisible();
    await page.waitForTimeout(2_000);
    await page.evaluate(() => {
      const tasks: number[] = [];
      Object.assign(window, { tasks });
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' });
    });
    swarm('statuses 1000 10s');
    await page.waitForTimeout(11_000);
    const tasks = await page.evaluate(() => (window as unknown as { tasks: number[] }).tasks);
    console.log(`${path}: long tasks ${tasks.map(Math.round).join(', ') || 'none'} ms`);
    await expect(page.getByText('live', { exact: true })).toBeVisible();
  }
});
