package authorization

// Status says where the journey stands: "pushed", "identified", "denied",
// "granted", "coded" or "redeemed"; "" before it began.
func (s State) Status() string {
	if s.status == pushed && s.person.Subject != "" {
		return "identified"
	}
	return [...]string{nothing: "", pushed: "pushed", denied: "denied", granted: "granted", coded: "coded", redeemed: "redeemed"}[s.status]
}
