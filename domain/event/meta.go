package event

// Meta is what every event says about its cause. It is stored beside the
// event and is part of its leaf. Session, Address and UserAgent are sealed.
type Meta struct {
	Issuer      string `json:"iss,omitempty"` // issuer id
	Actor       string `json:"actor,omitempty"`
	Client      string `json:"client_id,omitempty"`
	Subject     string `json:"sub,omitempty"`
	Correlation string `json:"correlation,omitempty"` // stream of the journey or request this belongs to
	Causation   string `json:"causation,omitempty"`   // id of the event that led here
	Interaction string `json:"x_fapi_interaction_id,omitempty"`
	Trace       string `json:"trace,omitempty"`
	Software    string `json:"software,omitempty"`
	Session     string `json:"session,omitempty"`
	Address     string `json:"address,omitempty"`
	UserAgent   string `json:"user_agent,omitempty"`
}

// MetaType declares how [Meta] is stored.
var MetaType = Type[Meta]{
	Name:   "meta",
	Sealed: []string{"session", "address", "user_agent"},
	Audit:  func(Meta, Names) string { return "" },
}

// Who acted, as written in [Meta.Actor].
const (
	ActorSystem   = "system"   // the platform by itself
	ActorOperator = "operator" // the bank's staff; a name may follow, as in "operator:mara"
	ActorClient   = "client"
	ActorCustomer = "customer"
)
