package oauth

// A Code is a registered OAuth error code. It is itself an error, so that
// errors.Is(err, oauth.InvalidGrant) asks the question callers have.
type Code string

const (
	// RFC 6749, Sections 4.1.2.1 and 5.2.
	InvalidRequest          Code = "invalid_request"
	InvalidClient           Code = "invalid_client"
	InvalidGrant            Code = "invalid_grant"
	InvalidScope            Code = "invalid_scope"
	UnauthorizedClient      Code = "unauthorized_client"
	UnsupportedGrantType    Code = "unsupported_grant_type"
	UnsupportedResponseType Code = "unsupported_response_type"
	AccessDenied            Code = "access_denied"
	ServerError             Code = "server_error"
	TemporarilyUnavailable  Code = "temporarily_unavailable"

	InvalidToken      Code = "invalid_token"      // RFC 6750, Section 3.1
	InsufficientScope Code = "insufficient_scope" // RFC 6750, Section 3.1

	UnsupportedTokenType        Code = "unsupported_token_type"        // RFC 7009, Section 2.2.1
	InvalidRedirectURI          Code = "invalid_redirect_uri"          // RFC 7591, Section 3.2.2
	InvalidClientMetadata       Code = "invalid_client_metadata"       // RFC 7591, Section 3.2.2
	InvalidSoftwareStatement    Code = "invalid_software_statement"    // RFC 7591, Section 3.2.2
	InvalidTarget               Code = "invalid_target"                // RFC 8707, Section 2
	InvalidRequestURI           Code = "invalid_request_uri"           // RFC 9101, Section 7
	InvalidRequestObject        Code = "invalid_request_object"        // RFC 9101, Section 7
	RequestNotSupported         Code = "request_not_supported"         // OIDC-Core, Section 3.1.2.6
	RequestURINotSupported      Code = "request_uri_not_supported"     // OIDC-Core, Section 3.1.2.6
	InvalidAuthorizationDetails Code = "invalid_authorization_details" // RFC 9396, Section 5
	InvalidDPoPProof            Code = "invalid_dpop_proof"            // RFC 9449, Section 5
	UseDPoPNonce                Code = "use_dpop_nonce"                // RFC 9449, Section 8

	// CIBA, Sections 11 and 13.
	AuthorizationPending  Code = "authorization_pending"
	SlowDown              Code = "slow_down"
	ExpiredToken          Code = "expired_token"
	ExpiredLoginHintToken Code = "expired_login_hint_token"
	UnknownUserID         Code = "unknown_user_id"
	MissingUserCode       Code = "missing_user_code"
	InvalidUserCode       Code = "invalid_user_code"
	InvalidBindingMessage Code = "invalid_binding_message"
	TransactionFailed     Code = "transaction_failed" // CIBA, Section 12

	LoginRequired                   Code = "login_required"                    // OIDC-Core, Section 3.1.2.6
	InteractionRequired             Code = "interaction_required"              // OIDC-Core, Section 3.1.2.6
	ConsentRequired                 Code = "consent_required"                  // OIDC-Core, Section 3.1.2.6
	UnmetAuthenticationRequirements Code = "unmet_authentication_requirements" // OIDC Unmet Authentication Requirements 1.0
)

func (c Code) Error() string { return string(c) }

// An Error refuses a request. The client sees Code, Description and By; logs
// and the audit trail also see Cause.
type Error struct {
	Code        Code
	Description string
	By          Clause // what the request broke
	Cause       error
}

func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Description
	if e.By != "" {
		s += " [" + string(e.By) + "]"
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *Error) Is(target error) bool { return target == e.Code }
func (e *Error) Unwrap() error        { return e.Cause }

// Refuse makes an [Error]. The description names the parameter and the rule,
// never a value that was sent or stored.
func Refuse(code Code, by Clause, description string) *Error {
	return &Error{Code: code, By: by, Description: description}
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// refusal turns a typed nil into a plain one, so that first can be used.
func refusal(broken bool, code Code, by Clause, description string) error {
	if !broken {
		return nil
	}
	return Refuse(code, by, description)
}
