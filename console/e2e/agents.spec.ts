import { expect, pictures, test } from './support/test';

test.beforeAll(async ({ world: { fleet } }) => {
  await fleet.supervisor('edge-1');
  fleet.swarm()('connect 300 health');
  await fleet.matching('connection:connected', 301);
});

test('given a fleet, when the page of agents is opened, then it looks as it should', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents`);
  await expect(page.getByRole('row').nth(5)).toBeVisible();
  await pictures(page, 'agents');
});
