import { expect, picture, pictures, test } from './support/test';

test.use({ file: 'agents' });

test.beforeAll(async ({ world: { fleet } }) => {
  await fleet.supervisor('edge-1');
  fleet.swarm(1, ['--heartbeat', '20s'])('connect 1500 health');
  await fleet.matching('connection:connected', 1501, 60_000);
});

test('given a fleet, when the table is scrolled to its end, then few rows are in the document and the last agent is there', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents?sort=name`);
  const grid = page.getByRole('grid', { name: 'Agents' });
  await expect(grid).toHaveAttribute('aria-rowcount', '1502');
  await expect(page.getByRole('row', { name: /edge-1/ })).toBeVisible();
  await pictures(page, 'agents');
  // The end is read from the end, and its rows stand where they would from the start: edge-1 is the first row below the head.
  const pages: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/agents/search') && request.postData()?.includes('"sort"')) pages.push(request.postData() ?? '');
  });
  await grid.focus();
  await page.keyboard.press('End');
  await expect(page.getByRole('row', { name: /node-001499/ })).toBeVisible();
  expect(pages).toHaveLength(1);
  await page.keyboard.press('PageUp');
  await page.keyboard.press('PageUp');
  await page.keyboard.press('PageUp');
  await expect(page.getByRole('row', { name: /node-001440/ })).toBeVisible();
  const shown = await page.locator('[role=row][aria-rowindex]:has(a)').evaluateAll((rows) => rows.map((row) => [Number(row.getAttribute('aria-rowindex')), row.textContent] as const));
  expect(shown.length).toBeGreaterThan(20);
  for (const [at, text] of shown) expect(text).toContain(`node-${String(at - 3).padStart(6, '0')}`);
  expect(await page.getByRole('row').count()).toBeLessThanOrEqual(81);
  await page.keyboard.press('Home');
  await expect(page.getByRole('row', { name: /edge-1/ })).toBeVisible();
});

test('given filters and columns, when they are chosen, then the address says so and "back" undoes it', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents`);
  const filters = page.getByRole('complementary', { name: 'Filters' });
  await filters.getByRole('button', { name: /^arm64/ }).click();
  await expect(page).toHaveURL(/\?q=arch=arm64$/);
  await expect(page.getByText(/agents match/)).toBeVisible();
  await filters.getByRole('button', { name: 'Exclude Version 5.1.1' }).click();
  await expect(page).toHaveURL(/\?q=arch=arm64\+-version=5\.1\.1$/);
  await expect(page.getByRole('row').nth(1)).not.toContainText('5.1.1');
  await page.goBack();
  await page.goBack();
  await expect(page.getByText('1\u202f501 agents', { exact: true })).toBeVisible();

  await page.getByRole('button', { name: 'Columns' }).click();
  const dialog = page.getByRole('dialog', { name: 'Columns' });
  await picture(page, 'columns');
  await dialog.getByRole('button', { name: 'Architecture', exact: true }).or(dialog.getByRole('button', { name: 'Arch', exact: true })).click();
  await dialog.getByLabel('Any attribute or label').fill('attr.host.name');
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(page).toHaveURL(/cols=connection,health,config,version,os,last_seen,attention,arch,attr\.host\.name/);
  await expect(page.getByRole('columnheader', { name: 'Host' })).toBeVisible();
  await page.getByRole('columnheader', { name: 'Name' }).getByRole('button').click();
  await expect(page.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending');
  await page.reload();
  await expect(page.getByRole('columnheader', { name: 'Host' })).toBeVisible();
});

test('given the keyboard alone, when many are restarted, then the number must be typed and the progress is shown', async ({ console: page, world }) => {
  await page.goto(world.url);
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await expect(page.getByRole('grid')).toBeVisible();
  // A key and a value by completion, then a further term by hand.
  await page.keyboard.press('/');
  await page.keyboard.type('vers');
  await expect(page.getByRole('option', { name: /^version:/ })).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('option', { name: /4\.1\.1/ })).toBeVisible();
  await picture(page, 'completion');
  await page.keyboard.type('4.1');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.type('name:node-0000*');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/q=version:4\.1\.1\+name:node-0000\*/);
  // What is said aloud follows what is seen by some seconds.
  const said = page.locator('[aria-live="off"]').getByText(/agents match$/);
  await expect(said).not.toContainText('501');
  const matched = await said.textContent();
  const number = Number(/\d+/.exec(matched ?? '')?.[0]);
  expect(number).toBeGreaterThanOrEqual(10);

  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await expect(page.getByText('1 agent selected')).toBeVisible();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('X');
  await expect(page.getByText('3 agents selected')).toBeVisible();
  await picture(page, 'agents-selected');
  await tabTo(page, `Select all ${number} that match`, true);
  await page.keyboard.press('Enter');
  await expect(page.getByText(`${number} agents selected`)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Restart…' })).toBeFocused();
  await page.keyboard.press('Enter');

  const dialog = page.getByRole('dialog', { name: `Restart ${number} agents` });
  await expect(dialog.getByRole('button', { name: `Restart ${number} agents` })).toBeDisabled();
  await pictures(page, 'restart');
  // A name is not broken at its hyphens where a line holds it, not even on a telephone.
  await page.setViewportSize({ width: 390, height: 844 });
  const heights = await dialog.getByRole('listitem').locator('bdi').evaluateAll((names) => names.map((name) => name.getBoundingClientRect().height));
  expect(heights).toHaveLength(5);
  expect(Math.max(...heights)).toBeLessThan(30);
  await page.setViewportSize({ width: 1440, height: 900 });
  // Escape leaves everything as it is and gives the focus back.
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('button', { name: 'Restart…' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog.getByLabel(/Type .* the number of agents/)).toBeVisible();
  await tabTo(page, '', false, 'input');
  await page.keyboard.type(String(number + 1));
  await expect(dialog.getByRole('button', { name: `Restart ${number} agents` })).toBeDisabled();
  for (const _ of String(number)) await page.keyboard.press('Backspace');
  await page.keyboard.type(String(number));
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/operations\//);
  await expect(page.getByRole('heading', { name: `Restart of ${number} agents` })).toBeVisible();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await pictures(page, 'operation');
});

test('given plans of an assistant, when their pages are opened, then one is carried out with the keyboard and one discarded', async ({ console: page, world }) => {
  await page.goto(world.url + (await world.fleet.plan('name:edge-1')));
  await expect(page.getByRole('heading', { name: 'Restart 1 agent' })).toBeVisible();
  await expect(page.getByRole('main')).toContainText('through an assistant');
  const restart = page.getByRole('button', { name: 'Restart 1 agent' });
  await expect(restart).toBeDisabled();
  await pictures(page, 'plan');
  await page.getByLabel('Why, in 8 to 280 characters').focus();
  await page.keyboard.type('the output hangs');
  await page.keyboard.press('Tab');
  await page.keyboard.type('restart 2');
  await expect(restart).toBeDisabled();
  await page.keyboard.press('Backspace');
  await page.keyboard.type('1');
  await expect(restart).toBeEnabled();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/operations\//);
  await expect(page.getByRole('heading', { name: 'Restart of 1 agent' })).toBeVisible();
  await page.goto(world.url + (await world.fleet.plan('name:edge-1')));
  await page.getByRole('button', { name: 'Discard the plan' }).click();
  await expect(page.getByRole('main').getByText('discarded', { exact: true })).toBeVisible();
  await expect(restart).toBeHidden();
});

test('given a query that cannot be read, then the place is marked and the search can be cleared', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents?q=health:helthy`);
  await expect(page.getByRole('alert')).toContainText('healthy');
  await expect(page.getByRole('alert')).toContainText('trace id');
  await picture(page, 'query-wrong');
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await expect(page.getByRole('row', { name: /edge-1|node-/ }).first()).toBeVisible();
});

test('given no agent that matches, then a part of the query can be taken away', async ({ console: page, world }) => {
  await page.goto(`${world.url}/agents?q=name:edge-1+os:plan9`);
  await expect(page.getByText('No agent matches.')).toBeVisible();
  await picture(page, 'agents-none');
  await page.getByRole('button', { name: 'os:plan9' }).click();
  await expect(page.getByRole('row', { name: /edge-1/ })).toBeVisible();
});

/** Presses Tab, or Shift+Tab, until something has the focus: by its name, or by its element's. */
async function tabTo(page: import('@playwright/test').Page, name: string, back: boolean, element = 'button'): Promise<void> {
  for (let pressed = 0; pressed < 60; pressed += 1) {
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
    const at = await page.evaluate(() => [document.activeElement?.tagName.toLowerCase(), document.activeElement?.textContent?.trim()]);
    if (at[0] === element && (name === '' || at[1] === name)) return;
  }
  throw new Error(`Tab does not lead to ${name || element}`);
}
