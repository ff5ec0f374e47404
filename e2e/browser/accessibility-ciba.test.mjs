// axe finds nothing on the two screens of CIBA either.
import test from 'node:test'
import { chidi, declare, issuer } from '../lib/bank.mjs'
import { everywhere } from '../lib/axe.mjs'
import { answer, ask, authenticator, counter, decide, openNewest, order, phone, pickUp, shows } from '../lib/phone.mjs'
import { ciba } from '../lib/till.mjs'

const tested = new URL('/tested', issuer).href

test.before(() => declare({
  issuers: [{ id: 'tested', url: tested, profile: 'openid-ciba-core', settings: { purpose: 'conformance' }, keys: { algorithms: ['ES256'] } }],
}))

everywhere('the till and the phone', async (till, another, auditor) => {
  const context = await another()
  const hand = await context.newPage()
  await authenticator(context, hand)
  const [seen, read] = [auditor(till), auditor(hand)]
  await form(till, seen)
  await ribbon(till, seen)
  await pickUp(hand, chidi)
  await read('phone-empty')
  await approved(till, hand, seen, read)
  await denied(till, hand, seen, read)
  await late(till, hand, seen, read)
})

async function form(till, seen) {
  await till.goto(counter)
  await seen('till')
  await order(till, { customer: { user: 'zoe' } })
  await till.getByRole('alert').waitFor()
  await seen('till-problem')
}

/** A bank that is only there to be tested says so on each page. */
async function ribbon(page, seen) {
  await page.goto(`${tested}/device`)
  await page.getByRole('complementary', { name: 'Test bank' }).getByText('TEST For conformance tests').waitFor()
  await seen('conformance-login')
}

async function approved(till, hand, seen, read) {
  await hand.goto(`${ciba}/my/devices`)
  await read('my-devices-none')
  await hand.locator('#add-passkey').click()
  await hand.getByRole('button', { name: 'Remove' }).waitFor()
  await read('my-devices')
  await hand.goto(phone)
  await ask(till, { customer: chidi, message: 'Tram 7, seat 12, 2026-11-23 towards the harbour' })
  await seen('till-waiting')
  await hand.locator('.requests li').first().waitFor()
  await read('phone-list')
  await openNewest(hand)
  await read('phone-request-passkey')
  await decide(hand, 'approve', { password: 'not this one' })
  await hand.getByRole('alert').waitFor()
  await read('phone-request-problem')
  await answer(hand, 'approve', chidi)
  await read('phone-approved')
  await shows(till, 'Approved')
  await seen('till-approved')
  await hand.goto(`${ciba}/my/devices`)
  await hand.getByRole('button', { name: 'Remove' }).click()
  await hand.getByText('You have none.').first().waitFor()
}

async function denied(till, hand, seen, read) {
  await hand.goto(phone)
  await ask(till, { customer: chidi, message: 'W4SCT' })
  await openNewest(hand)
  await read('phone-request')
  await hand.locator('#deny').click()
  await hand.locator('#outcome').waitFor()
  await read('phone-denied')
  await shows(till, 'Denied')
  await seen('till-denied')
  await hand.goto(phone)
  await ask(till, { customer: chidi })
  await openNewest(hand)
  await hand.locator('#not-me').click()
  await hand.locator('#outcome').waitFor()
  await read('phone-not-me')
}

async function late(till, hand, seen, read) {
  await hand.goto(phone)
  await ask(till, { customer: chidi, seconds: 8 })
  await hand.route('**/assets/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }))
  await openNewest(hand)
  await shows(till, 'Too late')
  await seen('till-expired')
  await answer(hand, 'approve', chidi)
  await read('phone-too-late')
}
