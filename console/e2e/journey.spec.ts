import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test, type Page } from '@playwright/test';

// From a login link to all that an operator does with one agent, in one go: of what runs already, as scripts/run.sh
// leaves it. The console is the one that the server carries.
const LINK = process.env.TIDEGATE_E2E_LINK ?? '';
test.skip(LINK === '', 'TIDEGATE_E2E_LINK=$(tidegate login-link) runs it');

const ARTEFACTS = resolve(import.meta.dirname, 'artefacts');
const GOOD = readFileSync(resolve(import.meta.dirname, '../../examples/pushed.yaml'), 'utf8');
const BAD = GOOD.replace('name: stdout', 'name: no_such_plugin');

const panel = (page: Page) => page.getByRole('tabpanel');
const picture = (page: Page, name: string) => page.screenshot({ path: join(ARTEFACTS, `journey-${name}.png`) });

/** Opens a tab of the agent's page. */
async function tab(page: Page, name: string): Promise<void> {
  await page.getByRole('tab', { name, exact: true }).click();
}

/** Pushes a config to one agent; answers its row. */
async function push(page: Page, config: string, name: string) {
  await page.getByRole('navigation').getByRole('link', { name: 'Push' }).click();
  await page.getByRole('textbox', { name: 'The config' }).focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(config);
  await page.getByRole('textbox', { name: 'Query' }).fill(`name:${name}`);
  await page.getByRole('button', { name: 'Push to 1 agent…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Push to 1 agent' }).click();
  return page.getByRole('row').nth(1);
}

test('given a login link, when it is opened, then one agent is seen, pushed to, restarted and spoken to', async ({ page }) => {
  test.setTimeout(240_000);
  await page.goto(LINK);
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
  await picture(page, '1-overview');
  await page.getByRole('navigation').getByRole('link', { name: 'Agents' }).click();
  const first = page.getByRole('grid').getByRole('link').first();
  const name = (await first.textContent())?.trim() ?? '';
  await first.click();

  // Its health tree, and charts that move.
  await expect(page.getByRole('tree').getByRole('treeitem', { name: /^output:seen, healthy/ })).toBeVisible();
  await picture(page, '2-health');
  await tab(page, 'Metrics');
  const records = panel(page).getByRole('row').filter({ hasText: 'input:made_up' }).getByRole('cell').last();
  const number = async () => Number((await records.textContent())?.replace(/\D/g, ''));
  await expect.poll(number, { timeout: 30_000 }).toBeGreaterThan(0);
  const before = await number();
  await expect.poll(number, { timeout: 30_000 }).toBeGreaterThan(before);
  await picture(page, '3-charts');

  // A word to its HTTP input, and the answer.
  await tab(page, 'Commands');
  await panel(page).getByLabel('tag needed').fill('app.chat');
  await panel(page).getByLabel('attributes', { exact: true }).fill('{"level": "info", "order": "from the console"}');
  await panel(page).getByRole('button', { name: 'Send' }).click();
  const newest = panel(page).getByRole('listitem').first();
  await expect(newest).toContainText('succeeded', { timeout: 20_000 });
  await expect(newest.locator('pre')).toContainText('"http_code": "20');
  await picture(page, '4-chatops');

  // A good config, then a bad one: why it failed, and what runs instead.
  const good = await push(page, GOOD, name);
  await expect(good).toContainText('proven', { timeout: 40_000 });
  await picture(page, '5-proven');
  const bad = await push(page, BAD, name);
  await expect(bad).toContainText('failed', { timeout: 40_000 });
  await expect(bad).toContainText('no_such_plugin');
  await picture(page, '6-failed');
  await bad.getByRole('link', { name }).click();
  await expect(panel(page).getByRole('row').filter({ hasText: 'no_such_plugin' })).toContainText('should be');
  await expect(panel(page).getByRole('row').filter({ hasText: 'name: stdout' })).toContainText('is');
  await picture(page, '7-difference');

  await tab(page, 'Commands');
  await page.getByRole('button', { name: 'Restart…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Restart 1 agent' }).click();
  await expect(newest).toContainText('restart');
  await expect(newest).toContainText('succeeded', { timeout: 40_000 });
  await picture(page, '8-restarted');
});
