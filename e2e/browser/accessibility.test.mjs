// axe finds nothing on any page, in light and dark, narrow and wide.
import { everywhere } from '../lib/axe.mjs'
import { asked, calledBack, signIn } from '../lib/browser.mjs'
import { alice, issuer } from '../lib/bank.mjs'

everywhere('every page', async (page, _, auditor) => {
  const audit = auditor(page)
  await errors(page, audit)
  await decision(page, audit)
  await own(page, audit)
})

async function errors(page, audit) {
  await page.goto(`${issuer}/authorize?client_id=nobody`)
  await audit('error')
  await page.goto((await asked()).url)
  await audit('login')
  await signIn(page, { user: 'nobody', password: 'not this one' })
  await page.getByRole('alert').waitFor()
  await audit('login-problem')
}

async function decision(page, audit) {
  const request = await asked({ scope: 'openid profile email accounts' })
  await page.goto(request.url)
  await signIn(page, alice)
  await page.locator('#approve').waitFor()
  const consent = page.url()
  await audit('consent')
  for (const box of await page.locator('input[name=account]').all()) await box.uncheck()
  await page.locator('#approve').click()
  await page.getByRole('alert').waitFor()
  await audit('consent-problem')
  await page.locator('input[name=account]').first().check()
  await page.locator('#approve').click()
  const tokens = await request.redeem(await calledBack(page))
  await request.read(tokens)
  await page.goto(consent)
  await page.getByRole('heading', { name: 'already been decided' }).waitFor()
  await audit('decided')
}

async function own(page, audit) {
  await page.goto(`${issuer}/my/consents`)
  await audit('my-consents')
  await page.getByRole('link', { name: 'See or stop' }).first().click()
  await page.locator('.history').waitFor()
  await audit('my-consent')
  await page.locator('#revoke').click()
  await page.locator('button#revoke').waitFor()
  await audit('revoke')
  await page.locator('button#revoke').click()
  await page.getByRole('status').first().waitFor()
  await audit('revoked')
  await page.goto(`${issuer}/logout`)
  await audit('sign-out')
  await page.locator('#signout').click()
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
  await audit('signed-out')
  await page.goto(`${issuer}/login`)
  await audit('login-own')
}
