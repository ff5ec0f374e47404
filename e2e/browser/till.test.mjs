// A till and the phone of the customer, side by side.
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { alice, operate, printed } from '../lib/bank.mjs'
import { browse, picture } from '../lib/browser.mjs'
import { answer, ask, openNewest, order, phone, pickUp, shows } from '../lib/phone.mjs'

const story = ['was told', 'was shown', 'approved the request', 'was redeemed', 'read /bank-ciba/accounts']

/** The phone of the customer, who is signed in. */
async function opened(another) {
  const hand = await (await another()).newPage()
  await pickUp(hand, alice)
  return hand
}

browse('a till that polls reads the accounts that were approved', async (till, _, another) => {
  const hand = await opened(another)
  await ask(till, { customer: alice, message: 'Tram 7, seat 12' })
  await picture(till, 'till-waiting')
  const id = await openNewest(hand)
  assert.equal(await hand.locator('#binding-message').innerText(), 'Tram 7, seat 12')
  await picture(hand, 'phone-request')
  await answer(hand, 'approve', alice)
  await picture(hand, 'phone-approved')
  await shows(till, 'Approved')
  await picture(till, 'till-approved')
  assert.match(await till.locator('#accounts').innerText(), /Everyday\n.* · [0-9.]+ EUR\nRainy day\n.* EUR\nHousehold\n/)
  await tells(id, story)
})

browse('a till that is pinged does, too', async (till, _, another) => {
  const hand = await opened(another)
  await ask(till, { customer: alice, mode: 'ping' })
  const id = await openNewest(hand)
  await answer(hand, 'approve', alice)
  await shows(till, 'Approved')
  await tells(id, [...story.slice(0, 3), 'is to be pinged', ...story.slice(3)])
  await tells(id, ['is to be pinged', 'was pinged']) // which is recorded when the till has answered
})

browse('the same without JavaScript', async (till, _, another) => {
  const hand = await opened(another)
  await ask(till, { customer: alice, message: 'Quiet' })
  await openNewest(hand)
  await answer(hand, 'approve', alice)
  await shows(till, 'Approved')
  assert.match(await till.locator('#accounts').innerText(), /Household/)
}, { javaScriptEnabled: false })

browse('a till learns of a no, and nothing else', async (till, _, another) => {
  const hand = await opened(another)
  await ask(till, { customer: alice })
  await openNewest(hand)
  await hand.locator('#deny').click()
  await hand.getByRole('heading', { name: 'You have denied this request' }).waitFor()
  await picture(hand, 'phone-denied')
  await shows(till, 'Denied')
  await picture(till, 'till-denied')
  assert.equal(await till.locator('#accounts').count(), 0)
})

browse('who did not start it says so, and the client is flagged', async (till, _, another) => {
  const hand = await opened(another)
  await ask(till, { customer: alice, message: 'Not yours' })
  const id = await openNewest(hand)
  await hand.locator('#not-me').click()
  await hand.getByRole('heading', { name: 'this was not you' }).waitFor()
  await picture(hand, 'phone-not-me')
  await shows(till, 'Denied')
  const flagged = operate('audit', 'search', '--type', 'client.flagged', '--client', 'payzip-poll', '--backchannel', id)
  assert.match(flagged, /^[0-9]+$/)
})

browse('nobody answers in time, and both screens say so by themselves', async (till, _, another) => {
  const hand = await opened(another)
  await ask(till, { customer: alice, seconds: 8 })
  await openNewest(hand)
  await hand.getByRole('heading', { name: 'This request has run out' }).waitFor()
  await shows(till, 'Too late')
  await picture(till, 'till-expired')
})

browse('without JavaScript who answers too late is told so', async (till, _, another) => {
  const hand = await opened(another)
  await ask(till, { customer: alice, seconds: 8 })
  for (let tries = 0; tries < 50 && !(await hand.locator('.requests li').count()); tries++) await hand.locator('#again').click()
  const id = await openNewest(hand)
  await shows(till, 'Too late')
  await answer(hand, 'approve', alice)
  await hand.getByRole('alert').getByText('Your answer came too late').waitFor()
  await picture(hand, 'phone-too-late')
  await hand.goto(`${phone}/${id}`)
  await hand.getByRole('heading', { name: 'This request has run out' }).waitFor()
  assert.equal(await hand.getByRole('alert').count(), 0)
}, { javaScriptEnabled: false })

browse('a name that the bank does not know asks nobody', async (till) => {
  await order(till, { customer: { user: 'zoe' } })
  await till.getByRole('alert').getByText('unknown_user_id').waitFor()
  await picture(till, 'till-problem')
})

/** Waits until the story of the request's consent tells this, in this order. */
async function tells(id, parts) {
  const inOrder = new RegExp(parts.join('[^]*'))
  let told
  for (const end = Date.now() + 15_000; Date.now() < end; await setTimeout(100)) {
    told = printed('audit', 'timeline', `backchannel/${id}`)
    if (inOrder.test(told)) return
  }
  assert.fail(`${parts} are not told in this order:\n${told}`)
}
