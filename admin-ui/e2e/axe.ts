import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, type Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Fails when axe-core finds anything on the page as it stands; parts that are not ours can be left out. */
export async function expectAccessible(page: Page, leaveOut: string[] = []): Promise<void> {
  await page.evaluate(source);
  const found = await page.evaluate(async (exclude) => {
    const { axe } = window as unknown as { axe: { run(context: unknown): Promise<AxeResults> } };
    return (await axe.run({ exclude: exclude.map((selector) => [selector]) })).violations;
  }, leaveOut);
  const told = found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  expect(told, `axe on ${page.url()}`).toEqual([]);
}
