// The customer does not approve, or has nothing to approve.
import assert from 'node:assert/strict'
import { asked, browse, calledBack, picture, signIn } from '../lib/browser.mjs'
import { alice, chidi, issuer } from '../lib/bank.mjs'

browse('declining tells the client so', async (page) => {
  const request = await asked()
  await page.goto(request.url)
  await signIn(page, alice)
  await page.locator('#cancel').click()
  denied(await calledBack(page))
})

browse('cancelling instead of signing in tells the client so', async (page) => {
  const request = await asked()
  await page.goto(request.url)
  await picture(page, 'login')
  await page.locator('#cancel').click()
  denied(await calledBack(page))

  await page.goto(request.url)
  await page.locator('#error').getByText('invalid_request_uri').waitFor()
})

browse('a wrong password is a message that the reader is taken to', async (page) => {
  const request = await asked()
  await page.goto(request.url)
  await signIn(page, { ...chidi, password: 'not this one' })
  const alert = page.getByRole('alert')
  await alert.getByText('The name or the password is not right.').waitFor()
  assert.ok(await alert.evaluate((e) => e === document.activeElement), 'the message has the focus')
  assert.equal(await page.locator('#password').inputValue(), '')
  await picture(page, 'login-problem')

  await signIn(page, chidi)
  await page.locator('#approve').waitFor()
})

browse('an unknown request is a page of the bank', async (page) => {
  const url = new URL((await asked()).url)
  url.searchParams.set('request_uri', 'urn:ietf:params:oauth:request_uri:unknown')
  const response = await page.goto(url.href)
  assert.equal(response.status(), 400)
  await page.locator('#error').getByText('invalid_request_uri').waitFor()
  await picture(page, 'error')
})

browse('an address that does not exist is a page of the bank', async (page) => {
  const response = await page.goto(`${issuer}/nothing`)
  assert.equal(response.status(), 404)
})

browse('a page of one browser is not good in another', async (page, context) => {
  const request = await asked()
  await page.goto(request.url)
  const stolen = page.url()
  const other = await context.browser().newContext({ ignoreHTTPSErrors: true })
  const response = await (await other.newPage()).goto(stolen)
  assert.equal(response.status(), 403)
  await other.close()
})

function denied(callback) {
  assert.equal(callback.searchParams.get('error'), 'access_denied')
  assert.equal(callback.searchParams.get('iss'), issuer.href)
  assert.equal(callback.searchParams.get('code'), null)
}
