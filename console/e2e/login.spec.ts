import { expect, picture, pictures, test } from './support/test';

test.use({ file: 'login' });

test('given nobody is logged in, when a page is wished, then it is shown after a link has let in, and the link works once', async ({ page, world }) => {
  await page.goto(`${world.url}/agents?q=os:linux`);
  await expect(page.getByRole('heading', { name: 'With a token' })).toBeVisible();
  await expect(page).toHaveURL(/\/login\?next=/);
  await pictures(page, 'login');

  const link = await world.fleet.loginLink();
  await page.goto(world.url + link);
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
  // The code is in no address of the history any more.
  expect(page.url()).toBe(`${world.url}/`);
  await page.context().clearCookies();
  await page.goto(world.url + link);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'With a link' })).toBeVisible();
  await page.goto(world.url + link);
  await expect(page.getByRole('alert')).toBeVisible();
});

test('given the keyboard alone, when a token is given, then a wrong one is refused and the right one leads to the wish', async ({ page, world }) => {
  await page.goto(`${world.url}/agents?q=os:linux`);
  const token = page.getByRole('textbox', { name: 'Token' });
  await expect(token).toBeFocused();
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toBeVisible();
  await picture(page, 'login-refused');
  await token.fill(world.fleet.token);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`${world.url}/agents?q=os:linux`);
  await expect(page.getByRole('heading', { name: 'Agents' })).toBeVisible();
  // No script can read the session, and nothing of it is kept where scripts can.
  expect(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }))).toBe('{}');

  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL(/\/login/);
  expect((await page.request.get(`${world.url}/api/v1/agents`)).status()).toBe(401);
});

test('given the session has ended, when something is asked, then the way back leads through the login', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents?q=os:linux`);
  await expect(page.getByText('No agent matches.')).toBeVisible();
  await page.context().clearCookies();
  await page.getByRole('combobox', { name: 'Search agents' }).fill('os:plan9');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/login\?next=\/agents/);
});

test('given the sheet of keys, when single keys are switched off, then they do not act', async ({ console: page, world }) => {
  await page.goto(world.url);
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keys' });
  await expect(sheet).toContainText('Go to Agents');
  await picture(page, 'keys');
  await sheet.getByLabel('Single keys act').uncheck();
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
  await page.keyboard.press('?');
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await expect(sheet).toBeHidden();
  expect(page.url()).toBe(`${world.url}/`);
});

test('given a theme is chosen, when the page is loaded again, then it holds', async ({ console: page, world }) => {
  await page.goto(world.url);
  const theme = page.getByRole('button', { name: /^Theme/ });
  await theme.click();
  await theme.click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await theme.click();
  await expect(page.locator('html')).not.toHaveAttribute('data-theme');
});
