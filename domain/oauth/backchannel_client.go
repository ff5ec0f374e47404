package oauth

import "slices"

const maxHintTypes = 8

// backchannel checks what a client registers of CIBA (CIBA, Section 4) and
// where it wants to be told of events.
func (m ClientMetadata) backchannel(p Profile, s Server) error {
	code, mode := InvalidClientMetadata, m.DeliveryMode
	known := mode == "" || slices.Contains([]string{Poll, Ping, Push}, mode)
	called := mode == Ping || mode == Push
	odd := func(v string) bool { return v == "" || len(v) > 128 || !printable(v) }
	return first(
		refusal(m.Grants(GrantCIBA) && mode == "", code, "CIBA §4", "backchannel_token_delivery_mode is required by the grant type of CIBA"),
		m.deliveryMode(p),
		refusal(!known, code, "CIBA §4", "backchannel_token_delivery_mode must be poll, ping or push"),
		refusal(mode != "" && !p.GrantTypes.Permits(GrantCIBA), code, p.GrantTypes.By, "backchannel authentication is not offered by this issuer"),
		refusal((mode == Poll || mode == Ping) && !m.Grants(GrantCIBA), code, "CIBA §4", "the modes poll and ping need the grant type of CIBA"),
		refusal(called && m.NotificationEndpoint == "", code, "CIBA §4", "backchannel_client_notification_endpoint is required in the modes ping and push"),
		refusal(!called && m.NotificationEndpoint != "", code, "CIBA §4", "backchannel_client_notification_endpoint belongs to the modes ping and push"),
		refusal(m.NotificationEndpoint != "" && !endpoint(m.NotificationEndpoint), code, "CIBA §4", "backchannel_client_notification_endpoint must be an https URI"),
		refusal(mode != "" && m.RequestAlg == "" && p.SignedBackchannel.Demanded, code, p.SignedBackchannel.By, "backchannel_authentication_request_signing_alg is required"),
		refusal(m.UserCodes && !s.UserCodes, code, "CIBA §4", "backchannel_user_code_parameter is not supported by this issuer"),
		refusal(len(m.HintTokenTypes) > maxHintTypes || slices.ContainsFunc(m.HintTokenTypes, odd), code, "FAPI-CIBA-ID1 §7", "backchannel_endpoint_login_hint_token_types must be at most 8 printable names"),
		refusal(m.EventEndpoint != "" && !endpoint(m.EventEndpoint), code, "RFC 8935 §2", "event_delivery_endpoint must be an https URI"),
	)
}

func (m ClientMetadata) deliveryMode(p Profile) error {
	if m.DeliveryMode == "" {
		return nil
	}
	return p.DeliveryModes.check("backchannel_token_delivery_mode", m.DeliveryMode, InvalidClientMetadata)
}

func endpoint(uri string) bool { return absoluteHTTPS(uri) && len(uri) <= maxURI }
