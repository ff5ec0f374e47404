// The phone page that stays open, and the passkey on it.
import assert from 'node:assert/strict'
import { alice } from '../lib/bank.mjs'
import { browse, picture } from '../lib/browser.mjs'
import { answer, ask, authenticator, chooseAll, openNewest, pickUp, shows } from '../lib/phone.mjs'
import { ciba } from '../lib/till.mjs'

browse('the list shows a request that comes and one that is answered elsewhere, without being loaded again', async (hand, context, another) => {
  await pickUp(hand, alice)
  await hand.evaluate(() => { window.sameDocument = true })
  const before = await hand.locator('.requests li').count()
  const till = await (await another()).newPage()
  await ask(till, { customer: alice })
  await hand.getByRole('status').getByText(`${before + 1} request`).waitFor()
  assert.equal(await hand.locator('.requests li').count(), before + 1)
  await picture(hand, 'phone-list')

  const second = await context.newPage()
  await second.goto(hand.url())
  await openNewest(second)
  await answer(second, 'deny', alice)
  await hand.getByRole('status').getByText(before ? `${before} request` : 'Nothing waits for you').waitFor()
  assert.equal(await hand.locator('.requests li').count(), before)
  assert.equal(await hand.evaluate(() => window.sameDocument), true)
})

browse('a request is approved with a passkey, which is the customer\'s only if it knows its user', async (hand, context, another) => {
  const key = await authenticator(context, hand)
  await pickUp(hand, alice)
  await hand.goto(`${ciba}/my/devices`)
  await picture(hand, 'my-devices-none')
  await hand.locator('#name').fill('Alice\'s phone')
  if (await hand.locator('#password').count()) await hand.locator('#password').fill(alice.password)
  await hand.locator('#add-passkey').click()
  await hand.getByRole('heading', { name: 'Alice\'s phone' }).waitFor()
  await picture(hand, 'my-devices')

  const till = await (await another()).newPage()
  await ask(till, { customer: alice, message: 'Kiosk 3' })
  await hand.goto(`${ciba}/device`)
  await openNewest(hand)
  await picture(hand, 'phone-request-passkey')
  await chooseAll(hand)
  await key.knows(false)
  await hand.locator('#approve-passkey').click()
  await hand.locator('#passkey').getByRole('status').getByText('No passkey was used').waitFor()
  await key.knows(true)
  await hand.locator('#approve-passkey').click()
  await hand.getByRole('heading', { name: 'You have approved this request' }).waitFor()
  await shows(till, 'Approved')

  await hand.goto(`${ciba}/my/devices`)
  await hand.getByRole('button', { name: 'Remove Alice\'s phone' }).click()
  await hand.getByText('You have none.').first().waitFor()
})
