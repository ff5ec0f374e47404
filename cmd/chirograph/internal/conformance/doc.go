// Package conformance holds scripts that play the FAPI 2.0 Security Profile and
// CIBA with its FAPI profile, and what they stand on, against the whole server
// over TLS: one script for each clause or for each module of the OpenID
// conformance suite that can be played without the suite.
//
// A script is a file in testdata, read line by line. A comment begins with #
// and cites the clause; "# module:" names the modules that the script plays.
// Every other line is a statement:
//
//	client budgetly payzip        speak as this client; the first such line of a script runs it once for each
//	with dpop.htm=GET             change the next request only, see below
//	par scope=openid nonce=       push a request; what is not named has a good value, an empty value is left out
//	open                          take the browser to the authorization endpoint and follow to the page
//	sign-in alice                 fill in the login page
//	approve alice                 the same if asked to, then say yes to every account, or to account=ID...
//	deny | cancel                 say no on the consent page | on the login page
//	visit /my/consents/           follow the first link with this text
//	press revoke                  press the button with this id
//	submit decision=approve       send the page's form with these fields
//	callback code present         judge what the browser brought back to the client
//	redeem | refresh | client_credentials | introspect | revoke   and with fields, as for par
//	backchannel login_hint=ben    ask a customer who is elsewhere, signed if the client registered to sign
//	decide allow | deny           answer for the customer, as test tools do
//	confirm alice                 say yes on the phone page, with the password
//	poll                          present auth_req_id at the token endpoint
//	answer 401 BODY               let the client's notification endpoint answer so from now on
//	called                        wait until it is called about the request, and judge what was sent like an answer
//	uncalled                      it was not, or not again
//	delivery delivered | parked | attempted   wait until the log says so of the call
//	userinfo | resource /accounts read with the access token
//	register client_name=X        register a client; then it is the client "registered"
//	manage GET                    read, PUT or DELETE that registration
//	get URL | post URL k=v        ask anything else
//	status 400 | 4xx              judge the answer
//	json PATH ==|!=|contains|lacks|matches|present|absent|<=|>= VALUE
//	header NAME == VALUE          and, likewise, idtoken and token: claims, or header.X of their headers
//	expect VALUE == VALUE         judge anything that was saved
//	page contains TEXT            and body, likewise
//	save NAME json|header|body|callback|value PATH
//	advance 61s                   let time pass
//	everywhere                    wait until every node knows, which takes a second at most
//	race 8 redeem                 do it eight times at once: one succeeds, the others are refused
//	together 8 refresh            do it eight times at once: all succeed
//	browser other                 go on in another browser
//	back                          the page that was left for the client
//
// $NAME stands for what was saved; requests save token, refresh_token, id_token,
// request_uri, auth_req_id, code, verifier, state and nonce by themselves.
// ${x*300} repeats x, ${code~} is a code that is wrong at its end, and
// ${half:token} the hash of a token that an ID token has. Words with spaces are
// quoted, in '…' as they are, in "…" with Go's escapes.
//
// What with changes: assertion=none|reuse|garbage, assertion.CLAIM, dpop=none|
// send|reuse|twice|garbage, dpop.CLAIM, request=signed|unsigned|reuse|garbage,
// request.CLAIM, outside.FIELD beside it, and for all alg, typ, kid, key=CLIENT,
// signature=broken, jwk=private|missing; dates as +61s or -5m from now, none
// leaves a claim out; certificate=CLIENT|none, at=public|mutual, method, media,
// query, body, scheme, accept, client_assertion_type, header.NAME.
//
// Whatever a script expects, no answer may be a failure of the server, a
// redirect that repeats a form, open to other origins or to caches, or an error
// with characters that RFC 6749 does not permit.
package conformance
