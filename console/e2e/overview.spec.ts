import { hostileAgent } from './support/hostile';
import { expect, picture, pictures, test } from './support/test';

test.use({ file: 'overview' });

test('given no agent, when the overview is open, then it says how one comes and shows the first at once', async ({ console: page, world }) => {
  await page.goto(world.url);
  await expect(page.getByText('No agent has come yet.')).toBeVisible();
  await expect(page.getByText('live', { exact: true })).toBeVisible();
  await picture(page, 'overview-empty');
  await hostileAgent(world.fleet.agents, 'the-first');
  await expect(page.getByText('1 agent', { exact: true })).toBeVisible();
  await expect(page.getByRole('region', { name: 'What happened last' })).toContainText('the-first');
});

test('given a fleet with trouble, when the overview is open, then it is seen and leads to those agents', async ({ console: page, world: { fleet, url } }) => {
  await fleet.supervisor('edge-1');
  const swarm = fleet.swarm(1, ['--heartbeat', '20s']);
  swarm('connect 300 health');
  await fleet.matching('connection:connected', 301);
  swarm('die 10%');
  await fleet.matching('connection:disconnected', 20);
  await page.goto(url);
  await expect(page.getByRole('list', { name: 'Needs attention' })).toContainText('disconnected');
  await pictures(page, 'overview');
  await page.getByRole('list', { name: 'Needs attention' }).getByRole('link', { name: /disconnected/ }).click();
  await expect(page).toHaveURL(/\/agents\?q=connection:disconnected/);
  await expect(page.getByRole('row').nth(1)).toContainText('disconnected');
  // The word is there in full, on a telephone as well.
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 844 });
    const cell = page.getByRole('gridcell', { name: 'disconnected', exact: true }).first();
    expect(await cell.evaluate((shown) => shown.scrollWidth - shown.clientWidth)).toBeLessThanOrEqual(0);
  }
});

test('given live changes, when they are paused, then they are counted and come with resume', async ({ console: page, world: { fleet, url } }) => {
  await page.goto(url);
  const events = page.getByRole('region', { name: 'What happened last' });
  await expect(page.getByText('live', { exact: true })).toBeVisible();
  await expect(events.getByRole('row').nth(1)).toBeVisible();
  await page.keyboard.press('p');
  await hostileAgent(fleet.agents, 'the-second');
  await expect(page.getByText(/paused \([1-9]/)).toBeVisible();
  await expect(events).not.toContainText('the-second');
  await page.getByRole('button', { name: 'Resume live changes' }).click();
  await expect(events).toContainText('the-second');
});

test('given two tabs, when something happens, then both show it and one stream is open', async ({ console: page, world: { fleet, url } }) => {
  const other = await page.context().newPage();
  const streams: string[] = [];
  for (const tab of [page, other]) tab.on('request', (request) => request.url().includes('/watch') && streams.push(request.url()));
  await page.goto(url);
  await expect(page.getByText('live', { exact: true })).toBeVisible();
  await other.goto(url);
  await expect(other.getByText('live', { exact: true })).toBeVisible();
  await hostileAgent(fleet.agents, 'the-third');
  for (const tab of [page, other]) {
    await expect(tab.getByRole('region', { name: 'What happened last' })).toContainText('the-third');
  }
  expect(streams).toHaveLength(1);
  // The other takes over when the first is closed.
  await page.goto('about:blank');
  await hostileAgent(fleet.agents, 'the-fourth');
  await expect(other.getByRole('region', { name: 'What happened last' })).toContainText('the-fourth');
});
