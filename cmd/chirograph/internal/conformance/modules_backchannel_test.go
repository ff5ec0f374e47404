package conformance

import "github.com/chirograph/chirograph/domain/oauth"

func (c *client) ofFAPICIBA() bool { return c.issuer == "fapi-ciba" }

// deliveryVariant is how a client authenticates and how it learns of the
// customer's answer.
func (c *client) deliveryVariant() string {
	return "authentication by " + c.auth() + " in the mode " + c.metadata.DeliveryMode
}

func (c *client) pinged() bool { return c.metadata.DeliveryMode == oauth.Ping }

var (
	byCertificate = need{"mtls", func(c *client) bool { return !c.signs() }}
	byPing        = need{"ping", (*client).pinged}
)

// backchannelModules are those of the plan fapi-ciba-id1-test-plan that do not
// belong to one ecosystem, by their full names.
var backchannelModules = []module{
	{"fapi-ciba-id1-discovery-end-point-verification", need{"the issuer", nil}},
	{"fapi-ciba-id1", everyone},
	{"fapi-ciba-id1-user-rejects-authentication", everyone},
	{"fapi-ciba-id1-multiple-call-to-token-endpoint", everyone},
	{"fapi-ciba-id1-auth-req-id-expired", everyone},
	{"fapi-ciba-id1-ensure-authorization-request-with-binding-message-succeeds", everyone},
	{"fapi-ciba-id1-ensure-other-scope-order-succeeds", everyone},
	{"fapi-ciba-id1-ensure-requested-expiry-as-string-succeeds", everyone},
	{"fapi-ciba-id1-ensure-authorization-request-with-potentially-bad-binding-message", everyone},
	{"fapi-ciba-id1-ensure-request-object-missing-aud-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-bad-aud-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-missing-iss-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-bad-iss-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-missing-exp-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-expired-exp-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-exp-is-70-minutes-in-future-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-missing-iat-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-missing-nbf-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-nbf-is-10-minutes-in-future-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-nbf-is-70-minutes-in-past-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-missing-jti-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-signature-algorithm-is-none-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-signature-algorithm-is-bad-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-signature-algorithm-is-RS256-fails", everyone},
	{"fapi-ciba-id1-ensure-request-object-signed-by-other-client-fails", everyone},
	{"fapi-ciba-id1-ensure-authorization-request-with-multiple-hints-fails", everyone},
	{"fapi-ciba-id1-ensure-wrong-auth-req-id-in-token-endpoint-request", everyone},
	{"fapi-ciba-id1-ensure-different-client-id-and-issuer-in-backchannel-authorization-request", byCertificate},
	{"fapi-ciba-id1-ensure-wrong-client-id-in-token-endpoint-request", byCertificate},
	{"fapi-ciba-id1-ensure-wrong-client-id-in-backchannel-authorization-request", byCertificate},
	{"fapi-ciba-id1-ensure-without-client-assertion-in-token-endpoint-request", byKey},
	{"fapi-ciba-id1-ensure-without-client-assertion-in-backchannel-authorization-request", byKey},
	{"fapi-ciba-id1-ensure-client-assertion-signature-algorithm-in-backchannel-authorization-request-is-RS256-fails", byKey},
	{"fapi-ciba-id1-ensure-client-assertion-signature-algorithm-in-token-endpoint-request-is-RS256-fails", byKey},
	{"fapi-ciba-id1-ensure-client-assertion-with-iss-aud-to-token-endpoint-succeeds", byKey},
	{"fapi-ciba-id1-ping-backchannel-notification-endpoint-response-has-body", byPing},
	{"fapi-ciba-id1-ping-backchannel-notification-endpoint-response-401", byPing},
	{"fapi-ciba-id1-ping-backchannel-notification-endpoint-response-403", byPing},
	{"fapi-ciba-id1-ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server-does-not-retry", byPing},
	{"fapi-ciba-id1-ping-backchannel-notification-endpoint-return-redirect-request", byPing},
	{"fapi-ciba-id1-ensure-unsigned-backchannel-authorization-request-fails", everyone},
	{"fapi-ciba-id1-refresh-token", everyone},
	{"fapi-ciba-id1-ensure-mtls-holder-of-key-required", everyone},
}
