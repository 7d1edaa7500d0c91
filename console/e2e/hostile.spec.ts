import { hostileAgent } from './support/hostile';
import { expect, picture, pictures, test } from './support/test';

test.use({ file: 'hostile' });

test.beforeAll(async ({ world: { fleet } }) => {
  await hostileAgent(fleet.agents);
  await fleet.matching('health:unhealthy', 1);
});

// The fixture fails the test on any dialog, foreign request, error or breach of the policy.
test('given an agent whose every text is an attack, when pages show it, then the texts are shown and nothing else happens', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents?cols=health,attention,version,os,service,labels,attr.__proto__,arch`);
  const row = page.getByRole('row').nth(1);
  await expect(row).toContainText('<script>alert(2)</script>{{7*7}}^[[31m');
  await expect(row.locator('[title="U+202E"]').first()).toHaveText('U+202E');
  expect(await page.locator('main img, main script').count()).toBe(0);
  await pictures(page, 'hostile-agents');

  // Its values can be asked for like any other.
  const value = page.getByRole('complementary', { name: 'Filters' }).getByRole('button', { name: /alert\(1\)/ }).first();
  await value.click();
  await expect(page).toHaveURL(/q=/);
  await expect(row).toContainText('alert(2)');

  await page.goto(world.url);
  await expect(page.getByRole('region', { name: 'Version' })).toContainText('<img src=x');
  await expect(page.getByRole('region', { name: 'What happened last' })).toContainText('^[[31m');
  expect(await page.locator('main img, main script').count()).toBe(0);
  await picture(page, 'hostile-overview');
});
