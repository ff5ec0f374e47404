// axe looks at pages in light and dark, narrow and wide.
import assert from 'node:assert/strict'
import { AxeBuilder } from '@axe-core/playwright'
import { browse, picture } from './browser.mjs'

const rules = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']

/** Each colour scheme and each width once: neither depends on the other. */
const looks = [['light', 320], ['dark', 1280]]

/** Declares a test for each look. It is given what audits a page: its state has a name. */
export function everywhere(title, run) {
  for (const [colorScheme, width] of looks) {
    const auditor = (page) => (name) => audit(page, name, `${colorScheme}-${width}-${name}`)
    browse(`${title}, ${colorScheme}, ${width} px wide`, (page, context, another) => run(page, another, auditor), {
      colorScheme, viewport: { width, height: 800 },
    })
  }
}

async function audit(page, name, file) {
  const { violations } = await new AxeBuilder({ page }).withTags(rules).analyze()
  assert.deepEqual(violations.map((v) => `${name}: ${v.help}: ${v.nodes.map((n) => n.target)}`), [])
  const { scrollWidth, clientWidth } = await page.evaluate(() => document.documentElement)
  assert.equal(scrollWidth, clientWidth, `${name} is not cut off (WCAG 2.2, 1.4.10)`)
  await picture(page, file)
}
