// The customer's own pages: what she shares, its history, and how to stop it.
import assert from 'node:assert/strict'
import { asked, browse, calledBack, picture, signIn } from '../lib/browser.mjs'
import { ben, issuer } from '../lib/bank.mjs'

browse('what was approved is listed, and read no more once it is stopped', stop)
browse('the same without JavaScript', stop, { javaScriptEnabled: false })

async function stop(page) {
  const request = await asked()
  await page.goto(request.url)
  await signIn(page, ben)
  for (const box of await page.locator('input[name=account]').all()) await box.check()
  await page.locator('#approve').click()
  const tokens = await request.redeem(await calledBack(page))
  assert.equal((await request.read(tokens)).status, 200)

  await page.goto(`${issuer}/my/consents`)
  await picture(page, 'my-consents')
  await page.getByRole('link', { name: 'See or stop' }).first().click()
  await page.locator('.history').getByText('Budgetly').first().waitFor()
  await picture(page, 'my-consent')
  await page.locator('#revoke').click()
  await picture(page, 'revoke')
  await page.locator('button#revoke').click()
  await page.getByRole('status').getByText('Sharing has stopped.').waitFor()
  await picture(page, 'revoked')
  await assert.rejects(request.read(tokens), { status: 401 })
}

browse('after signing out nothing is shown, not even by going back', async (page) => {
  await page.goto(`${issuer}/my/consents`)
  await signIn(page, ben)
  await page.getByRole('heading', { name: 'What you share' }).waitFor()
  await page.getByRole('link', { name: 'Sign out' }).click()
  await picture(page, 'sign-out')
  await page.locator('#signout').click()
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
  await picture(page, 'signed-out')

  await page.goto(`${issuer}/my/consents`)
  await page.locator('#login').waitFor()
  await page.goBack()
  await page.goBack()
  assert.equal(await page.getByRole('link', { name: 'See or stop' }).count(), 0)
})
