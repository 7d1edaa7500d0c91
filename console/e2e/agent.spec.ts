import type { Page } from '@playwright/test';
import { hostileAgent } from './support/hostile';
import { accessible, expect, pictures, test } from './support/test';

test.use({ file: 'agent' });

let uid = '';

test.beforeAll(async ({ world: { fleet } }) => {
  await fleet.supervisor('edge-1');
  await fleet.matching('health:healthy', 1);
  const page = (await fleet.call('GET', '/agents?q=name:edge-1')) as unknown as { items: { uid: string }[] };
  uid = page.items[0]?.uid ?? '';
});

const panel = (page: Page) => page.getByRole('tabpanel');

test('given an agent, when its page is opened, then it shows axes with ages and the components in order', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents/${uid}`);
  await expect(page.getByRole('heading', { name: 'edge-1' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Connection' })).toContainText('connected');
  await expect(page.getByRole('region', { name: 'Health' })).toContainText('healthy');
  const tree = page.getByRole('tree');
  await expect(tree.getByRole('treeitem', { name: /^output:seen, healthy/ })).toBeVisible();
  const names = await tree.getByRole('treeitem').evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label')?.split(',')[0]));
  expect(names.indexOf('input:made_up')).toBeLessThan(names.indexOf('filter:only_info'));
  expect(names.indexOf('filter:only_info')).toBeLessThan(names.indexOf('output:seen'));
  await pictures(page, 'agent');
});

test('given an agent, when only keys are used, then tabs, tree and difference are reached', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents/${uid}`);
  await expect(page.getByRole('tree')).toBeVisible();
  await page.keyboard.press(']');
  await expect(page).toHaveURL(/tab=config/);
  await expect(panel(page)).toContainText('flush: 1');
  await page.keyboard.press('[');
  await expect(page).not.toHaveURL(/tab=/);
  await page.getByRole('treeitem').first().focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('treeitem').nth(1)).toBeFocused();
  await page.keyboard.press('End');
  await expect(page.getByRole('treeitem').last()).toBeFocused();
});

test('given an agent with digests, when its metrics are opened, then its plugins are a table and lines with a table behind', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents/${uid}?tab=metrics`);
  await expect(panel(page).getByRole('button', { name: 'input:made_up' })).toBeVisible();
  await panel(page).getByRole('button', { name: 'output:seen' }).click();
  await expect(page).toHaveURL(/component=output:seen/);
  await panel(page).getByRole('button', { name: 'Table' }).first().click();
  await expect(panel(page).getByRole('group', { name: 'In as a table' })).toBeVisible();
  await panel(page).getByRole('button', { name: 'Chart' }).click();
  await pictures(page, 'agent-metrics');
});

test('given an agent, when its log is opened, then its last lines are fetched', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents/${uid}?tab=logs`);
  await expect(panel(page).locator('pre .line').first()).toBeVisible({ timeout: 20_000 });
  await pictures(page, 'agent-logs');
});

test('given an agent with an HTTP input, when a ChatOps command is sent, then its answer is read there', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents/${uid}?tab=commands`);
  await expect(panel(page).getByLabel('Message').locator('option').first()).toContainText('chatop');
  await panel(page).getByRole('button', { name: 'Send' }).click();
  await expect(panel(page).getByText('tag is needed.')).toBeVisible();
  await panel(page).getByLabel('tag needed').fill('app.chat');
  await panel(page).getByLabel('attributes', { exact: true }).fill('{"level": "info", "order": "from the console"}');
  await panel(page).getByRole('button', { name: 'Send' }).click();
  const first = panel(page).getByRole('listitem').first();
  await expect(first).toContainText('succeeded', { timeout: 20_000 });
  await expect(first.locator('pre')).toContainText('"http_code": "20');
  await pictures(page, 'agent-commands');
});

test('given an agent, when it is restarted with the keyboard, then the confirmation names it and the command succeeds', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents/${uid}?tab=commands`);
  await page.getByRole('button', { name: 'Restart…' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('edge-1');
  await accessible(page);
  await dialog.getByRole('button', { name: 'Restart 1 agent' }).focus();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  const first = panel(page).getByRole('listitem').first();
  await expect(first).toContainText('restart');
  await expect(first).toContainText('succeeded', { timeout: 30_000 });
});

test('given an agent with a past, when its timeline is opened, then events and orders stand there and kinds narrow it', async ({ console: page, world }) => {
  await world.fleet.call('POST', `/agents/${uid}/commands`, { kind: 'custom', capability: 'io.tidegate.logs', type: 'request', data: { lines: 5 } });
  await page.goto(`${world.url}/agents/${uid}?tab=timeline`);
  await expect(panel(page).getByRole('row').nth(1)).toBeVisible();
  await panel(page).getByRole('button', { name: 'agent-added' }).click();
  await expect(panel(page).getByRole('row')).toHaveCount(2);
  await expect(panel(page).getByRole('row').nth(1)).toContainText('first report');
  await panel(page).getByRole('button', { name: 'agent-added' }).press('Space');
  await expect(panel(page).getByRole('row').filter({ hasText: 'logs: request' }).first()).toContainText('succeeded');
  await pictures(page, 'agent-timeline');
});

test('given an agent whose every text is an attack, when each tab is shown, then nothing of it runs', async ({ console: page, world }) => {
  await hostileAgent(world.fleet.agents, 'hostile-1');
  await world.fleet.matching('health:unhealthy', 1);
  const found = (await world.fleet.call('GET', '/agents?q=health:unhealthy')) as unknown as { items: { uid: string }[] };
  for (const tab of ['summary', 'config', 'metrics', 'timeline', 'commands', 'logs', 'raw']) {
    await page.goto(`${world.url}/agents/${found.items[0]?.uid}?tab=${tab}`);
    await expect(panel(page)).toBeVisible();
    expect(await page.locator('main img, main script, main iframe').count()).toBe(0);
  }
  await page.goto(`${world.url}/agents/${found.items[0]?.uid}`);
  await expect(panel(page)).toContainText('<');
  await pictures(page, 'hostile-agent');
});
