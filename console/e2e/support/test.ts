/** What every test of a page has: a fleet of its file, a browser that is logged in, and an eye on what must not happen. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { type Page, test as base, expect } from '@playwright/test';
import { carriesThisBuild, front } from './front';
import { Fleet } from './programs';

export { expect } from '@playwright/test';

const ARTEFACTS = resolve(import.meta.dirname, '../artefacts');

interface World {
  fleet: Fleet;
  /** Where the console is. */
  url: string;
}

export const test = base.extend<{ console: Page }, { file: string; world: World }>({
  // Another name is another worker: each file has a fleet of its own.
  file: ['', { scope: 'worker', option: true }],
  world: [
    async ({ file: _ }, use) => {
      const fleet = new Fleet();
      await fleet.start();
      const own = (await carriesThisBuild(fleet.operators)) ? undefined : await front(fleet.operators);
      await use({ fleet, url: own?.url ?? `http://${fleet.operators}` });
      own?.server.closeAllConnections();
      own?.server.close();
      await fleet.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  // A page that is logged in. Errors, forbidden styles and requests to others make the test fail.
  console: async ({ page, world }, use) => {
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) wrong.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(world.url) && !request.url().startsWith('data:')) wrong.push(`request: ${request.url()}`);
    });
    page.on('dialog', (dialog) => {
      wrong.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(world.url + (await world.fleet.loginLink()));
    await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
    await use(page);
    expect(wrong).toEqual([]);
  },
});

/** No serious finding of axe on what is shown: all rules, or those of colours alone. */
export async function accessible(page: Page, rules: 'all' | 'colours' = 'all'): Promise<void> {
  const axe = new AxeBuilder({ page });
  if (rules === 'colours') axe.withRules(['color-contrast']);
  const { violations } = await axe.analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
}

/** One picture of a state of a page whose others are taken elsewhere. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(ARTEFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTEFACTS, `${name}.png`) });
  await accessible(page);
}

/** Pictures of a page in both themes and both widths; nothing may stick out at the side. */
export async function pictures(page: Page, name: string): Promise<void> {
  // Axe and four pictures take their time on a small machine.
  test.setTimeout(test.info().timeout + 60_000);
  mkdirSync(ARTEFACTS, { recursive: true });
  const before = page.viewportSize();
  for (const [width, height] of [[1440, 900], [390, 844]] as const) {
    await page.setViewportSize({ width, height });
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.screenshot({ path: join(ARTEFACTS, `${name}-${scheme}-${width}.png`) });
      if (scheme === 'light' || width > 1000) await accessible(page, scheme === 'light' ? 'all' : 'colours');
    }
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(over, `${name} is wider than ${width}`).toBeLessThanOrEqual(0);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  if (before) await page.setViewportSize(before);
}
