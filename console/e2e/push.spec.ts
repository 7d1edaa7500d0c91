import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { until } from './support/programs';
import { accessible, expect, picture, pictures, test } from './support/test';

test.use({ file: 'push' });
// What is taken back was pushed before: each goes on where the one before it ended.
test.describe.configure({ mode: 'serial' });

const GOOD = readFileSync(resolve(import.meta.dirname, '../../examples/pushed.yaml'), 'utf8');
const SECRET = 'not-for-the-server';
const WITH_PARSERS = GOOD.replace('service:', `env:\n  API_TOKEN: ${SECRET}\n\nservice:`).replace('log_level: info', 'log_level: info\n  parsers_file: parsers.conf');
const PARSERS = '[PARSER]\n    Name   as_json\n    Format json\n';
const BAD = GOOD.replace('name: stdout', 'name: no_such_plugin');

/** Writes over what the editor has, as somebody at a keyboard would. */
async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'The config' }).focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

/** Every file below a folder, read. */
function texts(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile()).map((path) => readFileSync(path, 'utf8'));
}

test.beforeAll(async ({ world: { fleet } }) => {
  await fleet.supervisor('edge-1');
  await fleet.matching('health:healthy', 1);
  await until('the schema of its build', async () => {
    const { items } = (await fleet.call('GET', '/schemas')) as { items?: unknown[] };
    return items?.length ? true : undefined;
  });
});

test('given a good config of two files, when it is pushed with the keyboard, then the agent is proven to run it', async ({ console: page, world }) => {
  await page.goto(world.url);
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await expect(page.getByRole('heading', { name: 'Push', exact: true })).toBeVisible();
  await write(page, WITH_PARSERS);
  await page.getByRole('button', { name: 'New file' }).focus();
  await page.keyboard.press('Enter');
  const name = page.getByRole('textbox', { name: 'File name' });
  await expect(name).toBeFocused();
  await page.keyboard.type('parsers.conf');
  await expect(page.getByText('parsers.conf is empty: write it, or remove it.')).toBeVisible();
  await write(page, PARSERS);
  const query = page.getByRole('textbox', { name: 'Query' });
  await query.focus();
  await page.keyboard.type('name:edge-1');
  const push = page.getByRole('button', { name: 'Push to 1 agent…' });
  await expect(push).toBeEnabled();
  await expect(page).toHaveURL(/q=name:edge-1/);
  await pictures(page, 'push');
  await push.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('edge-1');
  await accessible(page);
  await dialog.getByRole('button', { name: 'Push to 1 agent' }).focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/push\/[0-9a-f-]{36}$/);
  await expect(page.getByRole('row').nth(1)).toContainText('proven', { timeout: 30_000 });
  await expect(page.getByRole('status').filter({ hasText: 'Done' })).toContainText('1 of 1 agent runs it, 0 failed');
});

test('given a bad config, when it is pushed, then it is seen why it failed and what runs instead', async ({ console: page, world }) => {
  await page.goto(`${world.url}/push?q=name:edge-1`);
  await write(page, BAD);
  await page.getByRole('button', { name: 'Push to 1 agent…' }).click();
  // Its build said what it knows: the push is warned of before it is made.
  const ahead = page.getByRole('dialog');
  const line = BAD.split('\n').findIndex((text) => text.includes('no_such_plugin')) + 1;
  await expect(ahead).toContainText('it will not understand this');
  await expect(ahead.getByRole('listitem').filter({ hasText: `fluent-bit.yaml:${line}:` })).toContainText(/no_such_plugin.*1 agent/);
  await picture(page, 'push-warnings');
  await ahead.getByRole('button', { name: 'Push to 1 agent' }).click();
  const row = page.getByRole('row').nth(1);
  await expect(row).toContainText('failed', { timeout: 30_000 });
  await expect(row).toContainText('no_such_plugin');
  await pictures(page, 'push-failed');
  await page.getByRole('button', { name: 'Roll the failed back…' }).click();
  const back = page.getByRole('dialog');
  await expect(back).toContainText('edge-1');
  await accessible(page);
  await page.keyboard.press('Escape');
  await row.getByRole('link', { name: 'edge-1' }).click();
  const panel = page.getByRole('tabpanel');
  await expect(panel).toContainText('2 files differ');
  await expect(panel.getByRole('row').filter({ hasText: 'no_such_plugin' })).toContainText('should be');
  await expect(panel.getByRole('row').filter({ hasText: 'name: stdout' })).toContainText('is');
  await expect(panel.getByRole('row').filter({ hasText: 'API_TOKEN: redacted-' })).toContainText('is');
  // One reason, told once: with the config.
  const reason = (name: string) => page.getByRole('region', { name, exact: true });
  await expect(reason('Config')).toContainText('no_such_plugin');
  await expect(reason('Health')).toContainText('config: failed');
  await expect(reason('Health')).not.toContainText('no_such_plugin');
  await expect(reason('Attention')).toContainText('its config failed');
  await expect(reason('Attention')).not.toContainText('no_such_plugin');
  await pictures(page, 'agent-config');
  await panel.getByRole('button', { name: 'What it would go back to' }).click();
  await expect(panel).toContainText('by this push');
  await expect(panel.getByRole('region', { name: 'fluent-bit.yaml' })).toContainText(/API_TOKEN: redacted-[0-9a-f]{16}[^]*parsers_file: parsers.conf/);
  await expect(panel.getByRole('region', { name: 'parsers.conf' })).toContainText('as_json');
});

test('given a push that failed, when it is tried again and then rolled back, then its agents run what they ran before, which can be changed with its secrets unseen', async ({ console: page, world }) => {
  await page.goto(`${world.url}/push`);
  await page.getByRole('region', { name: 'Earlier pushes' }).getByRole('link').first().click();
  await page.getByRole('button', { name: 'Try the failed again…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Push again to 1 agent' }).click();
  await expect(page.getByText('It tries a push that failed again')).toBeVisible();
  await expect(page.getByRole('row').nth(1)).toContainText('failed', { timeout: 30_000 });
  await page.getByRole('button', { name: 'Roll the failed back…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Roll 1 agent back' }).click();
  await expect(page.getByText('It takes agents back from')).toBeVisible();
  await expect(page.getByRole('row').nth(1)).toContainText('proven', { timeout: 30_000 });
  await page.getByRole('row').nth(1).getByRole('link', { name: 'edge-1' }).click();
  await page.getByRole('link', { name: 'Edit and push…' }).click();
  await expect(page.getByRole('list', { name: 'Files of the config' }).getByRole('button')).toHaveText(['fluent-bit.yaml main', 'parsers.conf']);
  const editor = page.getByRole('textbox', { name: 'The config' });
  await expect(editor).toContainText('parsers_file: parsers.conf');
  // Secrets are marks here, and themselves again on the host.
  await expect(editor).toContainText(/API_TOKEN: redacted-[0-9a-f]{16}/);
  await editor.focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.insertText('# changed here\n');
  await page.getByRole('button', { name: 'Push to 1 agent…' }).click();
  await dialog.getByRole('button', { name: 'Push to 1 agent' }).click();
  await expect(page.getByRole('row').nth(1)).toContainText('proven', { timeout: 30_000 });
  const changed = texts(join(world.fleet.folder, 'edge-1')).filter((text) => text.startsWith('# changed here'));
  expect(changed.some((text) => text.includes(`API_TOKEN: ${SECRET}\n`))).toBe(true);
  await page.getByRole('navigation').getByRole('link', { name: 'Push' }).click();
  await page.getByRole('button', { name: 'parsers.conf' }).click();
  await page.getByRole('button', { name: 'Remove this file' }).click();
  await expect(page.getByRole('textbox', { name: 'File name' })).toHaveValue('fluent-bit.yaml');
  await expect(page.getByRole('list', { name: 'Files of the config' })).toBeHidden();
});

test('given many agents, when a push is confirmed, then their number has to be typed', async ({ console: page, world }) => {
  world.fleet.swarm()('connect 40 full');
  await world.fleet.matching('connection:connected', 41);
  await page.goto(`${world.url}/push?q=-name:edge-1`);
  await page.getByRole('button', { name: 'Push to 40 agents…' }).click();
  const dialog = page.getByRole('dialog');
  const push = dialog.getByRole('button', { name: 'Push to 40 agents' });
  await expect(push).toBeDisabled();
  await dialog.getByLabel(/Type the number/).fill('41');
  await expect(push).toBeDisabled();
  await dialog.getByLabel(/Type the number/).fill('40');
  await expect(push).toBeEnabled();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('given a query that is none, when it is typed, then it is said what is wrong with it', async ({ console: page, world }) => {
  await page.goto(`${world.url}/push`);
  await page.getByRole('textbox', { name: 'Query' }).fill('nmae:edge');
  await expect(page.getByRole('alert')).toContainText('nmae');
  await expect(page.getByRole('button', { name: 'Push…' })).toBeDisabled();
});

test('given a config that is being written, when the page is loaded anew or left at once, then it is still there', async ({ console: page, world }) => {
  await page.goto(`${world.url}/push`);
  const editor = page.getByRole('textbox', { name: 'The config' });
  await expect(editor).toBeVisible();
  await write(page, '# not finished');
  await expect.poll(() => page.evaluate(() => sessionStorage.getItem('tidegate.draft'))).toContain('not finished');
  await page.reload();
  await expect(editor).toContainText('# not finished');
  await write(page, '# left at once');
  await page.getByRole('link', { name: 'Overview', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
  await page.goBack();
  await expect(editor).toContainText('# left at once');
});
