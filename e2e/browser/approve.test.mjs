// The customer approves, in all the ways in which that can be done twice.
import assert from 'node:assert/strict'
import { asked, browse, calledBack, picture, signIn } from '../lib/browser.mjs'
import { alice, issuer } from '../lib/bank.mjs'

const [chosen] = alice.accounts

browse('login and approval of one account', approveOne)
browse('the same without JavaScript', approveOne, { javaScriptEnabled: false })

async function approveOne(page) {
  const request = await asked()
  await atConsent(page, request)
  await choose(page)
  await picture(page, 'consent')
  await page.locator('#approve').click()

  const tokens = await request.redeem(await calledBack(page))
  const { accounts } = await (await request.read(tokens)).json()
  assert.deepEqual(accounts.map((a) => a.account_id), [chosen])
}

browse('an approval without an account is asked again', async (page) => {
  const request = await asked()
  await atConsent(page, request)
  await choose(page, null)
  await page.locator('#approve').click()
  await page.getByRole('alert').waitFor()
  await picture(page, 'consent-nothing-chosen')
  await choose(page)
  await page.locator('#approve').click()
  await request.redeem(await calledBack(page))
})

browse('the page can be loaded again before the decision', async (page) => {
  const request = await asked()
  await atConsent(page, request)
  await page.reload()
  await choose(page)
  await page.locator('#approve').click()
  await request.redeem(await calledBack(page))
})

browse('two quick clicks are one approval', async (page) => {
  const request = await asked()
  await atConsent(page, request)
  await choose(page)
  const before = await active(page)
  await page.locator('#approve').dblclick({ noWaitAfter: true })
  await completed(page, request)
  assert.equal(await active(page), before + 1)
})

browse('an approval whose answer was lost can be sent again', async (page) => {
  const request = await asked()
  await atConsent(page, request)
  await choose(page)
  const before = await active(page)
  await page.route('**/interaction/decision', async (route) => {
    const headers = { ...route.request().headers(), 'sec-fetch-site': 'same-origin' }
    assert.equal((await route.fetch({ headers, maxRedirects: 0 })).status(), 303)
    await route.fulfill({ status: 204 }) // the page stays as it is
  }, { times: 1 })
  const lost = page.waitForResponse('**/interaction/decision')
  await page.locator('#approve').click({ noWaitAfter: true })
  await lost

  await page.locator('#approve').click()
  await page.locator('#continue').waitFor()
  await picture(page, 'decided-continue')
  await completed(page, request)
  assert.equal(await active(page), before + 1)
})

browse('going back after the approval decides nothing anew', async (page) => {
  const request = await asked()
  await atConsent(page, request)
  await choose(page)
  await page.locator('#approve').click()
  await request.redeem(await calledBack(page))
  const before = await active(page)

  await page.goBack()
  await page.getByRole('heading', { name: 'already been decided' }).waitFor()
  assert.equal(await page.locator('#approve').count(), 0)
  assert.equal(await page.locator('#continue').count(), 0, 'the code was redeemed')
  await picture(page, 'decided')
  assert.equal(await active(page), before)
})

browse('of two tabs with one request, one decides', async (page, context) => {
  const request = await asked()
  await atConsent(page, request)
  const other = await context.newPage()
  await other.goto(request.url)
  await other.locator('#approve').waitFor()
  await choose(page)
  await page.locator('#approve').click()
  await request.redeem(await calledBack(page))

  await other.locator('#cancel').click()
  await other.getByRole('heading', { name: 'already been decided' }).waitFor()
})

browse('two requests in two tabs do not meet', async (page, context) => {
  const [first, second] = [await asked(), await asked()]
  await atConsent(page, first)
  const other = await context.newPage()
  await other.goto(second.url)
  await choose(page)
  await page.locator('#approve').click()
  await choose(other)
  await other.locator('#approve').click()
  await second.redeem(await calledBack(other))
  await first.redeem(await calledBack(page))
})

async function atConsent(page, request) {
  await page.goto(request.url)
  await signIn(page, alice)
  await page.locator('#approve').waitFor()
}

/** Ticks one account and no other. */
async function choose(page, account = chosen) {
  for (const box of await page.locator('input[name=account]').all()) {
    await box.setChecked((await box.getAttribute('value')) === account)
  }
}

/** Goes on where the answer to the first click was overtaken, and redeems the code. */
async function completed(page, request) {
  await page.locator('#continue, #submission_complete').waitFor()
  if (await page.locator('#continue').count()) await page.locator('#continue').click()
  await request.redeem(await calledBack(page))
}

/** How many consents of the signed-in customer are active. */
async function active(page) {
  const list = await page.context().newPage()
  await list.goto(`${issuer}/my/consents`)
  const count = await list.locator('section[aria-labelledby=active] article').count()
  await list.close()
  return count
}
