// The two screens of CIBA: a till that asks, and the phone of the customer.
import { issuer } from './bank.mjs'
import { signIn } from './browser.mjs'
import { ciba } from './till.mjs'

export const counter = new URL('/till', issuer).href
export const phone = `${ciba}/device`

const receipt = 'Till 4, receipt 117'

/** Has the till ask a customer. Returns when it shows what to compare. */
export async function ask(page, request) {
  await order(page, request)
  await page.locator('#binding-message').getByText(request.message ?? receipt, { exact: true }).waitFor()
}

/** Fills the till's form in and sends it. */
export async function order(page, { customer, message = receipt, mode = 'poll', seconds = '' }) {
  await page.goto(counter)
  await page.locator('#login_hint').fill(customer.user)
  await page.locator('#message').fill(message)
  await page.locator(`#${mode}`).check()
  await page.locator('#seconds').fill(String(seconds))
  await page.locator('#ask').click()
}

/** Signs a customer in on the phone page. */
export async function pickUp(page, customer) {
  await page.goto(phone)
  await signIn(page, customer)
  await page.getByRole('heading', { name: 'Requests' }).waitFor()
}

/** Opens the newest request that the phone page lists, and returns its id. */
export async function openNewest(page) {
  await page.locator('.requests a.button').first().click()
  await page.locator('#approve').waitFor()
  return new URL(page.url()).pathname.split('/').at(-1)
}

/** Answers with the password, and returns when the page says what became of it. */
export async function answer(page, decision, customer) {
  await decide(page, decision, customer)
  await page.locator('#outcome').waitFor()
}

/** Shares every account that may be chosen. */
export async function chooseAll(page) {
  for (const box of await page.locator('input[name=account]').all()) await box.check()
}

/** Sends an answer with the password, for every account. */
export async function decide(page, decision, { password }) {
  await chooseAll(page)
  await page.locator('#password').fill(password)
  await page.locator(`#${decision}`).click()
}

/** Waits until the till shows a heading. */
export const shows = (page, heading) => page.getByRole('heading', { level: 1, name: heading }).waitFor()

/** An authenticator that is built into the browser's machine, and knows its user. */
export async function authenticator(context, page) {
  const session = await context.newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
  })
  return { knows: (isUserVerified) => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }) }
}
