import { expect, pictures, test } from './support/test';

test.use({ file: 'server' });

test.beforeAll(async ({ world: { fleet } }) => {
  fleet.swarm()('connect 30 health');
  await fleet.matching('connection:connected', 30);
});

test('given a server, when its page is opened, then connections and the tasks with their results are shown', async ({ console: page, world }) => {
  await page.goto(`${world.url}/server`);
  await expect(page.getByText('Connections open').locator('..')).toContainText('30');
  await expect(page.getByRole('row').filter({ hasText: 'write-behind' })).toContainText('succeeded');
  await pictures(page, 'server');
});

test('given a fleet, when its heartbeat interval is set and removed, then a rule says so with its agents', async ({ console: page, world }) => {
  await page.goto(`${world.url}/server`);
  const set = page.getByRole('button', { name: 'Set', exact: true });
  await page.getByLabel('Every', { exact: true }).fill('soon');
  await expect(set).toBeDisabled();
  await page.getByLabel('Every', { exact: true }).fill('5m');
  await set.click();
  const rule = page.getByRole('group', { name: 'Rules' }).getByRole('row').nth(1);
  await expect(rule).toContainText('all agents');
  await expect(rule).toContainText('every 5 m');
  await expect(rule).toContainText('30');
  await pictures(page, 'server-heartbeats');
  // The same rule as the command line's, so that neither makes a second one.
  expect(await world.fleet.call('GET', '/connection-settings/heartbeat-all')).toMatchObject({ heartbeat: { interval_seconds: 300 } });
  await rule.getByRole('button', { name: 'Remove…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove the rule for 30 agents' }).click();
  await expect(page.getByText('No rule: every agent speaks')).toBeVisible();
});

test('given agents by query, when their interval is set, then only those are meant', async ({ console: page, world }) => {
  await page.goto(`${world.url}/server`);
  await page.getByLabel('For', { exact: true }).selectOption('q');
  await page.getByLabel('Query').fill('health:healthy');
  await page.getByLabel('Every', { exact: true }).fill('10s');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  // A rule asks what agents are, not how they fare: the server says so, and the page shows it.
  await expect(page.getByRole('alert')).toContainText('not how it fares');
});
